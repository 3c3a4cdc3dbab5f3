//! The rounds of one transport against one target, put together: a side of a comparison.

use std::time::Duration;

use sseproof_measure::threshold::Evidence;
use sseproof_measure::{Interval, Outcome, Transport, Value};

use super::figures::Figures;

/// All rounds of one transport against one target.
pub(super) struct Side<'a> {
    /// How it is called: `SSE`.
    pub(super) name: String,
    pub(super) rounds: Vec<&'a Outcome>,
    /// All intervals of all rounds.
    pub(super) total: Interval,
    /// How long all rounds took.
    pub(super) lasting: Duration,
    pub(super) figures: Figures,
}

/// The sides of the results, in the order in which they were run first.
pub(super) fn sides(outcomes: &[Outcome]) -> Vec<Side<'_>> {
    let mut rounds: Vec<Vec<&Outcome>> = Vec::new();
    for outcome in outcomes {
        let same = |side: &&mut Vec<&Outcome>| {
            side.iter().all(|other| {
                other.run.transport == outcome.run.transport && other.run.url == outcome.run.url
            })
        };
        match rounds.iter_mut().find(same) {
            Some(side) => side.push(outcome),
            None => rounds.push(vec![outcome]),
        }
    }
    let twice = |outcome: &Outcome| {
        let same = |side: &&Vec<&Outcome>| {
            side.iter().any(|other| other.run.transport == outcome.run.transport)
        };
        rounds.iter().filter(same).count() > 1
    };
    let name = |outcome: &Outcome| {
        let name = transport(outcome.run.transport);
        if twice(outcome) { format!("{name} {}", outcome.run.url) } else { name.to_owned() }
    };
    rounds.iter().map(|rounds| Side::of(name(rounds[0]), rounds.clone())).collect()
}

fn transport(transport: Transport) -> &'static str {
    match transport {
        Transport::Sse => "SSE",
        Transport::WebSocket => "WebSocket",
    }
}

/// The transport's name in files.
pub(super) fn transport_key(transport: Transport) -> &'static str {
    match transport {
        Transport::Sse => "sse",
        Transport::WebSocket => "web-socket",
    }
}

impl<'a> Side<'a> {
    fn of(name: String, rounds: Vec<&'a Outcome>) -> Self {
        let mut total = Interval::default();
        let mut lasting = Duration::ZERO;
        for round in &rounds {
            total.total(&round.total());
            let count = round.intervals.iter().map(|interval| interval.index + 1).max();
            let milliseconds = count.unwrap_or_default().saturating_mul(round.run.interval_ms);
            lasting += Duration::from_millis(milliseconds);
        }
        let figures = Figures::of(&rounds);
        Self { name, rounds, total, lasting, figures }
    }

    /// What thresholds are judged by; `figures` is that of [`Figures::value`].
    pub(super) fn evidence<'b>(
        &'b self,
        figures: &'b dyn Fn(&str) -> Option<Value>,
    ) -> Evidence<'b> {
        Evidence { total: &self.total, lasting: self.lasting, figures }
    }

    /// How many streams were open at most, at the end of an interval.
    pub(super) fn most_open(&self) -> u64 {
        let open = self.rounds.iter().flat_map(|round| &round.intervals);
        open.map(|interval| interval.open).max().unwrap_or_default()
    }
}
