//! The server releases a client that disconnects from a quiet stream.

use sseproof_http::{Departure, Plan, Visit};

use super::leaving::{self, is_simple, outliving, was_quiet};
use crate::{Mutant, Record, Rule, Verdict, reference};

pub(super) const RULE: Rule = Rule {
    id: "lifecycle/stops-when-idle",
    judge,
    mutants: &[
        Mutant::new(
            "deaf-when-idle",
            "notices that a client has disconnected only when it has something to send",
            |visit| quietly(visit, None),
        ),
        Mutant::new(
            "deaf-to-reset-when-idle",
            "notices that a connection was reset only when it has something to send",
            |visit| quietly(visit, Some(Departure::Resetting)),
        ),
    ],
};

/// The right response, which on a quiet stream stays alive when a client disconnects in this way.
fn quietly(visit: &Visit<'_>, only: Option<Departure>) -> Plan {
    match visit.request.path() {
        "/published" if visit.request.method == "GET" => outliving(visit, only),
        _ => reference::answer(visit),
    }
}

fn judge(record: &Record<'_>) -> Verdict {
    if leaving::never_stops(record) {
        return Verdict::Skip(
            "nothing ends where events flow either: see lifecycle/stops-on-close".to_owned(),
        );
    }
    leaving::judge(
        record,
        "no client disconnected from a quiet stream between two readings",
        |view| is_simple(view) && was_quiet(view),
    )
}
