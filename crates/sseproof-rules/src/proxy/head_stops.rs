//! A HEAD through the proxy starts nothing at the server that outlives it.

use std::time::Duration;

use sseproof_http::{Action, Plan};

use crate::lifecycle::leaving;
use crate::{Mutant, Record, Rule, Verdict, reference};

pub(super) const RULE: Rule = Rule {
    id: "proxy/head-stops",
    judge,
    mutants: &[Mutant::new(
        "proxy-gets-for-head",
        "is behind a proxy that makes a GET of a HEAD, and reads on without a client",
        |visit| match (visit.request.method.as_str(), reference::behind_proxy(visit.request)) {
            ("HEAD", Some(_)) => Plan {
                actions: vec![
                    reference::head(visit),
                    Action::Hold,
                    Action::Outlive { time: Duration::from_secs(120), only: None },
                ],
            },
            _ => reference::answer(visit),
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    let what = "no HEAD was sent to the proxy between two readings";
    leaving::judge_through(record, what, "lifecycle/head-stops", |view| {
        view.request.method == "HEAD"
    })
}
