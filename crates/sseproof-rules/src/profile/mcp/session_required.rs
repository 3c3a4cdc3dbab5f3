//! A request without its session.

use super::reference;
use super::traffic::{each_status, has_sessions, is_foreign, is_initialize, is_request};
use crate::{Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "mcp/session-required",
    judge,
    mutants: &[Mutant::new(
        "mcp-no-session-404",
        "answers a request without a session with 404",
        |visit| {
            let plan = reference::answer(visit);
            let is_refused =
                !visit.request.headers.has("mcp-session-id") && super::status(&plan) == 400;
            if is_refused { plan.with_status(404) } else { plan }
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    if !has_sessions(record) {
        return Verdict::Skip("the server gave out no session".to_owned());
    }
    let wanted = |view: &_| {
        let bare = is_request(view) && !is_initialize(view) && !is_foreign(view);
        bare && !view.request.headers.has("mcp-session-id")
    };
    let none = "no request without a session was answered";
    let what = "a request without a session";
    each_status(record, what, none, wanted, |status| matches!(status, 200 | 400))
}
