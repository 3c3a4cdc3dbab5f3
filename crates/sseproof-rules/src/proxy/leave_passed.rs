//! A proxy closes its request to the server when its client disconnects.

use crate::lifecycle::leaving::{self, is_simple, outliving, was_quiet};
use crate::{Mutant, Record, Rule, Verdict, View, reference};

pub(super) const RULE: Rule = Rule {
    id: "proxy/leave-passed",
    judge,
    mutants: &[
        Mutant::new(
            "proxy-stays",
            "is behind a proxy that reads on when its client has disconnected",
            |visit| match (visit.request.method.as_str(), visit.request.path()) {
                ("GET", "/via/events") => outliving(visit, None),
                _ => reference::answer(visit),
            },
        ),
        Mutant::new(
            "proxy-stays-when-quiet",
            "is behind a proxy that notices only at a write that its client has disconnected",
            |visit| match (visit.request.method.as_str(), visit.request.path()) {
                ("GET", "/via/published") => outliving(visit, None),
                _ => reference::answer(visit),
            },
        ),
    ],
};

fn judge(record: &Record<'_>) -> Verdict {
    // A server that is deaf on quiet streams says nothing of the proxy there.
    let is_quiet = |view: &View<'_>| is_simple(view) && was_quiet(view);
    let deaf = matches!(leaving::judge(record, "", is_quiet), Verdict::Fail(_));
    let what = "no client disconnected from the proxy between two readings";
    leaving::judge_through(record, what, "lifecycle/stops-on-close", |view| {
        let is_one = view.request.method != "HEAD" && view.is_stream();
        is_one && !(deaf && was_quiet(view))
    })
}
