//! A version that nobody knows.

use super::mistaken;
use super::traffic::{NO_VERSION, each_status, has_sessions, is_in_session};
use crate::{Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "mcp/version-header",
    judge,
    mutants: &[Mutant::new("mcp-any-version", "does not look at MCP-Protocol-Version", |visit| {
        mistaken(visit, |request| {
            let named = request.headers.first("mcp-protocol-version");
            if named.as_deref() == Some(NO_VERSION) {
                let is_later = request.headers.has("mcp-method");
                let version = if is_later { "2026-07-28" } else { "2025-11-25" };
                request.headers.set("MCP-Protocol-Version", version);
                super::replaced(request, NO_VERSION, version);
            }
        })
    })],
};

fn judge(record: &Record<'_>) -> Verdict {
    let wanted = |view: &crate::View<'_>| {
        view.request.headers.first("mcp-protocol-version").as_deref() == Some(NO_VERSION)
            && (is_in_session(record, view) || !has_sessions(record))
    };
    let none = "no request with an unknown version was answered";
    let what = format!("a request of version {NO_VERSION}");
    each_status(record, &what, none, wanted, |status| status == 400)
}
