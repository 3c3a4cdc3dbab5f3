//! The waterfall: a row for each exchange, with its request, headers, events and end on an axis.
//!
//! Each scenario has an axis of its own: in a check of 20 s, a burst of a probe of 200 ms would be
//! one pixel. Rows are those of a table, so that the numbers stand beside the picture.

pub(crate) mod strip;

use std::time::Duration;

use maud::{Markup, html};
use sseproof_record::{Ending, Exchange, Source, Transcript};
use sseproof_report::{Judged, Report};
use sseproof_rules::{Record, View};
use sseproof_units::{count, counted, duration};

use super::findings::anchor;
use crate::document::{Mark, Section, scroll};
use crate::quoted::line;
use strip::{Axis, Fault};

/// How many exchanges are shown; later ones only with a fault.
const ROWS: usize = 400;

/// On a shorter axis, a millisecond before the headers would look late.
const SHORTEST: Duration = Duration::from_millis(500);

/// `None` without exchanges, or if a file has no times.
pub(super) fn section(report: &Report, transcript: &Transcript) -> Option<Section> {
    if transcript.source != Source::Run || transcript.exchanges.is_empty() {
        return None;
    }
    let record = Record::new(transcript);
    let views: Vec<View<'_>> = record.all().collect();
    let is_shown = |at: usize, view: &View<'_>| at < ROWS || faults(report, view).next().is_some();
    let shown = views.iter().enumerate().filter(|(at, view)| is_shown(*at, view));
    let shown: Vec<View<'_>> = shown.map(|(_, view)| *view).take(2 * ROWS).collect();
    let more = views.len() - shown.len();
    let groups: Vec<_> = shown.chunk_by(|a, b| a.scenario == b.scenario).collect();
    Some(Section {
        id: "waterfall",
        title: format!("Waterfall: {}", counted(views.len(), "exchange")),
        short: "waterfall".to_owned(),
        body: html! {
            (legend())
            (scroll("Waterfall of exchanges", &html! {
                table.waterfall {
                    thead { tr {
                        th scope="col" { "Request" } th scope="col" { "Time" }
                        th scope="col" { "Status" } th.right scope="col" { "Headers after" }
                        th.right scope="col" { "Events" } th scope="col" { "End" }
                    } }
                    @for group in groups { (rows(report, group)) }
                }
            }))
            @if more > 0 { p.faint { "… and " (counted(more, "more exchange")) } }
        },
    })
}

fn legend() -> Markup {
    html! {
        ul.legend {
            li { (strip::sample("wait")) " request sent, no response headers yet" }
            li { (strip::sample("head")) " response headers" }
            li { (strip::sample("body")) " open" }
            li { (strip::sample("event")) " an event; the more at the same time, the higher" }
            li { (strip::sample("cut")) " cut by the server" }
            li { (strip::sample("fault")) " a fault" }
        }
    }
}

fn rows(report: &Report, group: &[View<'_>]) -> Markup {
    let begin = group.iter().map(|view| view.started).min().unwrap_or_default();
    let end = group.iter().map(|view| view.end.at).max().unwrap_or_default();
    let axis = Axis::new(begin, end, SHORTEST);
    html! {
        tbody {
            tr.group {
                th scope="rowgroup" { (line(&group[0].scenario)) }
                td { (axis.labels()) }
                td.faint colspan="4" { "begun at " (duration(begin)) }
            }
            @for view in group { (row(report, view, &axis)) }
        }
    }
}

fn row(report: &Report, view: &View<'_>, axis: &Axis) -> Markup {
    let found: Vec<(&Judged, Duration)> = faults(report, view).collect();
    let mut rules: Vec<&Judged> = found.iter().map(|(finding, _)| *finding).collect();
    rules.dedup_by(|one, other| one.rule == other.rule);
    let marks = found.iter().map(|(finding, at)| Fault { at: *at, message: finding.headline() });
    let marks: Vec<Fault> = marks.collect();
    let events: Vec<Duration> = view.events().map(|(_, at)| at).collect();
    let head = view.head.as_ref();
    html! {
        tr.filtered id={ "exchange-" (view.number) } {
            th scope="row" {
                span.number { (view.number) } " " (line(&view.request.label()))
                @if !view.name.is_empty() { span.faint { " " (line(&view.name)) } }
            }
            td.strip { (axis.strip(view, &events, &marks)) }
            td { @match head { Some(head) => (head.status), None => "–" } }
            td.number { @match head {
                Some(head) => (duration(head.at.saturating_sub(view.started))),
                None => "–",
            } }
            td.number { @if view.is_stream() { (count(events.len() as u64)) } @else { "–" } }
            td { (end(view)) }
        }
        @if !rules.is_empty() {
            tr.faults { td colspan="6" { @for finding in rules {
                a href={ "#" (anchor(&finding.rule)) } { (Mark::Bad) " " (line(&finding.rule)) } " "
            } } }
        }
    }
}

/// The failures that show this exchange, and when.
fn faults<'r>(
    report: &'r Report,
    view: &View<'_>,
) -> impl Iterator<Item = (&'r Judged, Duration)> + use<'r> {
    let (number, origin) = (view.number, view.head.as_ref().map_or(view.started, |head| head.at));
    report.unaccepted().flat_map(move |finding| {
        let of = finding.evidence.iter().filter(move |evidence| evidence.exchange == number);
        of.map(move |evidence| (finding, origin + Duration::from_micros(evidence.after_us)))
    })
}

/// The end in a word or two; the picture has the whole sentence.
fn end(view: &Exchange) -> Markup {
    let words = match &view.end.how {
        Ending::Complete => "complete",
        Ending::Disconnected => "open",
        Ending::OverLimit(_) => "too long",
        Ending::TimedOut(_) => "timeout",
        Ending::Unresolved(_) => "name unknown",
        Ending::Unconnected(_) => "no connection",
        Ending::Handshake(_) => "no handshake",
        Ending::Reset | Ending::StreamReset(_) => "reset",
        Ending::GoneAway(_) => "GOAWAY",
        Ending::Truncated => "cut",
        Ending::Malformed(_) => "not HTTP",
        _ => "other",
    };
    html! { @if view.end.how.is_cut() { span.bad { (words) } } @else { (words) } }
}
