//! `sseproof cut`: the smallest part of a recording that shows a finding.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{anyhow, bail};
use sseproof_record::{RunEventKind, Transcript, write_recording};
use sseproof_rules::{Finding, Record, Rule, Status, rule};

use crate::exit::{Blame, Blamed as _, Exit};
use crate::{recorded, screen, secrets};

pub(crate) fn run(file: &Path, id: &str) -> Result<Exit, Blame> {
    let Some(rule) = rule(id) else {
        let error = anyhow!("unknown rule `{id}`; `sseproof list rules` lists all rules");
        return Err(Blame { exit: Exit::Usage, error });
    };
    let recorded = recorded::read("the recording", file).usage()?;
    let cut = secrets::without(cut(&recorded.transcript, rule).usage()?);
    screen::say(format_args!(
        "sseproof: {} of {} exchanges show that {id} is broken; `sseproof serve --play` plays them",
        cut.exchanges.len(),
        recorded.transcript.exchanges.len()
    ));
    screen::print_json(&write_recording(&cut))?;
    Ok(Exit::Held)
}

/// The first of these that still breaks the rule with the same message: the first exchange of the
/// finding, all its exchanges (each with the exchanges that it follows), all exchanges of their
/// scenarios, the whole recording.
fn cut(transcript: &Transcript, rule: &Rule) -> anyhow::Result<Transcript> {
    let finding = Finding::of(rule, &Record::new(transcript));
    let Some(first) = finding.evidence.first() else {
        bail!("{} is not broken in this recording, so there is nothing to show", rule.id);
    };
    let one = BTreeSet::from([first.exchange]);
    let named: BTreeSet<usize> = finding.evidence.iter().map(|found| found.exchange).collect();
    let followed = |of: &BTreeSet<usize>| {
        let mut all = of.clone();
        // An exchange only follows exchanges with lower numbers.
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

/// The transcript with only these exchanges, numbered from 1 again.
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
