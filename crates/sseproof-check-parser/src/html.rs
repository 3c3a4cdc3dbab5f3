//! The report as a page of one file.

use std::collections::BTreeMap;

use maud::{Markup, html};
use sseproof_corpus::Event;
use sseproof_html::{Document, Mark, Section, line, prose, scroll, text};
use sseproof_units::{count, counted};

use crate::judge::Failure;
use crate::report::{Judged, Known, Report, Requirement, Verdict};

/// How many failed cases of a requirement are shown with their events.
const SHOWN: usize = 10;
/// How many chunks, and events, of a case are shown.
const MOST: usize = 100;

/// The page of a check of a parser. The same report always gives the same bytes.
pub fn html(report: &Report) -> String {
    let cases: usize = report.requirements.iter().map(|of| of.cases.len()).sum();
    let asked = format!("{}; {}", counted(cases, "case"), streams(report.questions));
    let not_reported = report.not_reported.join(", ");
    let speed =
        report.speed.iter().map(|one| format!("{} {:.1} MiB/s", one.stream, one.mib_per_second));
    let speed = speed.collect::<Vec<_>>().join(", ");
    let facts = [
        ("parser", report.parser.as_str()),
        ("asked", &asked),
        ("not reported", &not_reported),
        ("speed", &speed),
    ];
    let facts = facts.into_iter().filter(|(_, fact)| !fact.is_empty());
    let mark = match (&report.no_answer, report.is_right()) {
        (Some(_), _) => Mark::Warning,
        (None, true) => Mark::Good,
        (None, false) => Mark::Bad,
    };
    let sections = [
        no_answer(report),
        cut(report),
        broken(report),
        random(report),
        known(report),
        all(report),
    ];
    let document = Document {
        mark,
        verdict: report.verdict(),
        subject: &report.parser,
        facts: facts.map(|(label, fact)| (label, line(fact))).collect(),
        sections: sections.into_iter().flatten().collect(),
        tool: concat!("sseproof ", env!("CARGO_PKG_VERSION")),
    };
    document.render()
}

fn streams(number: u64) -> String {
    format!("{} streams and chunkings", count(number))
}

fn no_answer(report: &Report) -> Option<Section> {
    report.no_answer.as_ref().map(|why| Section {
        id: "no-answer",
        title: "The adapter gave no answer".to_owned(),
        short: String::new(),
        body: html! {
            pre.wrapped tabindex="0" { (text(why)) }
            p { "specs/parser-protocol.md describes the answers of an adapter." }
        },
    })
}

/// One cause that would fail cases of many requirements comes before all of them.
fn cut(report: &Report) -> Option<Section> {
    let failed = report.cut();
    let fed = |failure: &Failure| {
        (failure.chunks.len(), failure.chunks.iter().map(String::len).sum::<usize>())
    };
    let (id, case, failure) = *failed.iter().min_by_key(|(_, _, failure)| fed(failure))?;
    let mut by_requirement: BTreeMap<&str, usize> = BTreeMap::new();
    for (id, ..) in &failed {
        *by_requirement.entry(id).or_default() += 1;
    }
    Some(Section {
        id: "cut",
        title: format!("Right in one piece, wrong when cut: {}", counted(failed.len(), "case")),
        short: format!("cut ({})", failed.len()),
        body: html! {
            p { "The network may cut a stream anywhere, also within a line or a character." }
            div.fix { p { strong { "Fix: " } "Keep what is not complete until the next chunk." } }
            p { "The smallest case, " code { (line(&case.case)) } " of " code { (line(id)) } ": " (prose(&case.about)) }
            (shown(failure))
            details.more {
                summary { "Cases by requirement" }
                table {
                    thead { tr { th scope="col" { "Requirement" } th.right scope="col" { "Cases" } } }
                    tbody { @for (id, count) in by_requirement {
                        tr { th scope="row" { code { (line(id)) } } td.number { (count) } }
                    } }
                }
            }
        },
    })
}

fn broken(report: &Report) -> Option<Section> {
    let new = report.requirements.iter().filter(|of| report.known(&of.requirement).is_none());
    let broken: Vec<(&Requirement, Vec<(&Judged, &Failure)>)> = new
        .map(|of| (of, of.failed().filter(|(_, failure)| !failure.only_when_cut).collect()))
        .filter(|(_, failed): &(_, Vec<_>)| !failed.is_empty())
        .collect();
    (!broken.is_empty()).then(|| Section {
        id: "broken",
        title: format!("Broken: {}", counted(broken.len(), "requirement")),
        short: format!("broken ({})", broken.len()),
        body: html! { @for (of, failed) in broken {
            details.finding.filtered.bad open {
                summary {
                    h3 { (Mark::Bad) " " (line(&of.requirement)) }
                    span.message { (failed.len()) " of " (counted(of.cases.len(), "case")) }
                }
                @for (index, (case, failure)) in failed.iter().take(SHOWN).enumerate() {
                    @if index == 0 {
                        p { code { (line(&case.case)) } ": " (prose(&case.about)) }
                        (shown(failure))
                    } @else {
                        details.more {
                            summary { (line(&case.case)) ": " (line(&case.about)) }
                            (shown(failure))
                        }
                    }
                }
                @if failed.len() > SHOWN {
                    p.faint { "also " (line(&failed[SHOWN..].iter().map(|(case, _)| case.case.as_str()).collect::<Vec<_>>().join(", "))) }
                }
            }
        } },
    })
}

fn random(report: &Report) -> Option<Section> {
    // Streams that were never read have no failure.
    let was_asked = report.no_answer.is_none() && !report.chance.is_empty();
    was_asked.then(|| Section {
        id: "random",
        title: "Random streams".to_owned(),
        short: "random".to_owned(),
        body: html! { @for chance in &report.chance {
            @match &chance.failure {
                None => { p { (Mark::Good) " " (counted(chance.streams, &format!("random {} stream", chance.kind))) " (seed " (chance.seed) ")" } }
                Some(failure) => {
                    p {
                        (Mark::Bad) " random " (line(&chance.kind)) " streams (seed " (chance.seed) "): the smallest that fails"
                        @if failure.only_when_cut { ", right in one piece" }
                        @if report.known(&chance.id()).is_some() { " (known)" }
                    }
                    (shown(failure))
                }
            }
        } },
    })
}

fn known(report: &Report) -> Option<Section> {
    (!report.known.is_empty()).then(|| Section {
        id: "known",
        title: "Known failures".to_owned(),
        short: "known".to_owned(),
        body: html! { ul.plain { @for entry in &report.known { (entry_of(entry)) } } },
    })
}

fn entry_of(entry: &Known) -> Markup {
    let Known { glob, reason, requirements, stale, until, is_over } = entry;
    html! {
        li {
            @if *stale || *is_over { (Mark::Bad) } @else { (Mark::None) }
            " " code { (line(glob)) } ": " (line(reason))
            @if let Some(until) = until { ", until " (line(until)) @if *is_over { ", which is over" } }
            @if *stale { ". Its requirements pass now: remove the entry." }
            @if !requirements.is_empty() { " (" (line(&requirements.join(", "))) ")" }
        }
    }
}

fn all(report: &Report) -> Option<Section> {
    (!report.requirements.is_empty()).then(|| Section {
        id: "requirements",
        title: "All requirements".to_owned(),
        short: "requirements".to_owned(),
        body: html! {
            (scroll("Requirements", &html! { table.sorted {
                thead { tr {
                    th scope="col" { "Requirement" } th scope="col" { "Result" }
                    th.right scope="col" { "Cases" } th.right scope="col" { "Failed" }
                } }
                tbody { @for of in &report.requirements {
                    tr.filtered {
                        th scope="row" { code { (line(&of.requirement)) } }
                        td.result { @match of.verdict() {
                            Verdict::Held => { (Mark::Good) " passed" }
                            Verdict::Broken => { (Mark::Bad) " broken" }
                            Verdict::Unknown => { (Mark::Warning) " not asked" }
                        } }
                        td.number { (of.cases.len()) }
                        td.number { (of.failed().count()) }
                    }
                } }
            } }))
        },
    })
}

/// The chunks that it was fed, and the events.
fn shown(failure: &Failure) -> Markup {
    let rows = failure.expected.len().max(failure.got.as_ref().map_or(0, Vec::len));
    html! {
        p.message { (prose(&failure.what)) }
        p.with { "Fed, chunk by chunk:" }
        pre tabindex="0" { @for (at, chunk) in failure.chunks.iter().take(MOST).enumerate() {
            span.offset { (format!("{:>3}  ", at + 1)) } "b\"" (line(chunk)) "\"\n"
        }
        @if failure.chunks.len() > MOST { "… and " (counted(failure.chunks.len() - MOST, "more chunk")) } }
        (scroll("Events", &html! { table {
            thead { tr { th.right scope="col" { "Event" } th scope="col" { "Expected" } th scope="col" { "Got" } } }
            tbody { @for at in 0..rows.clamp(1, MOST) {
                @let right = failure.expected.get(at);
                @let got = failure.got.as_ref().map(|got| got.get(at));
                tr {
                    th.right.number scope="row" { (at + 1) }
                    td { (event(right)) }
                    td { @match got {
                        None => { span.bad { "no answer" } }
                        Some(got) if got == right => (event(got)),
                        Some(got) => { (Mark::Bad) " " (event(got)) }
                    } }
                }
            } }
        } }))
    }
}

fn event(event: Option<&Event>) -> Markup {
    html! { @match event {
        None => { span.faint { "no event" } }
        Some(event) => {
            code { (line(&format!("{:?}", event.data))) }
            @if let Some(name) = event.event_type.as_deref().filter(|name| *name != "message") {
                " type " code { (line(&format!("{name:?}"))) }
            }
            @if let Some(id) = event.last_event_id.as_deref().filter(|id| !id.is_empty()) {
                " id " code { (line(&format!("{id:?}"))) }
            }
        }
    } }
}
