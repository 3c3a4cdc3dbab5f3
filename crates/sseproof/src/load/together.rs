//! Several results: merged, or compared.

use std::fmt::Write as _;
use std::path::PathBuf;

use sseproof_load_model::compare::{Comparison, Finding, Pairing, Round, compare};
use sseproof_load_model::threshold::{Evidence, Judgement, Subject};
use sseproof_load_model::{Cost, Outcome, Transport, merge};
use sseproof_units::counted;

use super::args::Diff;
use super::result;
use crate::exit::{Blame, Blamed as _, Exit};
use crate::screen;

pub(super) fn merged(files: &[PathBuf]) -> Result<Vec<Outcome>, Blame> {
    let mut parts = Vec::new();
    for file in files {
        let name = file.display().to_string();
        parts.extend(result::read(file)?.into_iter().map(|outcome| (name.clone(), outcome)));
    }
    merge(parts).usage()
}

pub(super) fn diff(arguments: &Diff) -> Result<Exit, Blame> {
    let (old, new) = (result::read(&arguments.old)?, result::read(&arguments.new)?);
    let mut page = String::new();
    let mut exit = Exit::Held;
    for transport in [Transport::Sse, Transport::WebSocket] {
        let of = |outcomes: &[Outcome]| -> Vec<Outcome> {
            let own = outcomes.iter().filter(|outcome| outcome.run.transport == transport);
            own.cloned().collect()
        };
        let (old, new) = (of(&old), of(&new));
        if old.is_empty() && new.is_empty() {
            continue;
        }
        // Writing to a text does not fail.
        let name = transport.name();
        let _ = writeln!(
            page,
            "{name}: {} before, {} after",
            counted(old.len(), "round"),
            counted(new.len(), "round")
        );
        table(&mut page, &old, &new);
        let (old, new) = (Side::of(&old), Side::of(&new));
        for threshold in &arguments.fail_if {
            let judgement = judge(threshold, &old, &new);
            let mark = if judgement.passes() { '✓' } else { '✗' };
            if !judgement.passes() {
                exit = Exit::Broken;
            }
            let _ = writeln!(page, "{mark} {threshold}  {judgement}");
        }
        page.push('\n');
    }
    let doubtful = old.iter().chain(&new).any(|outcome| {
        let run = &outcome.run;
        !run.partial.is_empty() || !run.saturated.is_empty()
    });
    if doubtful {
        page.push_str("! inconclusive: a run is incomplete, or its generator was the bottleneck\n");
        exit = Exit::Broken;
    }
    screen::print(&page)?;
    Ok(exit)
}

fn judge(threshold: &sseproof_load_model::Threshold, old: &Side, new: &Side) -> Judgement {
    let (was, is) = (|key: &str| old.value(key), |key: &str| new.value(key));
    threshold.judge(
        &Evidence { total: &new.total, lasting: new.lasting, figures: &is },
        Some(&Evidence { total: &old.total, lasting: old.lasting, figures: &was }),
    )
}

struct Side {
    total: sseproof_load_model::Interval,
    lasting: std::time::Duration,
    cost: Option<Cost>,
}

impl Side {
    fn of(outcomes: &[Outcome]) -> Self {
        let mut total = sseproof_load_model::Interval::default();
        for outcome in outcomes {
            total.total(&outcome.total());
        }
        let lasting = outcomes.iter().map(Outcome::lasting).sum();
        // Each round has its own regression of the cost per connection; the last round represents all.
        Self { total, lasting, cost: outcomes.last().map(Cost::of) }
    }

    fn value(&self, key: &str) -> Option<sseproof_units::Value> {
        self.cost.as_ref()?.value(key)
    }
}

fn table(page: &mut String, old: &[Outcome], new: &[Outcome]) {
    let rounds = |outcomes: &[Outcome]| outcomes.iter().map(Round::of).collect::<Vec<_>>();
    let all = compare(&rounds(old), &rounds(new), Pairing::Independent, Subject::all());
    for one in &all {
        let Comparison { subject, first: Some(first), second: Some(second), ratio } = one else {
            continue;
        };
        let change = match ratio {
            Err(_) => String::new(),
            Ok(ratio) => {
                let interval = ratio
                    .interval
                    .map(|(low, high)| format!(" ({low:.2} to {high:.2})"))
                    .unwrap_or_default();
                let finding = match ratio.finding() {
                    Finding::More => ", more",
                    Finding::Less => ", less",
                    Finding::Inconclusive => ", within the spread of the rounds",
                    Finding::TooFew => ", inconclusive: too few rounds",
                };
                format!("× {:.2}{interval}{finding}", ratio.value)
            }
        };
        let _ = writeln!(
            page,
            "  {:24} {:>12} {:>12}  {change}",
            subject.to_string(),
            first.middle.to_string(),
            second.middle.to_string()
        );
    }
}
