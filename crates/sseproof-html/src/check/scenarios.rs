//! The user's scenarios, failed ones with the lines of their file.

use maud::{Markup, html};
use sseproof_report::terminal::{position, remark};
use sseproof_report::{Report, ScenarioFailure, ScenarioResult, summary};

use crate::document::{Mark, Section};
use crate::quoted::{line, text};

pub(super) fn section(report: &Report) -> Option<Section> {
    let counts = summary::scenarios(report);
    (!report.scenarios.is_empty()).then(|| Section {
        id: "scenarios",
        title: format!("Scenarios: {counts}"),
        short: "scenarios".to_owned(),
        body: html! { @for scenario in &report.scenarios { (one(scenario)) } },
    })
}

fn one(scenario: &ScenarioResult) -> Markup {
    let mark = match (scenario.failures.is_empty(), &scenario.skipped) {
        (false, _) => Mark::Bad,
        (true, Some(_)) => Mark::None,
        (true, None) => Mark::Good,
    };
    html! {
        div.scenario.filtered {
            p { (mark) " " strong { (line(&scenario.name)) } " " span.faint { (line(&remark(scenario))) } }
            @for failure in &scenario.failures { (failed(failure)) }
        }
    }
}

fn failed(failure: &ScenarioFailure) -> Markup {
    let digits = failure.shown.last().map_or(0, |line| line.number.to_string().len());
    html! {
        p.place { (line(&position(failure))) ": " (line(&failure.step)) }
        pre tabindex="0" { (text(&failure.message)) }
        @if !failure.shown.is_empty() {
            pre tabindex="0" { @for shown in &failure.shown {
                span.offset { (format!("{:>digits$} | ", shown.number)) }
                @if shown.number == failure.line { mark { (line(&shown.text)) } }
                @else { (line(&shown.text)) }
                "\n"
            } }
        }
    }
}
