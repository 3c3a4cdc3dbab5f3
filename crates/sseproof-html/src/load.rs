//! The page of a load: verdict and thresholds, doubts about the results, then the charts.

mod bars;
mod grid;
mod memory;
mod percentiles;
mod time;

use maud::{Markup, html};
use sseproof_load_model::threshold::Limit;
use sseproof_report::load::side::{Side, sides};
use sseproof_report::load::{JudgedThreshold, LoadReport, facts, sides_compared, summary};
use sseproof_units::{count, counted};

use crate::check::mark;
use crate::document::{Document, Mark, Section, scroll};
use crate::quoted::{line, prose};

pub(crate) use grid::grid;

/// The page of a load. The same result always gives the same bytes.
pub fn page(report: &LoadReport) -> String {
    let sides = sides(&report.outcomes);
    let run = report.outcomes.first().map(|outcome| &outcome.run);
    let (plan, started) = run.map_or(("", ""), |run| (&*run.plan, &*run.started));
    let names: Vec<_> = sides.iter().map(|side| side.name.clone()).collect();
    let [sides_named, urls] = [sseproof_units::list(&names), urls(report)];
    let rounds = counted(report.outcomes.len(), "round");
    // Fractions of a second say nothing to a reader.
    let started = started.split('.').next().unwrap_or_default();
    let facts = [
        ("server", urls.as_str()),
        ("transports", if names.is_empty() { "" } else { &sides_named }),
        ("plan", plan),
        ("started", started),
        ("played", if names.is_empty() { "" } else { &rounds }),
    ];
    let facts = facts.into_iter().filter(|(_, fact)| !fact.is_empty());
    let sections = [
        thresholds(&report.judged),
        doubts(report),
        answer(&sides),
        time::section(&sides),
        percentiles::section(&sides),
        memory::section(&sides),
        bars::section(&sides),
        figures(&sides),
        conditions(report),
        parts(report),
    ];
    let document = Document {
        mark: mark(report.verdict()),
        verdict: report.verdict_words(),
        subject: if plan.is_empty() { "load" } else { plan },
        facts: facts.map(|(label, fact)| (label, line(fact))).collect(),
        sections: sections.into_iter().flatten().collect(),
        tool: &report.tool,
    };
    document.render()
}

fn urls(report: &LoadReport) -> String {
    let mut urls: Vec<&str> = Vec::new();
    for outcome in &report.outcomes {
        if !urls.contains(&&*outcome.run.url) {
            urls.push(&outcome.run.url);
        }
    }
    urls.join(", ")
}

/// Crossed ones first.
pub(crate) fn thresholds(judged: &[JudgedThreshold]) -> Option<Section> {
    let mut judged: Vec<_> = judged.iter().collect();
    judged.sort_by_key(|one| (!one.is_crossed(), one.judgement.passes()));
    let sign = |one: &JudgedThreshold| match (one.is_crossed(), one.judgement.passes()) {
        (true, _) => (Mark::Bad, "crossed"),
        (false, true) => (Mark::Good, "not crossed"),
        (false, false) => (Mark::Warning, "no data"),
    };
    (!judged.is_empty()).then(|| Section {
        id: "thresholds",
        title: format!("Thresholds: {}", judged.len()),
        short: "thresholds".to_owned(),
        body: html! {
            (scroll("Thresholds", &html! { table {
                thead { tr {
                    th scope="col" { "Fail if" } th scope="col" { "Result" }
                    th.right scope="col" { "Measured" } th.right scope="col" { "Limit" }
                } }
                tbody { @for one in judged {
                    @let (mark, words) = sign(one);
                    tr {
                        th scope="row" { code { (line(&format!("{}{}", one.of(), one.threshold))) } }
                        td.(mark.class()) { (mark) " " (words) }
                        td.number { (line(&one.seen())) }
                        td.number { @match one.threshold.limit {
                            Limit::Value(limit) => (limit.to_string()),
                            Limit::Change(share) => (format!("{:+.0}%", share * 100.0)),
                        } }
                    }
                } }
            } }))
        },
    })
}

/// The doubts about the results; saturation of the generator among it.
fn doubts(report: &LoadReport) -> Option<Section> {
    let doubts = report.doubts();
    (!doubts.is_empty()).then(|| Section {
        id: "doubts",
        title: "Doubts about the results".to_owned(),
        short: "doubts".to_owned(),
        body: html! { @for doubt in doubts {
            div.doubt {
                p { (Mark::Warning) " " strong { (line(&doubt.title)) } }
                ul { @for reason in &doubt.reasons { li { (line(reason)) } } }
                p { (prose(doubt.meaning)) }
            }
        } },
    })
}

/// The answer in six rows.
fn answer(sides: &[Side<'_>]) -> Option<Section> {
    let body = match sides {
        [] => return None,
        [side] => html! {
            table {
                tbody { @for (label, value) in summary::one(side) {
                    tr {
                        th scope="row" { (label) }
                        td { @match value {
                            Ok(value) => (line(&value)),
                            Err(why) => { span.faint { (line(&why)) } }
                        } }
                    }
                } }
            }
        },
        sides => html! {
            (grid("Median, or median and 99th percentile", &summary::several(sides)))
            @for why in summary::reasons(sides) { p.faint { (prose(&why)) } }
            @if let Some(method) = sides_compared::ratio_method(sides) { p.faint { (line(&method)) } }
        },
    };
    let body = html! {
        @if let Some(conclusion) = summary::conclusion(sides) {
            p { strong { (line(&conclusion)) } }
        }
        (body)
    };
    Some(Section { id: "answer", title: "The answer".to_owned(), short: "answer".to_owned(), body })
}

/// All figures of each side.
fn figures(sides: &[Side<'_>]) -> Option<Section> {
    (!sides.is_empty()).then(|| Section {
        id: "figures",
        title: "All figures".to_owned(),
        short: "figures".to_owned(),
        body: html! { @for side in sides { (of_side(side)) } },
    })
}

fn of_side(side: &Side<'_>) -> Markup {
    let errors = facts::errors(side);
    let costs = facts::costs(side);
    html! {
        h3 { (line(&side.name)) }
        dl.rows { @for of in facts::facts(side) {
            div {
                dt { (of.label) }
                dd {
                    @for bad in &of.bad { p.warning { (Mark::Warning) " " (line(bad)) } }
                    @if !of.parts.is_empty() { p { (line(&of.parts.join(" · "))) } }
                }
            }
        } }
        @if !errors.is_empty() {
            table {
                caption { "Errors" }
                thead { tr { th scope="col" { "Error" } th.right scope="col" { "Count" } th scope="col" { "Meaning" } } }
                tbody { @for (key, number, meaning) in errors {
                    tr { th scope="row" { (line(&key)) } td.number { (count(number)) } td { (line(&meaning)) } }
                } }
            }
        }
        @if !costs.is_empty() {
            (scroll("Costs", &html! { table {
                caption { "Costs" @if let Some(method) = facts::method(side) { ": " (line(&method)) } }
                thead { tr { th scope="col" { "Figure" } th.right scope="col" { "Value" } th scope="col" { "Meaning" } } }
                tbody { @for [key, value, words] in costs {
                    tr { th scope="row" { code { (line(&key)) } } td.number { (line(&value)) } td { (line(&words)) } }
                } }
            } }))
        }
        @for why in facts::missing(side) { p.faint { "Not measured: " (prose(&why)) } }
    }
}

/// The plan, the server and the machine.
fn conditions(report: &LoadReport) -> Option<Section> {
    let run = &report.outcomes.first()?.run;
    let known = [
        ("plan.name", &run.plan),
        ("plan.stamp", &run.stamp),
        ("plan.sequence", &run.sequence),
        ("server.URL", &run.url),
    ];
    let known = known.into_iter().filter(|(_, value)| !value.is_empty());
    let known = known.map(|(name, value)| (name.to_owned(), value.clone()));
    let all = known.chain(run.conditions.clone());
    Some(Section {
        id: "plan",
        title: "Plan and conditions".to_owned(),
        short: "plan".to_owned(),
        body: html! {
            table { tbody { @for (name, value) in all {
                tr { th scope="row" { (line(&name.replace('.', " "))) } td { (line(&value)) } }
            } } }
            @for found in &run.found { p.faint { (prose(found)) } }
        },
    })
}

/// The parts of the generator, if it had several.
fn parts(report: &LoadReport) -> Option<Section> {
    let shards = || {
        report
            .outcomes
            .iter()
            .flat_map(|outcome| outcome.run.shards.iter().map(move |shard| (&outcome.run, shard)))
    };
    (shards().any(|(_, shard)| shard.of > 1)).then(|| Section {
        id: "parts",
        title: "Parts of the generator".to_owned(),
        short: "parts".to_owned(),
        body: html! { table {
            thead { tr { th scope="col" { "Round" } th scope="col" { "Part" } th scope="col" { "Result" } } }
            tbody { @for (run, shard) in shards() {
                tr {
                    th scope="row" { (line(&run.spoken())) ", round " (run.round) }
                    td { (shard.index.saturating_add(1)) " of " (shard.of) }
                    td { @if shard.complete { (Mark::Good) " complete" } @else { (Mark::Bad) " did not finish" } }
                }
            } }
        } },
    })
}
