//! The requests of a proxy for a client end when the client disconnects.

use super::sides::unless_invalid;
use crate::lifecycle::leaving::{self, is_simple, was_quiet};
use crate::lifecycle::stops::{held_head, outliving_at};
use crate::{Mutant, Record, Rule, Verdict, View, reference};

pub(super) const LEAVE: Rule = Rule {
    id: "proxy/leave-passed",
    judge: |record| unless_invalid(record, judge(record)),
    mutants: &[
        Mutant::new(
            "proxy-stays",
            "is behind a proxy that reads on when its client has disconnected",
            |visit| outliving_at("/via/events", visit, None),
        ),
        Mutant::new(
            "proxy-stays-when-quiet",
            "is behind a proxy that notices only at a write that its client has disconnected",
            |visit| outliving_at("/via/published", visit, None),
        ),
    ],
};

pub(super) const HEAD: Rule = Rule {
    id: "proxy/head-stops",
    judge: |record| {
        let what = "no HEAD was sent to the proxy between two readings";
        let is_head = |view: &View<'_>| view.request.method == "HEAD";
        let verdict = leaving::judge_through(record, what, "lifecycle/head-stops", is_head);
        unless_invalid(record, verdict)
    },
    mutants: &[Mutant::new(
        "proxy-gets-for-head",
        "is behind a proxy that makes a GET of a HEAD, and reads on without a client",
        |visit| match (visit.request.method.as_str(), reference::behind_proxy(visit.request)) {
            ("HEAD", Some(_)) => held_head(visit),
            _ => reference::answer(visit),
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    // A server that is deaf on quiet streams says nothing of the proxy there.
    let is_quiet = |view: &View<'_>| is_simple(view) && was_quiet(view);
    let deaf = matches!(leaving::judge(record, &[], "", is_quiet), Verdict::Fail(_));
    let what = "no client disconnected from the proxy between two readings";
    leaving::judge_through(record, what, "lifecycle/stops-on-close", |view| {
        let is_one = view.request.method != "HEAD" && view.is_stream();
        is_one && !(deaf && was_quiet(view))
    })
}
