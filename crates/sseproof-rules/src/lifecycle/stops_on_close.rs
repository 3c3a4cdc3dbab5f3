//! The server releases a client that closes the connection.

use super::leaving::{self, is_simple, outliving, was_quiet, was_reset};
use crate::{Mutant, Record, Rule, Verdict, reference};
use sseproof_http::Departure;

pub(super) const RULE: Rule = Rule {
    id: "lifecycle/stops-on-close",
    judge,
    mutants: &[Mutant::new(
        "deaf-to-close",
        "goes on for clients that have closed the connection",
        |visit| match visit.request.path() {
            "/events" if visit.request.method == "GET" => {
                outliving(visit, Some(Departure::Closing))
            }
            _ => reference::answer(visit),
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    leaving::judge(
        record,
        "no client closed the connection of a stream between two readings",
        |view| is_simple(view) && !was_quiet(view) && !was_reset(record, view),
    )
}
