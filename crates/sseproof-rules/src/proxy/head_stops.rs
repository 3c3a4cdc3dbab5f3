//! A HEAD through the proxy starts nothing at the server that outlives it.

use std::time::Duration;

use sseproof_record::{Action, Plan};

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lifecycle::leaving::testing::{left, seconds};

    #[test]
    fn only_a_head_through_the_proxy_is_judged() {
        let head = |numbers, via| {
            left(numbers, seconds(10)).edit_at(1, |view| {
                view.via = via;
                view.request.method = "HEAD".to_owned();
            })
        };
        head(&[0, 0, 1], false).skips(&RULE);
        head(&[0, 0, 0], true).passes(&RULE);
        assert_eq!(head(&[0, 0, 1], true).faults(&RULE)[0].exchange, 1);
    }
}
