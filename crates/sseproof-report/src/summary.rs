//! The verdict, the counts and the measures in words: the same in every report for people.

use std::time::Duration;

use sseproof_units::{Value, counted, list};

use crate::{Outcome, Report, Spread, Standing, Subject};

/// The name of the embedded reference in all reports: a green verdict on it says nothing about the
/// reader's server or client.
pub const fn embedded(report: &Report) -> &'static str {
    match report.subject {
        Subject::Server => "the embedded reference server, not yours",
        Subject::Client => "the embedded reference client, not yours",
    }
}

/// How many broken rules the verdict names.
const NAMED: usize = 3;

/// `broken: 1 must (stream/utf8) and 2 scenarios`, as a fragment that opens a line.
pub fn verdict(report: &Report) -> String {
    let verdict = outcome(report);
    if report.embedded { format!("{verdict} ({})", embedded(report)) } else { verdict }
}

fn outcome(report: &Report) -> String {
    let counts = report.counts();
    let early = report.partial.as_ref().map(|why| format!("the run ended early: {why}"));
    let early = early.or_else(|| report.unproven.clone());
    let mut broken = some(&[(counts.must, "must")]);
    let should = some(&[(counts.should, "should")]);
    let mut lax = Vec::new();
    if report.strict {
        broken.extend(should)
    } else {
        lax.extend(should)
    };
    lax.extend(some(&[(counts.advice, "advice")]));
    if !broken.is_empty() {
        broken = vec![format!("{}{}", list(&broken), names(report))];
    }
    if counts.scenarios_failed > 0 {
        broken.push(counted(counts.scenarios_failed, "scenario"));
    }
    if counts.stale_known > 0 {
        broken.push(counted(counts.stale_known, "stale known failure"));
    }
    let asked = counts.held + counts.known + counts.scenarios_held > 0;
    match (report.outcome(), early) {
        (Outcome::Unproven, early) => format!("inconclusive: {}", early.unwrap_or_default()),
        (Outcome::Broken, early) => {
            let mut parts = vec![format!("broken: {}", list(&broken))];
            parts.extend((!lax.is_empty()).then(|| format!("{} not met", list(&lax))));
            parts.extend(early);
            parts.join("; ")
        }
        (Outcome::Held, _) if !lax.is_empty() => {
            let hint = if counts.should > 0 { " (--strict fails on should)" } else { "" };
            format!("passed: no must broken; {} not met{hint}", list(&lax))
        }
        (Outcome::Held, _) if !asked => "passed, but every rule was skipped".to_owned(),
        (Outcome::Held, _) => "passed".to_owned(),
    }
}

/// ` (stream/utf8, stream/bom and 3 more)`: the rules that are errors, the worst first.
fn names(report: &Report) -> String {
    let failed = report.failed();
    let broken: Vec<_> =
        failed.iter().filter(|found| report.standing(found) == Standing::Broken).collect();
    let mut names: Vec<_> = broken.iter().take(NAMED).map(|found| found.rule.clone()).collect();
    if broken.len() > NAMED {
        names.push(format!("{} more", broken.len() - NAMED));
    }
    format!(" ({})", list(&names))
}

/// `2 passed · 1 failed`; empty without scenarios of the user.
pub fn scenarios(report: &Report) -> String {
    let counts = report.counts();
    let scenarios = some(&[
        (counts.scenarios_held, "passed"),
        (counts.scenarios_failed, "failed"),
        (counts.scenarios_skipped, "skipped"),
    ]);
    scenarios.join(" · ")
}

/// `38 passed · 1 must and 2 should broken · 5 skipped`.
pub fn rules(report: &Report) -> String {
    let counts = report.counts();
    let mut parts = vec![format!("{} passed", counts.held)];
    let levels =
        some(&[(counts.must, "must"), (counts.should, "should"), (counts.advice, "advice")]);
    if !levels.is_empty() {
        parts.push(format!("{} broken", list(&levels)));
    }
    parts.extend(some(&[
        (counts.inconclusive, "inconclusive"),
        (counts.known, "known to fail"),
        (counts.skipped, "skipped"),
    ]));
    parts.join(" · ")
}

/// `12 exchanges, 340 events and 45.2 KiB in 12.345 s`.
pub fn recorded(report: &Report) -> String {
    let lasted = sseproof_units::duration(Duration::from_millis(report.duration_ms));
    format!("{} in {lasted}", seen(report))
}

/// `12 exchanges, 340 events and 45.2 KiB`.
pub fn seen(report: &Report) -> String {
    let measures = &report.measures;
    let mut seen = Vec::new();
    let exchange = match report.subject {
        Subject::Server => "exchange",
        Subject::Client => "request",
    };
    seen.extend(measures.exchanges.map(|count| counted(count, exchange)));
    seen.extend(measures.events.map(|count| counted(count, "event")));
    seen.extend(measures.bytes.map(sseproof_units::bytes));
    list(&seen)
}

/// `response headers after 3 ms (1 ms to 40 ms), first event after 31 ms`; empty if nothing was
/// measured.
pub fn times(report: &Report) -> String {
    let measures = &report.measures;
    let times = [
        ("response headers after", measures.time_to_head_ms),
        ("first event after", measures.time_to_first_event_ms),
        ("between events", measures.inter_event_gap_ms),
    ];
    let times = times
        .into_iter()
        .filter_map(|(words, spread)| Some(format!("{words} {}", spread_words(spread?))));
    times.collect::<Vec<_>>().join(", ")
}

fn spread_words(spread: Spread) -> String {
    let [min, median, max] =
        [spread.min, spread.median, spread.max].map(|ms| Value::time(ms * 1e6).to_string());
    if min == max { median } else { format!("{median} ({min} to {max})") }
}

/// `3 must` of each that is not zero.
fn some(counts: &[(usize, &str)]) -> Vec<String> {
    let there = counts.iter().filter(|(count, _)| *count > 0);
    there.map(|(count, words)| format!("{count} {words}")).collect()
}
