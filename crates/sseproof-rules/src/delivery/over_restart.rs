//! An event with an id outlives a restart of the server.

use sseproof_record::{Lack, RunEventKind};

use super::away::{self, heeds_ids};
use super::sendings::terminates;
use super::while_away;
use crate::lifecycle::leaving::lacking;
use crate::{Mutant, Record, Rule, Verdict, reference};

pub(super) const RULE: Rule = Rule {
    id: "delivery/over-restart",
    judge,
    mutants: &[Mutant::new(
        "loses-its-log",
        "forgets all events when it is restarted, and says nothing",
        |visit| match visit.request.path() {
            "/restart" => reference::restart(true),
            _ => reference::answer(visit),
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    let restarted = record.run_events().iter().find_map(|happening| match &happening.what {
        RunEventKind::Restarted { failed, .. } if !terminates(record, &happening.scenario) => {
            Some(failed.as_deref())
        }
        _ => None,
    });
    match restarted {
        None => {
            let lacks = [Lack::Restart, Lack::Publish];
            return Verdict::Skip(lacking(record, &lacks, "the server was not restarted"));
        }
        Some(Some(why)) => {
            return Verdict::Inconclusive(format!("the server did not start again: {why}"));
        }
        Some(None) => {}
    }
    if !heeds_ids(record) {
        return Verdict::Skip("the server ignores ids: see resume/honoured".to_owned());
    }
    if let Verdict::Fail(_) = while_away::judge(record) {
        return Verdict::Skip(
            "events are also lost without a restart: see delivery/while-away".to_owned(),
        );
    }
    away::judge(record, true)
}
