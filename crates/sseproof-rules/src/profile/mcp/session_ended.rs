//! A session that has ended.

use sseproof_record::Plan;

use super::reference;
use super::traffic::{each_status, session};
use crate::{Mutant, Record, Rule, Verdict, View};

pub(super) const RULE: Rule = Rule {
    id: "mcp/session-ended",
    judge,
    mutants: &[Mutant::new(
        "mcp-delete-does-nothing",
        "answers DELETE with 200 and keeps the session",
        |visit| match visit.request.method.as_str() {
            "DELETE" => Plan::answer(200, "text/plain", ""),
            _ => reference::answer(visit),
        },
    )],
};

/// Whether the server said that the session of the request is over before it was sent.
fn is_ended(record: &Record<'_>, view: &View<'_>) -> bool {
    let ended = |other: &View<'_>| {
        other.request.method == "DELETE"
            && other.status().is_some_and(|status| (200..300).contains(&status))
            && other.number < view.number
            && other.end.at <= view.started
            && session(other) == session(view)
    };
    view.request.headers.has("mcp-session-id") && record.all().any(|other| ended(&other))
}

fn judge(record: &Record<'_>) -> Verdict {
    let none = "no session was ended: the server gave out none, or has no DELETE";
    let wanted = |view: &_| is_ended(record, view);
    let what = "a request in a session that has ended";
    each_status(record, what, none, wanted, |status| status == 404)
}
