//! An event with an id outlives a restart of the server.

use sseproof_record::{Lack, RunEventKind};

use super::away::{Outcome, heeds_ids, outcome};
use super::sendings::none;
use super::while_away;
use crate::lifecycle::leaving::lacking;
use crate::{Fault, Mutant, Record, Rule, Verdict, reference};

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
        RunEventKind::Restarted { failed, .. } => Some(failed.as_deref()),
        _ => None,
    });
    match restarted {
        None => {
            let lacks = [Lack::Restart, Lack::Publish];
            return Verdict::Skip(lacking(record, &lacks, "the server was not restarted"));
        }
        Some(Some(why)) => {
            return Verdict::Inconclusive(format!("the server did not come back: {why}"));
        }
        Some(None) => {}
    }
    if !heeds_ids(record) {
        return Verdict::Skip("no id is heeded at all: see resume/honoured".to_owned());
    }
    if let Verdict::Fail(_) = while_away::judge(record) {
        return Verdict::Skip(
            "events are lost without a restart, too: see delivery/while-away".to_owned(),
        );
    }
    match outcome(record, true) {
        Outcome::None => none(record),
        Outcome::NoIds => {
            Verdict::Skip("what is published has no ids to come back with".to_owned())
        }
        Outcome::Thin(why) => Verdict::Inconclusive(why),
        Outcome::Says(what) => {
            Verdict::Pass(format!("the server says that something is missing: {what}"))
        }
        Outcome::Arrived => {
            Verdict::Pass("what was published before the restart arrived behind it".to_owned())
        }
        Outcome::Lost(view, id) => Verdict::Fail(vec![Fault::at(
            &view,
            0,
            format!(
                "the client brings back the id {id} after a restart, and an event that was published behind it never comes"
            ),
        )]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::away::testing::away;

    #[test]
    fn what_was_published_before_the_restart_must_come() {
        away(b"id: 2\ndata: away\n\nid: 3\ndata: after\n\n", true).passes(&RULE);
        let faults = away(b"id: 1\ndata: after\n\n", true).faults(&RULE);
        assert_eq!(faults[0].exchange, 2);
    }

    #[test]
    fn without_a_restart_it_skips() {
        away(b"id: 3\ndata: after\n\n", false).skips(&RULE);
    }
}
