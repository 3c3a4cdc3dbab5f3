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
        Mutant {
            id: "mcp-unknown-session-400",
            wrong: "answers an unknown session with 400",
            serve: |visit| {
                let plan = reference::answer(visit);
                if super::status(&plan) == 404 { plan.with_status(400) } else { plan }
            },
        },
        Mutant {
            id: "mcp-any-session",
            wrong: "takes any session for its own",
            serve: |visit| {
                mistaken(visit, |request| {
                    if request.headers.has("mcp-session-id") {
                        request.headers.set("Mcp-Session-Id", reference::SESSION);
                    }
                })
            },
        },
    ],
};
