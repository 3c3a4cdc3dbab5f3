//! A GET listens, or is not offered.

use sseproof_record::Plan;

use super::reference;
use super::traffic::{each, is_in_session};
use crate::{Fault, Mutant, Place, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "mcp/get",
    judge,
    mutants: &[
        Mutant::new(
            "mcp-get-404",
            "answers a GET with 404, as a framework does where nothing is registered",
            |visit| {
                if visit.request.method == "GET" {
                    return Plan::answer(404, "text/plain", "not found\n");
                }
                reference::answer(visit)
            },
        ),
        Mutant::new("mcp-get-page", "answers a GET with 200 and a page", |visit| {
            if visit.request.method == "GET" {
                return Plan::answer(200, "text/html", "<p>This is an MCP server.</p>\n");
            }
            reference::answer(visit)
        }),
    ],
};

fn judge(record: &Record<'_>) -> Verdict {
    let wanted = |view: &crate::View<'_>| {
        view.request.method == "GET"
            && view.request.last_event_id().is_none()
            && is_in_session(record, view)
    };
    each(record, "GET", "no GET was answered in a session", wanted, |view, tally| {
        tally.look();
        let message = match view.status().unwrap_or_default() {
            405 => return,
            200 if view.is_stream() => return,
            200 => "a GET is answered with 200, and with no event stream".to_owned(),
            status => format!("a GET is answered with {status}"),
        };
        tally.fault(|| Fault::new(view, Place::StatusLine, message));
    })
}
