//! The server releases a client whose connection is reset.

use super::leaving::{self, is_simple, outliving, was_quiet, was_reset};
use crate::{Mutant, Record, Rule, Verdict, reference};
use sseproof_http::Departure;

pub(super) const RULE: Rule = Rule {
    id: "lifecycle/stops-on-reset",
    judge,
    mutants: &[Mutant::new(
        "deaf-to-reset",
        "goes on for clients whose connection was reset",
        |visit| match visit.request.path() {
            "/events" if visit.request.method == "GET" => {
                outliving(visit, Some(Departure::Resetting))
            }
            _ => reference::answer(visit),
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    if leaving::never_stops(record) {
        return Verdict::Skip(
            "nothing ends at a close either: see lifecycle/stops-on-close".to_owned(),
        );
    }
    leaving::judge(
        record,
        "no client reset the connection of a stream between two readings",
        |view| is_simple(view) && !was_quiet(view) && was_reset(record, view),
    )
}
