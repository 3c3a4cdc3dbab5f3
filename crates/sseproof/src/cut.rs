//! `sseproof cut`: as little of a recording as shows a finding.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{anyhow, bail};
use sseproof_record::{RunEventKind, Transcript, write_recording};
use sseproof_rules::{Finding, Record, Rule, Status, rule};

use crate::exit::{Blame, Blamed as _, Exit};
use crate::{recorded, screen};

/// Prints the part of the recording that still breaks the rule.
pub(crate) fn run(file: &Path, id: &str) -> Result<Exit, Blame> {
    let Some(rule) = rule(id) else {
        let error = anyhow!("there is no rule `{id}`; `sseproof list rules` names them all");
        return Err(Blame { exit: Exit::Usage, error });
    };
    let recorded = recorded::read("the recording", file).usage()?;
    let cut = cut(&recorded.transcript, rule).usage()?;
    eprintln!(
        "sseproof: {} of {} exchanges show how {id} is broken; `sseproof serve --play` plays them",
        cut.exchanges.len(),
        recorded.transcript.exchanges.len()
    );
    screen::print(&write_recording(&cut))?;
    Ok(Exit::Held)
}

/// The first of these that still breaks the rule with the same words: the exchanges that are named,
/// those with what they follow, with all of their scenarios, and everything.
fn cut(transcript: &Transcript, rule: &Rule) -> anyhow::Result<Transcript> {
    let finding = Finding::of(rule, &Record::new(transcript));
    let Some(first) = finding.evidence.first() else {
        bail!("{} holds in this recording, so there is nothing to show", rule.id);
    };
    let one = BTreeSet::from([first.exchange]);
    let named: BTreeSet<usize> = finding.evidence.iter().map(|found| found.exchange).collect();
    let followed = |of: &BTreeSet<usize>| {
        let mut all = of.clone();
        // Whatever an exchange follows has a lower number.
        for exchange in transcript.exchanges.iter().rev() {
            if all.contains(&exchange.number) {
                all.extend(exchange.follows.map(|follows| follows.exchange));
            }
        }
        all
    };
    let scenarios: BTreeSet<&str> = transcript
        .exchanges
        .iter()
        .filter(|exchange| named.contains(&exchange.number))
        .map(|exchange| exchange.scenario.as_str())
        .collect();
    let of_scenarios: BTreeSet<usize> = transcript
        .exchanges
        .iter()
        .filter(|exchange| scenarios.contains(exchange.scenario.as_str()))
        .map(|exchange| exchange.number)
        .collect();
    let sets = [followed(&one), followed(&named), followed(&of_scenarios)];
    let shows = |cut: &Transcript| {
        let now = Finding::of(rule, &Record::new(cut));
        let message = now.evidence.first().map(|found| &found.message);
        now.status == Status::Fail && message == Some(&first.message)
    };
    let cut = sets.iter().map(|kept| only(transcript, kept)).find(shows);
    Ok(cut.unwrap_or_else(|| transcript.clone()))
}

/// The transcript with these exchanges alone, counted anew.
fn only(transcript: &Transcript, kept: &BTreeSet<usize>) -> Transcript {
    let number = |old: usize| kept.iter().position(|kept| *kept == old).map(|index| index + 1);
    let mut cut = transcript.clone();
    cut.exchanges.retain(|exchange| kept.contains(&exchange.number));
    for exchange in &mut cut.exchanges {
        exchange.number = number(exchange.number).unwrap_or_default();
        exchange.follows = exchange.follows.and_then(|mut follows| {
            follows.exchange = number(follows.exchange)?;
            Some(follows)
        });
    }
    cut.run_events.retain_mut(|happening| match &mut happening.what {
        RunEventKind::Stalled { exchange }
        | RunEventKind::Unread { exchange, .. }
        | RunEventKind::LeftByReset { exchange }
        | RunEventKind::Churned { last: exchange, .. } => {
            *exchange = number(*exchange).unwrap_or_default();
            *exchange > 0
        }
        _ => true,
    });
    cut
}
