//! The page of two results of a load: conditions that differ, then the changes, the worst first.

use maud::{Markup, html};
use sseproof_load_model::compare::Ratio;
use sseproof_report::load::diff::{Change, Kind, LoadDiff, Pair, row};
use sseproof_units::{counted, list};

use crate::check::mark;
use crate::document::{Document, Mark, Section, scroll};
use crate::load::thresholds;
use crate::quoted::line;
use crate::svg::{Scale, n};

/// In pixels.
const WIDTH: f64 = 260.0;
const HEIGHT: f64 = 20.0;

/// The page of a comparison. The same results always give the same bytes.
pub fn page(diff: &LoadDiff) -> String {
    let plans = [&diff.old, &diff.new].map(|report| {
        let run = report.outcomes.first().map(|outcome| &outcome.run);
        run.map_or_else(String::new, |run| {
            let started = run.started.split('.').next().unwrap_or_default();
            format!("{}, {} {started}", run.plan, report.tool)
        })
    });
    let pairs = diff.pairs();
    let judged = diff.judged();
    let sections = [thresholds(&judged), Some(conditions(diff)), changes(&pairs)];
    let document = Document {
        mark: mark(diff.verdict()),
        verdict: diff.verdict_words(),
        subject: "two results of a load",
        facts: vec![("before", line(&plans[0])), ("after", line(&plans[1]))],
        sections: sections.into_iter().flatten().collect(),
        tool: &diff.new.tool,
    };
    document.render()
}

fn conditions(diff: &LoadDiff) -> Section {
    let differs = diff.conditions();
    let silent = diff.silent();
    Section {
        id: "conditions",
        title: "Conditions".to_owned(),
        short: "conditions".to_owned(),
        body: html! {
            @if differs.is_empty() {
                p { "Plan, server and machine are the same, as far as is known." }
            } @else {
                p { (Mark::Warning) " Made under different conditions, which may be the cause of changes:" }
                (scroll("Conditions", &html! { table {
                    thead { tr { th scope="col" { "Condition" } th scope="col" { "Before" } th scope="col" { "After" } } }
                    tbody { @for (name, old, new) in &differs {
                        tr { th scope="row" { (line(&name.replace('.', " "))) } td { (line(old)) } td { (line(new)) } }
                    } }
                } }))
            }
            @if !silent.is_empty() {
                p.faint { "The " (list(&silent)) " result does not say with which clients and on which machine it was made." }
            }
        },
    }
}

fn changes(pairs: &[Pair]) -> Option<Section> {
    (!pairs.is_empty()).then(|| Section {
        id: "changes",
        title: "Changes".to_owned(),
        short: "changes".to_owned(),
        body: html! { @for pair in pairs { (one(pair)) } },
    })
}

fn one(pair: &Pair) -> Markup {
    let (changed, same): (Vec<Change>, Vec<Change>) =
        pair.changes().into_iter().partition(|change| change.kind != Kind::Same);
    let (old, new) = (counted(pair.old.len(), "round"), counted(pair.new.len(), "round"));
    html! {
        h3 { (pair.name) ": " (old) " before, " (new) " after" }
        @if let Some(why) = pair.caution() { p.warning { (Mark::Warning) " " (line(&why)) } }
        @if changed.is_empty() {
            p { (Mark::Good) " No change was shown in " (counted(same.len(), "value")) "." }
        } @else { (table(&changed)) }
        @if !same.is_empty() {
            details.more {
                summary { (counted(same.len(), "value")) " without a change" }
                (table(&same))
            }
        }
    }
}

fn table(changes: &[Change]) -> Markup {
    let scale = scale(changes);
    html! {
        (scroll("Changes", &html! { table.sorted {
            thead { tr {
                th scope="col" { "Value" } th.right scope="col" { "Before" } th.right scope="col" { "After" }
                th scope="col" { "Ratio" } th scope="col" { "Ratio and its interval" } th scope="col" { "Change" }
            } }
            tbody { @for change in changes {
                @let cells = row(change);
                tr.filtered {
                    th scope="row" { code { (line(&cells[0])) } }
                    td.number { (line(&cells[1])) }
                    td.number { (line(&cells[2])) }
                    td { (line(&cells[3])) }
                    td { @if let Ok(ratio) = change.comparison.ratio { (picture(&scale, &ratio, change.kind)) } }
                    td { @match change.kind {
                        Kind::Worse => { span.bad { (Mark::Bad) " worse" } }
                        Kind::Better => { span.good { (Mark::Good) " better" } }
                        Kind::Other => "changed",
                        Kind::Same => "–",
                    } }
                }
            } }
        } }))
    }
}

/// As far to both sides of 1.
fn scale(changes: &[Change]) -> Scale {
    let far = |value: f64| if value > 0.0 { value.ln().abs() } else { 0.0 };
    let ratios = changes.iter().filter_map(|change| change.comparison.ratio.ok());
    let ends = ratios.flat_map(|ratio| {
        let (low, high) = ratio.interval.unwrap_or((ratio.value, ratio.value));
        [low, high, ratio.value]
    });
    // A hundredfold change would make all others a point.
    let most = ends.map(far).fold(0.1, f64::max).min(100f64.ln()) * 1.05;
    Scale::Linear { values: (-most, most), pixels: (4.0, WIDTH - 4.0) }
}

fn picture(scale: &Scale, ratio: &Ratio, kind: Kind) -> Markup {
    let at = |value: f64| scale.at(value.max(1e-9).ln());
    let (low, high) = ratio.interval.unwrap_or((ratio.value, ratio.value));
    let class = match kind {
        Kind::Worse => "worse",
        Kind::Better => "better",
        Kind::Other | Kind::Same => "same",
    };
    html! {
        svg.ratio aria-hidden="true" viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } width=(WIDTH) height=(HEIGHT) {
            path.axis d={ "M" (n(at(1.0))) " 0V" (HEIGHT) } {}
            path.(class) d={ "M" (n(at(low))) " 10H" (n(at(high))) "M" (n(at(low))) " 6v8M" (n(at(high))) " 6v8" } {}
            circle.(class) cx=(n(at(ratio.value))) cy="10" r="3.5" {}
        }
    }
}
