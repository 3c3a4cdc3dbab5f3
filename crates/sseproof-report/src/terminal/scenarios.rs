//! The user's scenarios: one line each, and failures with the lines of the file.

use std::time::Duration;

use sseproof_units::{counted, duration, inert};

use super::{Detail, Page};
use crate::paint::Ink;
use crate::text::{columns, truncate};
use crate::{Report, ScenarioFailure, ScenarioResult};

/// How many scenarios are listed without --verbose, besides failed ones.
const LISTED: usize = 8;

/// The scenarios; in quiet mode, or if there are many, only the failed ones.
pub(super) fn write(page: &mut Page, report: &Report) {
    let is_all = match page.detail {
        Detail::Quiet => false,
        Detail::Normal => report.scenarios.len() <= LISTED,
        Detail::Verbose => true,
    };
    let shown = report
        .scenarios
        .iter()
        .filter(|scenario| is_all || !scenario.failures.is_empty())
        .collect::<Vec<_>>();
    if shown.is_empty() {
        return;
    }
    page.gap();
    page.text(0, Ink::Plain, "scenarios");
    for scenario in shown {
        one(page, scenario);
    }
}

pub(super) fn one(page: &mut Page, scenario: &ScenarioResult) {
    let (mark, ink) = match (scenario.failures.is_empty(), &scenario.skipped) {
        (false, _) => ("✗", Ink::Bad),
        (true, Some(_)) => ("–", Ink::Faint),
        (true, None) => ("✓", Ink::Good),
    };
    page.titled(mark, ink, &scenario.name, &remark(scenario));
    for failure in &scenario.failures {
        write_failure(page, failure);
    }
}

/// `late.yaml, 3 of 5 steps, 1.204 s`.
pub fn remark(scenario: &ScenarioResult) -> String {
    let mut parts = vec![scenario.file.clone()];
    if let Some(why) = &scenario.skipped {
        parts.push(format!("skipped: {why}"));
        return parts.join(", ");
    }
    parts.push(if scenario.steps_taken < scenario.steps {
        format!("{} of {} steps", scenario.steps_taken, scenario.steps)
    } else {
        counted(scenario.steps, "step")
    });
    parts.push(duration(Duration::from_millis(scenario.duration_ms)));
    parts.retain(|part| !part.is_empty());
    parts.join(", ")
}

/// `late.yaml:12:5`, as far as it is known.
pub fn position(failure: &ScenarioFailure) -> String {
    match (failure.line, failure.column) {
        (0, _) => failure.file.clone(),
        (line, 0) => format!("{}:{line}", failure.file),
        (line, column) => format!("{}:{line}:{column}", failure.file),
    }
}

fn write_failure(page: &mut Page, failure: &ScenarioFailure) {
    let place = position(failure);
    let separator = if place.is_empty() || failure.step.is_empty() { "" } else { ": " };
    page.text(2, Ink::Strong, &format!("{place}{separator}{}", failure.step));
    page.text(4, Ink::Plain, &failure.message);
    let digits = failure.shown.last().map_or(0, |line| line.number.to_string().len());
    for line in &failure.shown {
        let room = page.width.saturating_sub(6 + digits + 3);
        let text = truncate(&line.text, room);
        page.verbatim(6, Ink::Faint, &format!("{:>digits$} | {text}", line.number));
        if line.number == failure.line && failure.column > 0 {
            let before: String = line.text.chars().take(failure.column - 1).collect();
            let at = columns(&inert(&before));
            if at < room {
                page.verbatim(6, Ink::Bad, &format!("{:>digits$} | {}^", "", " ".repeat(at)));
            }
        }
    }
}
