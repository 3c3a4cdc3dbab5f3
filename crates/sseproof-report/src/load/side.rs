//! The rounds of one transport against one target, combined: a side of a comparison.

use std::time::Duration;

use sseproof_load_model::compare::Round;
use sseproof_load_model::threshold::{Evidence, Subject};
use sseproof_load_model::{Cost, Interval, Outcome, Steady, Transport};
use sseproof_units::Value;

use super::figures::Figures;

pub struct Side<'a> {
    pub name: String,
    pub rounds: Vec<&'a Outcome>,
    pub total: Interval,
    pub lasting: Duration,
    pub steady: Steady,
    pub figures: Figures,
    pub compared: Vec<Round>,
}

pub fn sides(outcomes: &[Outcome]) -> Vec<Side<'_>> {
    let mut rounds: Vec<Vec<(&Outcome, Cost)>> = Vec::new();
    for (outcome, cost) in outcomes.iter().zip(Cost::of_all(outcomes)) {
        let same = |side: &&mut Vec<(&Outcome, Cost)>| {
            side.iter().all(|(other, _)| {
                let (other, run) = (&other.run, &outcome.run);
                (other.spoken(), &other.url) == (run.spoken(), &run.url)
            })
        };
        match rounds.iter_mut().find(same) {
            Some(side) => side.push((outcome, cost)),
            None => rounds.push(vec![(outcome, cost)]),
        }
    }
    let rounds: Vec<(Vec<&Outcome>, Vec<Cost>)> =
        rounds.into_iter().map(|side| side.into_iter().unzip()).collect();
    let name = |outcome: &Outcome| {
        let name = outcome.run.spoken();
        let alike = rounds.iter().filter(|(side, _)| side[0].run.spoken() == name);
        if alike.count() > 1 { format!("{name} {}", outcome.run.url) } else { name }
    };
    let names: Vec<String> = rounds.iter().map(|(side, _)| name(side[0])).collect();
    let sides = names.into_iter().zip(rounds);
    sides.map(|(name, (rounds, costs))| Side::of(name, rounds, costs)).collect()
}

/// The transport's name in files.
pub fn transport_key(transport: Transport) -> &'static str {
    match transport {
        Transport::Sse => "sse",
        Transport::WebSocket => "web-socket",
    }
}

impl<'a> Side<'a> {
    fn of(name: String, outcomes: Vec<&'a Outcome>, costs: Vec<Cost>) -> Self {
        let figures = Figures::of(&costs);
        let each = outcomes.iter().zip(costs);
        let compared: Vec<Round> = each.map(|(outcome, cost)| Round::with(outcome, cost)).collect();
        let (mut total, mut steady) = (Interval::default(), Steady::default());
        for round in &compared {
            total.total(&round.total);
            steady += &round.steady;
        }
        let lasting = compared.iter().map(|round| round.lasting);
        let lasting = lasting.fold(Duration::ZERO, Duration::saturating_add);
        Self { name, rounds: outcomes, total, lasting, steady, figures, compared }
    }

    pub fn with_evidence<T>(&self, judge: impl FnOnce(&Evidence<'_>) -> T) -> T {
        let figures = |key: &str| self.figures.value(key);
        let Self { total, lasting, steady, .. } = self;
        judge(&Evidence { total, lasting: *lasting, steady, figures: &figures })
    }

    pub fn value(&self, subject: Subject) -> Option<Value> {
        self.with_evidence(|evidence| subject.value(evidence))
    }

    pub fn streams_per_connection(&self) -> Option<u32> {
        self.rounds.first()?.run.streams_per_connection
    }

    pub fn most_open(&self) -> u64 {
        let open = self.rounds.iter().flat_map(|round| &round.intervals);
        open.map(|interval| interval.open).max().unwrap_or_default()
    }
}
