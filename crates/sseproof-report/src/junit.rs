//! A report as JUnit XML, for CI systems: a suite for each family of rules and for each file of
//! scenarios, a case for each rule and scenario.
//!
//! JUnit has no warnings. A broken rule that is not an error is written as skipped: CI systems show
//! its message then, and stay green.

use std::time::Duration;

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};
use sseproof_units::inert;

use crate::summary::embedded;
use crate::terminal::{Detail, Options, failure_text, scenario_text};
use crate::{Judged, KnownResult, Report, ScenarioResult, Standing};

const TEXT: Options = Options { width: 100, rows: None, colour: false, detail: Detail::Normal };

pub fn render(report: &Report) -> String {
    let mut junit = quick_junit::Report::new(match report.embedded {
        true => format!("sseproof: {}", embedded(report)),
        false => "sseproof".to_owned(),
    });
    junit.set_time(Duration::from_millis(report.duration_ms));
    junit.add_test_suites(families(report));
    junit.add_test_suites(files(report));
    junit.add_test_suites(run(report));
    match junit.to_string() {
        Ok(text) => inert(&text),
        // Only an I/O error is possible, and a string has none; an empty report would hide
        // failures.
        Err(error) => unreachable!("a string takes every report: {error}"),
    }
}

fn families(report: &Report) -> Vec<TestSuite> {
    suites(report.findings.iter().map(|finding| {
        let family = finding.family();
        let mut case = TestCase::new(finding.rule.as_str(), status(report, finding));
        case.set_classname(format!("sseproof.{family}"));
        if report.standing(finding) == Standing::Held && !finding.note.is_empty() {
            case.set_system_out(inert(&finding.note));
        }
        (family, case)
    }))
}

/// The cases in suites of these names, in the order of their first cases.
fn suites<'r>(cases: impl Iterator<Item = (&'r str, TestCase)>) -> Vec<TestSuite> {
    let mut suites: Vec<(&str, TestSuite)> = Vec::new();
    for (name, case) in cases {
        let index = suites.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
            suites.push((name, TestSuite::new(name)));
            suites.len() - 1
        });
        suites[index].1.add_test_case(case);
    }
    suites.into_iter().map(|(_, suite)| suite).collect()
}

fn status(report: &Report, finding: &Judged) -> TestCaseStatus {
    let text = || failure_text(report, finding, &TEXT);
    match report.standing(finding) {
        Standing::Held => TestCaseStatus::success(),
        Standing::Broken => failure(&finding.headline(), &finding.level_words(), &text()),
        Standing::Warned => {
            let mut status = skipped(&finding.level_words(), &finding.headline());
            status.set_description(text());
            status
        }
        Standing::Known => {
            let entry = report.known_entry(&finding.rule);
            let acceptance = entry.map(KnownResult::acceptance).unwrap_or_default();
            let mut status = skipped("known to fail", &acceptance);
            status.set_description(text());
            status
        }
        Standing::Inconclusive => skipped("inconclusive", &finding.note),
        Standing::Skipped => skipped("skipped", &finding.note),
    }
}

fn files(report: &Report) -> Vec<TestSuite> {
    suites(report.scenarios.iter().map(|scenario| {
        let mut case = TestCase::new(inert(&scenario.name), scenario_status(scenario));
        case.set_classname("sseproof.scenario");
        case.set_time(Duration::from_millis(scenario.duration_ms));
        (scenario.file.as_str(), case)
    }))
}

fn scenario_status(scenario: &ScenarioResult) -> TestCaseStatus {
    match (scenario.failures.first(), &scenario.skipped) {
        (Some(first), _) => {
            let message = format!("{}: {}", first.step, first.message.replace('\n', "; "));
            failure(&message, "expectation", &scenario_text(scenario, &TEXT))
        }
        (None, Some(why)) => skipped("skipped", why),
        (None, None) => TestCaseStatus::success(),
    }
}

/// Errors of the run that belong to no rule and no scenario.
fn run(report: &Report) -> Option<TestSuite> {
    let mut suite = TestSuite::new("run");
    let mut add = |name: &str, message: &str, kind: &str| {
        let mut case = TestCase::new(name, failure(message, kind, message));
        case.set_classname("sseproof.run");
        suite.add_test_case(case);
    };
    if let Some(why) = &report.partial {
        add("the run is complete", &format!("the run ended early: {why}"), "partial");
    }
    if let Some(why) = &report.unproven {
        add("the run read events", why, "unproven");
    }
    for entry in report.known.iter().filter(|entry| entry.stale) {
        let message = "the rules of this entry pass now: remove it from the list of known failures";
        add(&format!("known failure {}", entry.glob), message, "stale");
    }
    for (entry, over) in report.over() {
        add(&format!("known failure {}", entry.glob), &over, "over");
    }
    (!suite.test_cases.is_empty()).then_some(suite)
}

fn failure(message: &str, kind: &str, text: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_message(inert(message)).set_type(kind).set_description(text);
    status
}

fn skipped(what: &str, why: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    let message = if why.is_empty() { what.to_owned() } else { format!("{what}: {why}") };
    status.set_message(inert(&message));
    status
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Outcome;
    use crate::examples::example;

    #[test]
    fn a_broken_run() {
        insta::assert_snapshot!(render(&example("broken")));
    }

    #[test]
    fn a_run_of_the_embedded_server_says_so() {
        let names = ["held", "embedded"].map(|name| {
            let read = quick_junit::Report::deserialize_from_str(&render(&example(name))).unwrap();
            read.name.unwrap().to_string()
        });
        assert_eq!(names, ["sseproof", "sseproof: the embedded reference server, not yours"]);
    }

    #[test]
    fn every_report_is_read_again_and_fails_exactly_when_the_run_is_not_held() {
        let all = [
            "broken",
            "held",
            "embedded",
            "until",
            "partial",
            "quiet_failure",
            "strict",
            "unknown",
        ]
        .map(example);
        for report in all.into_iter().chain([Report::default()]) {
            let text = render(&report);
            let read = quick_junit::Report::deserialize_from_str(&text).unwrap();
            let failed = read.failures + read.errors > 0;
            assert_eq!(failed, report.outcome() != Outcome::Held, "{text}");
            assert!(text.chars().all(|char| matches!(char, '\n' | ' '..)), "{text:?}");
        }
    }
}
