//! The server releases a client that disconnects, in whatever way it does so.

use std::time::Duration;

use sseproof_http::{Action, Departure, Plan, Visit};

use super::leaving::{self, is_simple, never_stops, outliving, was_quiet, was_reset};
use crate::{Mutant, Record, Rule, Verdict, View, reference};

pub(super) const ON_CLOSE: Rule = Rule {
    id: "lifecycle/stops-on-close",
    judge: |record| {
        leaving::judge(
            record,
            "no client closed the connection of a stream between two readings",
            |view| is_simple(view) && !was_quiet(view) && !was_reset(record, view),
        )
    },
    mutants: &[Mutant::new(
        "deaf-to-close",
        "goes on for clients that have closed the connection",
        |visit| outliving_at("/events", visit, Some(Departure::Closing)),
    )],
};

pub(super) const ON_RESET: Rule = Rule {
    id: "lifecycle/stops-on-reset",
    judge: |record| {
        unless_never(
            record,
            "nothing ends at a close either",
            "no client reset the connection of a stream between two readings",
            |view| is_simple(view) && !was_quiet(view) && was_reset(record, view),
        )
    },
    mutants: &[Mutant::new(
        "deaf-to-reset",
        "goes on for clients whose connection was reset",
        |visit| outliving_at("/events", visit, Some(Departure::Resetting)),
    )],
};

pub(super) const WHEN_IDLE: Rule = Rule {
    id: "lifecycle/stops-when-idle",
    judge: |record| {
        unless_never(
            record,
            "nothing ends where events flow either",
            "no client disconnected from a quiet stream between two readings",
            |view| is_simple(view) && was_quiet(view),
        )
    },
    mutants: &[
        Mutant::new(
            "deaf-when-idle",
            "notices that a client has disconnected only when it has something to send",
            |visit| outliving_at("/published", visit, None),
        ),
        Mutant::new(
            "deaf-to-reset-when-idle",
            "notices that a connection was reset only when it has something to send",
            |visit| outliving_at("/published", visit, Some(Departure::Resetting)),
        ),
    ],
};

pub(super) const AFTER_HEAD: Rule = Rule {
    id: "lifecycle/head-stops",
    judge: |record| {
        unless_never(
            record,
            "nothing ends after a GET either",
            "no HEAD was sent between two readings",
            |view| !view.via && view.request.method == "HEAD",
        )
    },
    mutants: &[Mutant::new(
        "produces-for-head",
        "starts a producer for a HEAD, and never stops it",
        |visit| match visit.request.method.as_str() {
            "HEAD" => held_head(visit),
            _ => reference::answer(visit),
        },
    )],
};

/// The verdict on the clients that are meant, if the server stops at least for a client that
/// closes the connection.
fn unless_never(
    record: &Record<'_>,
    never: &str,
    none: &str,
    meant: impl Fn(&View<'_>) -> bool,
) -> Verdict {
    if never_stops(record) {
        return Verdict::Skip(format!("{never}: see lifecycle/stops-on-close"));
    }
    leaving::judge(record, none, meant)
}

/// For mutants: the right response to a HEAD, whose producer goes on.
pub(crate) fn held_head(visit: &Visit<'_>) -> Plan {
    let outlive = Action::Outlive { time: Duration::from_secs(120), only: None };
    Plan { actions: vec![reference::head(visit), Action::Hold, outlive] }
}

/// For mutants: the right response, which on this path goes on when a client disconnects in
/// this way.
pub(crate) fn outliving_at(path: &str, visit: &Visit<'_>, only: Option<Departure>) -> Plan {
    if visit.request.method == "GET" && visit.request.path() == path {
        return outliving(visit, only);
    }
    reference::answer(visit)
}
