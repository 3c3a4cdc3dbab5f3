//! The id of a session can stand in a header.

use super::traffic::{each, is_initialize};
use super::{mistaken, reference};
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "mcp/session-id",
    judge,
    mutants: &[Mutant::new(
        "mcp-session-with-blanks",
        "gives out a session id with blanks in it",
        |visit| {
            const ID: &str = "session of Ada";
            let plan = mistaken(visit, |request| {
                if request.headers.first("mcp-session-id").as_deref() == Some(ID) {
                    request.headers.set("Mcp-Session-Id", reference::SESSION);
                }
            });
            let mut plan = plan;
            match plan.headers().is_some_and(|headers| headers.has("mcp-session-id")) {
                true => plan.with_header("Mcp-Session-Id", ID),
                false => plan,
            }
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    let id = |view: &crate::View<'_>| view.head.as_ref()?.headers.first("mcp-session-id");
    let none = "the server gave out no session";
    let wanted = |view: &_| is_initialize(view) && id(view).is_some();
    each(record, "session", none, wanted, |view, tally| {
        tally.look();
        let id = id(view).unwrap_or_default();
        if id.is_empty() || !id.chars().all(|char| char.is_ascii_graphic()) {
            let message = format!("the id of the session is {id:?}");
            tally.fault(|| Fault::header(view, "mcp-session-id", message));
        }
    })
}
