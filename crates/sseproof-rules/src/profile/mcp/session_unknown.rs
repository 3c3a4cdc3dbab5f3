//! A session that never was.

use super::traffic::{UNKNOWN_SESSION, each_status};
use super::{mistaken, reference};
use crate::{Mutant, Rule, View};

pub(super) const RULE: Rule = Rule {
    id: "mcp/session-unknown",
    judge: |record| {
        if !super::traffic::has_sessions(record) {
            return crate::Verdict::Skip("the server gave out no session".to_owned());
        }
        let unknown = |view: &View<'_>| {
            view.request.headers.first("mcp-session-id").as_deref() == Some(UNKNOWN_SESSION)
        };
        let what = "a request with an unknown session";
        each_status(record, what, "none was sent", unknown, |status| status == 404)
    },
    mutants: &[
        Mutant::new("mcp-unknown-session-400", "answers an unknown session with 400", |visit| {
            let plan = reference::answer(visit);
            if super::status(&plan) == 404 { plan.with_status(400) } else { plan }
        }),
        Mutant::new("mcp-any-session", "takes any session for its own", |visit| {
            mistaken(visit, |request| {
                if request.headers.has("mcp-session-id") {
                    request.headers.set("Mcp-Session-Id", reference::SESSION);
                }
            })
        }),
    ],
};
