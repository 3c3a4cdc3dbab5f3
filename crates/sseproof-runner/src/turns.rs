//! The turns of a run: the scenarios that are played at the same time, and their order.
//!
//! First the probe that finds the stream; then those that only look at streams, side by side, and
//! meanwhile those that only publish, one after the other; then the others, each alone; last those
//! that end the server.
//! If each probe has a server of its own, all are played at the same time.

use std::time::Duration;

use sseproof_files::model::{Need, Purpose};
use sseproof_files::{Scenario, Target};
use sseproof_net::local_port;

/// How long a scenario usually takes.
const USUAL: Duration = Duration::from_secs(1);

#[derive(Default)]
pub(super) struct Turn<'s> {
    /// Played side by side.
    pub(super) beside: Vec<&'s Scenario>,
    /// Played one after the other, at the same time as the others: each would see the events of the
    /// next one.
    pub(super) in_line: Vec<&'s Scenario>,
    /// Whether each has a server of its own.
    pub(super) apart: bool,
}

impl<'s> Turn<'s> {
    fn one(scenario: &'s Scenario) -> Self {
        Self { beside: vec![scenario], ..Self::default() }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &'s Scenario> {
        self.beside.iter().chain(&self.in_line).copied()
    }
}

pub(super) fn turns<'s>(scenarios: &[&'s Scenario], target: &Target) -> Vec<Turn<'s>> {
    let of = |wanted: Part| {
        let is_wanted =
            move |scenario: &&'s Scenario| Part::of(scenario, scenarios, target) == Some(wanted);
        scenarios.iter().copied().filter(is_wanted)
    };
    let each = |part| of(part).map(Turn::one);
    let beside = of(Part::SideBySide).collect();
    let together = Turn { beside, in_line: of(Part::InLine).collect(), apart: false };
    let in_line = of(Part::ApartInLine).collect();
    let apart = Turn { beside: of(Part::Apart).collect(), in_line, apart: true };
    each(Part::First)
        .chain([apart, together])
        .chain(each(Part::Alone))
        .chain(each(Part::Last))
        .collect()
}

/// How long these scenarios usually take together; a server with faults takes longer.
pub fn usual_time(scenarios: &[&Scenario], target: &Target) -> Duration {
    let takes = |scenario: &&Scenario| match &scenario.probe {
        Some(options) if offers(target, scenario) => options.takes.map_or(USUAL, |takes| takes.0),
        Some(_) => Duration::ZERO,
        None => USUAL,
    };
    let together = |turn: &Turn<'_>| {
        let beside: Vec<Duration> = turn.beside.iter().map(takes).collect();
        let longest = match target.one_by_one {
            true => beside.into_iter().sum(),
            false => beside.into_iter().max().unwrap_or_default(),
        };
        longest.max(turn.in_line.iter().map(takes).sum())
    };
    turns(scenarios, target).iter().map(together).sum()
}

/// Whether the target seems to have what the scenario needs.
fn offers(target: &Target, scenario: &Scenario) -> bool {
    let is_local = || local_port(&target.url).is_some();
    scenario.needs.iter().all(|need| match need.value {
        Need::Publish => target.publish.is_some(),
        Need::Restart => target.restart.is_some(),
        Need::Start => target.server.is_some(),
        Need::Via => target.via.is_some(),
        Need::Active => target.active.is_some() || is_local(),
        Need::Memory => target.memory.is_some() || is_local(),
        Need::Http2 => target.url.starts_with("https:"),
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    First,
    Apart,
    /// The same, and one after the other: they take much of the machine.
    ApartInLine,
    SideBySide,
    InLine,
    Alone,
    /// Probes that end the server; after the user's scenarios, too.
    Last,
}

impl Part {
    fn of(scenario: &Scenario, all: &[&Scenario], target: &Target) -> Option<Self> {
        let Some(options) = &scenario.probe else { return Some(Self::Alone) };
        // Events that are published come in another stream than the one that most probes look at.
        let is_elsewhere = target.published_stream().is_some();
        Some(match options.purpose {
            Purpose::FindStream => Self::First,
            Purpose::FindLateHeaders => return None,
            Purpose::Provoke if scenario.needs(Need::Start) => Self::Last,
            // All servers are in one process, whose descriptors it counts.
            Purpose::Provoke if !target.twins.is_empty() && !scenario.is_crowded() => {
                if scenario.publishes_much() { Self::ApartInLine } else { Self::Apart }
            }
            Purpose::Provoke if options.alone => {
                // It would end the silence that others wait for.
                let is_in_line = is_elsewhere
                    && scenario.only_publishes()
                    && !all.iter().any(|other| other.is_probe() && other.idle);
                if is_in_line { Self::InLine } else { Self::Alone }
            }
            // The silence that it waits for is that of the stream which the others look at.
            Purpose::Provoke if scenario.idle && scenario.needs(Need::Publish) && !is_elsewhere => {
                Self::Alone
            }
            Purpose::Provoke => Self::SideBySide,
        })
    }
}
