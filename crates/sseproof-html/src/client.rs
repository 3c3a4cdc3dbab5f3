//! The page of a client: as that of a server, with a timeline of each case that shows a fault.

use std::time::Duration;

use maud::{Markup, html};
use sseproof_client_rules::{Asked, Call, CaseRecord, ClientRecord, Ended, Entry, How, What};
use sseproof_report::{Judged, Report};
use sseproof_rules::Evidence;
use sseproof_units::{counted, duration};

use crate::check::findings::anchor;
use crate::check::render;
use crate::check::waterfall::strip::{Axis, Fault, HEIGHT, MIDDLE, WIDTH, cut, sample};
use crate::document::{Mark, Section, scroll};
use crate::quoted::line;
use crate::svg::n;

/// How many cases have a timeline.
const CASES: usize = 60;
/// How many requests of a case, and how many calls of the client.
const ROWS: usize = 60;
const CALLS: usize = 400;
const SHORTEST: Duration = Duration::from_millis(20);

/// The page of a check of a client.
///
/// It has no times but those of the record, so a recording always gives the same bytes.
pub fn page(report: &Report, record: &ClientRecord) -> String {
    let entries = || record.cases.iter().flat_map(|case| &case.entries);
    let begin = entries().map(|entry| entry.at_us).min().unwrap_or_default();
    let end = entries().map(|entry| entry.at_us).max().unwrap_or_default();
    let lasted = Duration::from_micros(end.saturating_sub(begin));
    render(report, lasted, section(report, record))
}

fn section(report: &Report, record: &ClientRecord) -> Option<Section> {
    let failed = |case: &&CaseRecord| !case.entries.is_empty() && !rules(report, case).is_empty();
    let cases: Vec<&CaseRecord> = record.cases.iter().filter(failed).collect();
    (!cases.is_empty()).then(|| Section {
        id: "cases",
        title: format!("Timelines of {} with a fault", counted(cases.len(), "case")),
        short: "timelines".to_owned(),
        body: html! {
            ul.legend {
                li { (sample("head")) " a request arrives" }
                li { (sample("body")) " its response is open" }
                li { (sample("cut")) " the server cuts it" }
                li { (sample("event")) " a call of the client" }
                li { (sample("fault")) " a fault" }
            }
            (scroll("Timelines", &html! { table.waterfall {
                thead { tr {
                    th scope="col" { "Request" } th scope="col" { "Time" }
                    th.right scope="col" { "After" } th scope="col" { "End, or calls" }
                } }
                @for case in cases.iter().take(CASES) { (rows(report, case)) }
            } }))
            @if cases.len() > CASES { p.faint { "… and " (counted(cases.len() - CASES, "more case")) } }
        },
    })
}

/// The rules that this case breaks.
fn rules<'r>(report: &'r Report, case: &CaseRecord) -> Vec<&'r Judged> {
    let is_its = |finding: &&Judged| finding.evidence.iter().any(|one| one.scenario == case.case);
    report.unaccepted().filter(is_its).collect()
}

fn rows(report: &Report, case: &CaseRecord) -> Markup {
    let rules = rules(report, case);
    let begin = case.entries.first().map_or(Duration::ZERO, Entry::at);
    let end = case.entries.iter().map(Entry::at).max().unwrap_or(begin);
    let axis = Axis::new(begin, end, SHORTEST);
    let asked: Vec<(Duration, &Asked)> = case
        .entries
        .iter()
        .filter_map(|entry| match &entry.what {
            What::Asked(asked) => Some((entry.at(), asked)),
            _ => None,
        })
        .collect();
    let more = asked.len().saturating_sub(ROWS);
    html! {
        tbody {
            tr.group {
                th scope="rowgroup" { (line(&case.case)) }
                td { (axis.labels()) }
                td colspan="2" { @for finding in &rules {
                    a href={ "#" (anchor(&finding.rule)) } { (Mark::Bad) " " (line(&finding.rule)) } " "
                } }
            }
            @for (at, asked) in asked.iter().take(ROWS) {
                @let ended = ended(case, asked.number);
                tr {
                    th scope="row" {
                        span.number { (asked.number) } " " (line(&asked.request.label()))
                        @if let Some(id) = asked.request.last_event_id() {
                            span.faint { " last-event-id " (line(&id.escaped())) }
                        }
                    }
                    td { (request(&axis, *at, ended, &faults(&rules, case, asked.number))) }
                    td.number { (duration(at.saturating_sub(begin))) }
                    td { (how(ended.map(|(_, how)| how))) }
                }
            }
            @if more > 0 { tr { th scope="row" { "… and " (counted(more, "more request")) } td colspan="3" {} } }
            tr {
                th scope="row" { "calls of the client" }
                td { (calls(&axis, case, &faults(&rules, case, 0))) }
                td {}
                td { (counts(case)) }
            }
        }
    }
}

/// When the response to the request ended, and how.
fn ended(case: &CaseRecord, number: u64) -> Option<(Duration, How)> {
    case.entries.iter().find_map(|entry| match &entry.what {
        What::Ended(Ended { number: of, how }) if *of == number => Some((entry.at(), *how)),
        _ => None,
    })
}

/// The faults of a request: when each shows, and its message. Those of calls have no request (0).
fn faults(rules: &[&Judged], case: &CaseRecord, number: u64) -> Vec<Fault> {
    let begin = case.entries.first().map_or(Duration::ZERO, Entry::at);
    let all = rules.iter().flat_map(|finding| &finding.evidence);
    let of = all.filter(|one| {
        let is_of_request = one.place == "request" || one.place.starts_with("header ");
        let is_its = is_of_request && u64::try_from(one.exchange) == Ok(number);
        one.scenario == case.case && (is_its || !is_of_request && number == 0)
    });
    let fault = |one: &Evidence| Fault {
        at: begin + Duration::from_micros(one.after_us),
        message: one.message.clone(),
    };
    of.map(fault).collect()
}

fn how(how: Option<How>) -> Markup {
    html! { @match how {
        Some(How::Complete) => "complete",
        Some(How::Closed) => { span.bad { "closed by the server" } }
        Some(How::Reset) => { span.bad { "reset by the server" } }
        Some(How::Disconnected) => "the client disconnected",
        None => "open",
    } }
}

fn request(axis: &Axis, at: Duration, ended: Option<(Duration, How)>, faults: &[Fault]) -> Markup {
    let start = axis.at(at);
    let end = ended.map_or(WIDTH - 1.0, |(at, _)| axis.at(at));
    let is_cut = matches!(ended, Some((_, How::Closed | How::Reset)));
    axis.framed(
        "a request",
        &html! {
            path.body d={ "M" (n(start)) " " (MIDDLE) "H" (n(end)) } {}
            path.head d={ "M" (n(start)) " 1V" (HEIGHT - 1.0) } {}
            @if is_cut { (cut(end)) }
        },
        faults,
    )
}

fn calls(axis: &Axis, case: &CaseRecord, faults: &[Fault]) -> Markup {
    let calls = case.entries.iter().filter_map(|entry| match &entry.what {
        What::Called { call, .. } => Some((entry.at(), call)),
        _ => None,
    });
    axis.framed(
        "calls of the client",
        &html! { @for (at, call) in calls.take(CALLS) {
            @let x = n(axis.at(at));
            g.tip {
                title { (name(call)) }
                @match call {
                    Call::Event(_) | Call::Comment(_) => { path.event d={ "M" (x) " 4V16" } {} }
                    Call::Error(_) => { path.cut d={ "M" (x) " 3V17" } {} }
                    Call::Open(_) | Call::Closed(_) => { path.head d={ "M" (x) " 6V14" } {} }
                }
            }
        } },
        faults,
    )
}

fn name(call: &Call) -> &'static str {
    match call {
        Call::Open(_) => "open",
        Call::Event(_) => "event",
        Call::Comment(_) => "comment",
        Call::Error(_) => "error",
        Call::Closed(_) => "closed",
    }
}

/// `2 events and 1 error`.
fn counts(case: &CaseRecord) -> Markup {
    let count = |of: &str| {
        let is_it = |what: &What| matches!(what, What::Called { call, .. } if name(call) == of);
        case.entries.iter().filter(|entry| is_it(&entry.what)).count()
    };
    let all = ["open", "event", "comment", "error", "closed"].map(|of| (of, count(of)));
    let words = all.into_iter().filter(|(_, count)| *count > 0).map(|(of, count)| match of {
        "open" | "closed" => format!("{count} × {of}"),
        of => counted(count, of),
    });
    html! { (words.collect::<Vec<_>>().join(", ")) }
}
