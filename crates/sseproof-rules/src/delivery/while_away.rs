//! An event that is published while the client is away arrives when it is back.

use sseproof_http::Action;

use super::away::{self, heeds_ids};
use crate::{Mutant, Record, Rule, Verdict, reference};

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
    away::judge(record, false)
}
