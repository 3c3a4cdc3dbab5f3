//! A HEAD starts nothing that outlives it.

use std::time::Duration;

use sseproof_http::{Action, Plan};

use super::leaving;
use crate::{Mutant, Record, Rule, Verdict, reference};

pub(super) const RULE: Rule = Rule {
    id: "lifecycle/head-stops",
    judge,
    mutants: &[Mutant::new(
        "produces-for-head",
        "starts a producer for a HEAD, and never stops it",
        |visit| match visit.request.method.as_str() {
            "HEAD" => Plan {
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
    if leaving::never_stops(record) {
        return Verdict::Skip(
            "nothing ends after a GET either: see lifecycle/stops-on-close".to_owned(),
        );
    }
    leaving::judge(record, "no HEAD was sent between two readings", |view| {
        !view.via && view.request.method == "HEAD"
    })
}
