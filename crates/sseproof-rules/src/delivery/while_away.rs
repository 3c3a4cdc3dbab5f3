//! An event that is published while the client is away arrives when it is back.

use sseproof_http::Action;

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
