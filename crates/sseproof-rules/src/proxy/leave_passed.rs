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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lifecycle::leaving::testing::{left, seconds};

    fn through(numbers: &[u64; 3]) -> crate::testing::Run {
        left(numbers, seconds(10)).edit_at(1, |view| view.via = true)
    }

    #[test]
    fn only_clients_of_the_proxy_are_judged() {
        left(&[0, 1, 1], seconds(10)).skips(&RULE);
        through(&[0, 1, 0]).passes(&RULE);
        let faults = through(&[0, 1, 1]).faults(&RULE);
        assert_eq!(
            faults[0].message,
            "10 s after the client disconnected, there are still 1 producers: 0 before it came, 1 with it"
        );
        through(&[0, 1, 1]).edit_at(1, |view| view.request.method = "HEAD".to_owned()).skips(&RULE);
    }

    #[test]
    fn connections_may_be_kept_by_the_proxy() {
        use sseproof_record::{Gauge, RunEventKind};
        let run = through(&[0, 1, 1]).edit_run_events(|what| {
            if let RunEventKind::Reading(reading) = what {
                reading.gauge = Gauge::Connections;
            }
        });
        run.skips(&RULE);
    }
}
