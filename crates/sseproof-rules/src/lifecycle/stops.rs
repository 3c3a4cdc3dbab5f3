//! The server releases a client that disconnects, in whatever way it does so.

use std::time::Duration;

use sseproof_http::{Action, Departure, Plan, Visit};
use sseproof_record::Lack;

use super::leaving::{self, is_simple, leavings, never_stops, outliving, was_quiet, was_reset};
use crate::{Mutant, Record, Rule, Verdict, View, reference};

pub(super) const ON_CLOSE: Rule = Rule {
    id: "lifecycle/stops-on-close",
    judge: |record| {
        let closed = |view: &View<'_>| is_simple(view) && !was_reset(record, view);
        let none = "no client closed the connection of a stream between two readings";
        judge(record, none, Quiet::No, closed)
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
        let reset = |view: &View<'_>| is_simple(view) && was_reset(record, view);
        let none = "no client reset the connection of a stream between two readings";
        unless_never(record, "nothing ends at a close either")
            .unwrap_or_else(|| judge(record, none, Quiet::No, reset))
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
        let none = "no client disconnected from a stream between two readings";
        unless_never(record, "nothing ends where events flow either")
            .unwrap_or_else(|| judge(record, none, Quiet::Yes, is_simple))
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
        unless_never(record, "nothing ends after a GET either").unwrap_or_else(|| {
            let none = "no HEAD was sent between two readings";
            leaving::judge(record, &[Lack::Active], none, |view| {
                !view.via && view.request.method == "HEAD"
            })
        })
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

/// Whether clients are meant that disconnected from a quiet stream, or while events came.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quiet {
    No,
    Yes,
}

/// The verdict on the clients that disconnected so, from such streams.
fn judge(record: &Record<'_>, none: &str, quiet: Quiet, so: impl Fn(&View<'_>) -> bool) -> Verdict {
    let is_quiet = quiet == Quiet::Yes;
    let others = leavings(record).iter().any(|leaving| so(&leaving.view));
    let none = match quiet {
        _ if !others => none,
        Quiet::No => "each client disconnected from a quiet stream: see lifecycle/stops-when-idle",
        Quiet::Yes => "each client disconnected while events came: see lifecycle/stops-on-close",
    };
    // Only a stream without events of its own depends on what is published.
    let lacks: &[Lack] =
        if is_quiet || others { &[Lack::Active, Lack::Publish] } else { &[Lack::Active] };
    leaving::judge(record, lacks, none, |view| so(view) && was_quiet(view) == is_quiet)
}

/// Why there is nothing to say, if the server does not even stop for a client that closes the
/// connection while events come.
fn unless_never(record: &Record<'_>, never: &str) -> Option<Verdict> {
    never_stops(record).then(|| Verdict::Skip(format!("{never}: see lifecycle/stops-on-close")))
}

/// For mutants: the right response to a HEAD, whose producer goes on.
pub(crate) fn held_head(visit: &Visit<'_>) -> Plan {
    let outlive = Action::Outlive { time: Duration::from_secs(120), only: None };
    Plan { actions: vec![reference::head(visit), outlive] }
}

/// For mutants: the right response, which on this path goes on when a client disconnects in
/// this way.
pub(crate) fn outliving_at(path: &str, visit: &Visit<'_>, only: Option<Departure>) -> Plan {
    if visit.request.method == "GET" && visit.request.path() == path {
        return outliving(visit, only);
    }
    reference::answer(visit)
}
