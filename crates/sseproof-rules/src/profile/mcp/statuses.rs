//! The rules on the status code alone.

use sseproof_http::Plan;

use super::traffic::{
    NO_SESSION, NO_VERSION, UNKNOWN_SESSION, asked, beginnings, each_status, given, has_sessions,
    header, is_foreign, is_in_session, is_initialize, is_request, session,
};
use super::{SESSION, answer, mistaken};
use crate::profile::written::{Changed, but_to, not_found};
use crate::{Mutant, Record, Rule, Verdict, View};

pub(super) const GET_GONE: Rule = Rule {
    id: "mcp/get-gone",
    judge: |record| {
        let gets = |view: &View<'_>| view.request.method == "GET";
        each_status(record, "a GET", "no GET was answered", gets, |status| status == 405)
    },
    mutants: &[Mutant::new("mcp-get-not-found", "answers a GET with 404", |visit| {
        but_to("GET", not_found(), answer, visit)
    })],
};

pub(super) const DELETE: Rule = Rule {
    id: "mcp/delete",
    judge: |record| {
        let wanted = |view: &View<'_>| {
            view.request.method == "DELETE"
                && view.request.headers.has("mcp-session-id")
                && is_in_session(record, view)
        };
        let none = "no DELETE was answered in a session";
        each_status(record, "DELETE", none, wanted, |status| matches!(status, 200..=299 | 405))
    },
    mutants: &[Mutant::new(
        "mcp-delete-404",
        "answers DELETE with 404, as a framework does for unregistered paths",
        |visit| but_to("DELETE", not_found(), answer, visit),
    )],
};

pub(super) const VERSION_HEADER: Rule = Rule {
    id: "mcp/version-header",
    judge: |record| {
        let wanted = |view: &View<'_>| {
            header(view, "mcp-protocol-version").as_deref() == Some(NO_VERSION)
                && (is_in_session(record, view) || !has_sessions(record))
        };
        let none = "no request with an unknown version was answered";
        let what = format!("a request with version {NO_VERSION}");
        each_status(record, &what, none, wanted, |status| status == 400)
    },
    mutants: &[Mutant::new("mcp-any-version", "does not look at MCP-Protocol-Version", |visit| {
        mistaken(visit, |request| {
            let named = request.headers.first("mcp-protocol-version");
            if named.as_deref() == Some(NO_VERSION) {
                let is_later = request.headers.has("mcp-method");
                let version = if is_later { "2026-07-28" } else { "2025-11-25" };
                request.headers.set("MCP-Protocol-Version", version);
                request.body = request.body.to_text().replace(NO_VERSION, version).into();
            }
        })
    })],
};

pub(super) const HEADER_MISMATCH: Rule = Rule {
    id: "mcp/header-mismatch",
    judge: |record| {
        let wanted = |view: &View<'_>| {
            let named = header(view, "mcp-method");
            let asked = asked(view);
            named.zip(asked["method"].as_str()).is_some_and(|(named, method)| method != named)
        };
        let none = "no request whose `Mcp-Method` differs from its body was answered";
        let what = "a request whose `Mcp-Method` differs from its body";
        each_status(record, what, none, wanted, |status| status == 400)
    },
    mutants: &[Mutant::new(
        "mcp-headers-unread",
        "does not compare Mcp-Method with the body",
        |visit| {
            mistaken(visit, |request| {
                let asked: serde_json::Value =
                    serde_json::from_slice(&request.body).unwrap_or_default();
                if let Some(method) = asked["method"].as_str() {
                    request.headers.set("Mcp-Method", method);
                }
            })
        },
    )],
};

pub(super) const SESSION_REQUIRED: Rule = Rule {
    id: "mcp/session-required",
    judge: |record| {
        let wanted = |view: &_| {
            let bare = is_request(view) && !is_initialize(view) && !is_foreign(view);
            bare && header(view, "mcp-session-id").is_none()
        };
        let (none, what) =
            ("no request without a session was answered", "a request without a session");
        with_sessions(record, || {
            each_status(record, what, none, wanted, |status| matches!(status, 200 | 400))
        })
    },
    mutants: &[Mutant::new(
        "mcp-no-session-404",
        "answers a request without a session with 404",
        |visit| {
            if visit.request.headers.has("mcp-session-id") {
                return answer(visit);
            }
            answer(visit).instead_of(400, || answer(visit).with_status(404))
        },
    )],
};

pub(super) const SESSION_UNKNOWN: Rule = Rule {
    id: "mcp/session-unknown",
    judge: |record| {
        let unknown =
            |view: &View<'_>| header(view, "mcp-session-id").as_deref() == Some(UNKNOWN_SESSION);
        let what = "a request with an unknown session";
        with_sessions(record, || {
            each_status(
                record,
                what,
                "no request with an unknown session was answered",
                unknown,
                |status| status == 404,
            )
        })
    },
    mutants: &[
        Mutant::new("mcp-unknown-session-400", "answers an unknown session with 400", |visit| {
            answer(visit).instead_of(404, || answer(visit).with_status(400))
        }),
        Mutant::new("mcp-any-session", "accepts any session", |visit| {
            mistaken(visit, |request| {
                let named = request.headers.first("mcp-session-id");
                if named.as_deref() == Some(UNKNOWN_SESSION) {
                    request.headers.set("Mcp-Session-Id", SESSION);
                }
            })
        }),
    ],
};

fn with_sessions(record: &Record<'_>, judge: impl FnOnce() -> Verdict) -> Verdict {
    if has_sessions(record) { judge() } else { Verdict::Skip(NO_SESSION.to_owned()) }
}

pub(super) const SESSION_ENDED: Rule = Rule {
    id: "mcp/session-ended",
    judge: |record| {
        let none = "no session was ended: the server created none, or does not support DELETE";
        let what = "a request in a session that has ended";
        let wanted = |view: &_| is_ended(record, view);
        each_status(record, what, none, wanted, |status| status == 404)
    },
    mutants: &[Mutant::new(
        "mcp-delete-does-nothing",
        "answers DELETE with 200 and keeps the session",
        |visit| but_to("DELETE", Plan::answer(200, "text/plain", ""), answer, visit),
    )],
};

/// Whether the server confirmed the end of the session before this request was sent.
pub(super) fn is_ended(record: &Record<'_>, view: &View<'_>) -> bool {
    let ended = |other: &View<'_>| {
        other.request.method == "DELETE"
            && other.status().is_some_and(|status| (200..300).contains(&status))
            && other.number < view.number
            && other.end.at <= view.started
            && session(other) == session(view)
    };
    // A session that several clients were given may have begun again.
    let is_shared = || beginnings(record).filter(|other| given(other) == session(view)).count() > 1;
    view.request.headers.has("mcp-session-id")
        && record.all().any(|other| ended(&other))
        && !is_shared()
}
