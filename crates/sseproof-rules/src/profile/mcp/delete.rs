//! DELETE ends a session, or is not offered.

use sseproof_record::Plan;

use super::reference;
use super::traffic::{each_status, is_in_session};
use crate::{Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "mcp/delete",
    judge,
    mutants: &[Mutant::new(
        "mcp-delete-404",
        "answers DELETE with 404, as a framework does where nothing is registered",
        |visit| match visit.request.method.as_str() {
            "DELETE" => Plan::answer(404, "text/plain", "not found\n"),
            _ => reference::answer(visit),
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    let none = "no DELETE was answered in a session";
    let wanted = |view: &crate::View<'_>| {
        view.request.method == "DELETE"
            && view.request.headers.has("mcp-session-id")
            && is_in_session(record, view)
    };
    each_status(record, "DELETE", none, wanted, |status| matches!(status, 200..=299 | 405))
}
