//! An event that is published while the client is away arrives when it is back.

use sseproof_record::Action;

use super::away::{Outcome, heeds_ids, outcome};
use super::sendings::none;
use crate::{Fault, Mutant, Record, Rule, Verdict, reference};

pub(super) const RULE: Rule = Rule {
    id: "delivery/while-away",
    judge,
    mutants: &[Mutant::new(
        "only-what-is-new",
        "sends only new events on a resumed stream",
        |visit| {
            let mut right = reference::answer(visit);
            for action in &mut right.actions {
                if let Action::Follow { after, .. } = action {
                    *after = u64::MAX;
                }
            }
            right
        },
    )],
};

pub(super) fn judge(record: &Record<'_>) -> Verdict {
    if !heeds_ids(record) {
        return Verdict::Skip("the server ignores ids: see resume/honoured".to_owned());
    }
    match outcome(record, false) {
        Outcome::None => none(record),
        Outcome::NoIds => {
            Verdict::Skip("the published events have no ids to resume from".to_owned())
        }
        Outcome::Thin(why) => Verdict::Inconclusive(why),
        Outcome::Says(what) => {
            Verdict::Pass(format!("the server says that something is missing: {what}"))
        }
        Outcome::Arrived => {
            Verdict::Pass("the event that was published meanwhile arrived".to_owned())
        }
        Outcome::Lost(view, id) => Verdict::Fail(vec![Fault::at(
            &view,
            0,
            format!("the client resumes after id {id}, and a later event never arrives"),
        )]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::away::testing::away;

    #[test]
    fn what_was_published_meanwhile_must_come() {
        away(b"id: 2\ndata: away\n\nid: 3\ndata: after\n\n", false).passes(&RULE);
        let faults = away(b"id: 3\ndata: after\n\n", false).faults(&RULE);
        assert_eq!(faults[0].exchange, 2);
        assert!(faults[0].message.contains("resumes after id 1"), "{faults:?}");
    }

    #[test]
    fn a_stream_that_carries_nothing_any_more_is_thin() {
        away(b"", false).is_inconclusive(&RULE);
    }

    #[test]
    fn other_events_may_say_that_something_is_missing() {
        away(b"event: reset\ndata: all\n\nid: 3\ndata: after\n\n", false).passes(&RULE);
    }

    #[test]
    fn a_restart_is_another_rule() {
        away(b"id: 3\ndata: after\n\n", true).skips(&RULE);
    }
}
