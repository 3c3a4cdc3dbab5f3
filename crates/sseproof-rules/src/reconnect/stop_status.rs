//! No status stops a new subscriber for good by accident.

use sseproof_record::{Plan, Reason};

use crate::outcome::{Coming, Outcome, coming, count, each_once};
use crate::{Fault, Mutant, Place, Record, Rule, Verdict, View, reference};

pub(super) const RULE: Rule = Rule {
    id: "reconnect/stop-status",
    judge,
    mutants: &[Mutant::new(
        "one-subscriber-only",
        "turns a second subscriber away while the first is there",
        |visit| {
            let subscribes = visit.request.headers.list("accept") == ["text/event-stream"]
                && visit.request.method == "GET"
                && !visit.request.headers.has("last-event-id");
            if subscribes && visit.open > 0 {
                return Plan::answer(409, "text/plain", "another client is subscribed already\n");
            }
            reference::answer(visit)
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    let mut faults = Vec::new();
    let mut good = 0;
    for view in record.subscriptions() {
        let Coming::Anew = coming(record, &view) else { continue };
        let outcome = Outcome::of(&view);
        let message =
            || format!("a later subscriber gets {}{}", outcome.describe(), beside(record, &view));
        match &outcome {
            Outcome::Stream => good += 1,
            Outcome::Status(_) => faults
                .push(Fault::new(&view, Place::StatusLine, message()).so(outcome.consequence())),
            // A missing response stops no client for good.
            _ => {}
        }
    }
    if good == 0 && faults.is_empty() {
        return Verdict::Skip("no client subscribed a second time".to_owned());
    }
    Verdict::from_faults(each_once(faults), count(good, "later subscriber"))
}

fn beside(record: &Record<'_>, view: &View<'_>) -> &'static str {
    let redirected = |other: &View<'_>| {
        record.followed(view, Reason::Redirect).is_some_and(|from| from.number == other.number)
    };
    let open = record
        .judged()
        .any(|other| other.number != view.number && other.overlaps(view) && !redirected(&other));
    if open { " while another stream is open" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Run;
    use sseproof_record::Ending;
    use std::time::Duration;

    fn second(edit: impl FnOnce(&mut sseproof_record::Exchange)) -> Run {
        Run::against(reference::answer).subscribe().subscribe().edit(edit)
    }

    #[test]
    fn the_reference_has_a_place_for_all() {
        second(|_| ()).passes(&RULE);
    }

    #[test]
    fn the_mutant_fails_and_the_message_names_the_other_client() {
        let refusal = |last: &mut sseproof_record::Exchange| {
            let visit = sseproof_record::Visit {
                request: &last.request.clone(),
                now: last.started,
                earlier: 1,
                open: 1,
                beside: 0,
                blocked: 0,
            };
            let plan = (RULE.mutants[0].serve)(&visit);
            let played =
                crate::testing::play(&plan, 2, last.request.clone(), last.started, Duration::ZERO);
            last.head = played.head;
            last.started -= Duration::from_millis(500);
        };
        let faults = second(refusal).faults(&RULE);
        assert_eq!(
            faults[0].message,
            "a later subscriber gets the status 409 (conflict) while another stream is open"
        );
    }

    #[test]
    fn each_stop_is_named() {
        let shown = |status: u16| {
            let run = second(|last| last.head.as_mut().unwrap().status = status);
            run.faults(&RULE)[0].consequence.clone().unwrap()
        };
        assert!(shown(204).starts_with("204 stops the client"));
        assert!(shown(503).contains("does not try again later"));
        assert!(shown(404).contains("for good"));
        second(|last| last.head.as_mut().unwrap().status = 307).skips(&RULE);
    }

    #[test]
    fn a_missing_response_stops_no_client() {
        for how in [Ending::Truncated, Ending::Left, Ending::Unconnected("refused".into())] {
            second(|last| {
                last.head = None;
                last.end.how = how;
            })
            .skips(&RULE);
        }
    }

    #[test]
    fn the_first_answer_is_not_judged_here() {
        Run::against(|_| Plan::answer(404, "text/plain", "")).subscribe().subscribe().skips(&RULE);
        Run::against(reference::answer).subscribe().skips(&RULE);
    }
}
