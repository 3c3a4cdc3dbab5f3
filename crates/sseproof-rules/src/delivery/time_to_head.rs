//! The response headers come at once.

use std::time::Duration;

use sseproof_record::{Action, Reason};

use super::figures::{Spread, shown, time_to_head, waited_in_vain};
use super::one_by_one::is_held_with_events;
use crate::response::answered::is_mute;
use crate::timing::TOO_LATE;
use crate::{Fault, Mutant, Record, Rule, Verdict, reference};

pub(super) const RULE: Rule = Rule {
    id: "delivery/time-to-head",
    judge,
    mutants: &[Mutant::new(
        "late-head",
        "holds back the response headers for two seconds and more",
        |visit| {
            let request = visit.request;
            let right = reference::answer(visit);
            let subscribes = request.method == "GET" && request.headers.has("accept");
            if subscribes {
                right.after([Action::Wait(Duration::from_millis(2_400))])
            } else {
                right
            }
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    // A redirect is only a part of the way, and an answer without a stream has another fault.
    let asked: Vec<_> = record
        .subscriptions()
        .filter(|view| record.followed(view, Reason::Redirect).is_none())
        .filter(|view| view.is_stream() || waited_in_vain(view).is_some())
        .collect();
    let came = Spread::of(asked.iter().filter_map(time_to_head));
    let longest_wait = asked.iter().filter_map(waited_in_vain).max();
    let Some(came) = came else {
        return match longest_wait {
            Some(_) if is_mute(record) => {
                Verdict::Skip("no subscription was answered: see response/answered".to_owned())
            }
            Some(wait) => {
                Verdict::Inconclusive(format!("no response headers came within {}", shown(wait)))
            }
            None => Verdict::Skip("no subscription was answered by a stream".to_owned()),
        };
    };
    if came.median <= TOO_LATE {
        return Verdict::Pass(format!("response headers after {came}"));
    }
    if is_held_with_events(record) {
        let why =
            "a buffer holds back the response headers with the events: see delivery/one-by-one";
        return Verdict::Skip(why.to_owned());
    }
    if came.count == 1 {
        let note =
            format!("the response headers came after {}, in a single exchange", shown(came.median));
        return Verdict::Inconclusive(note);
    }
    let slowest =
        asked.iter().filter(|view| view.head.is_some()).max_by_key(|view| time_to_head(view));
    let faults = slowest.map(|view| {
        Fault::new(
            view,
            crate::Place::StatusLine,
            format!("the response headers come late: after {came}"),
        )
    });
    Verdict::from_faults(faults.into_iter().collect(), String::new())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Run, URL};
    use sseproof_record::{Ending, Plan, Request};

    const LATE: sseproof_record::Answer = RULE.mutants[0].serve;

    fn patient(run: Run) -> Run {
        run.visit(Request::subscribe(URL), Duration::from_secs(3))
    }

    fn silent(run: Run, stay: Duration) -> Run {
        run.visit(Request::subscribe(URL), stay)
    }

    #[test]
    fn the_reference_is_quick() {
        Run::against(reference::answer).subscribe().subscribe().passes(&RULE);
    }

    #[test]
    fn a_late_head_is_a_fault_with_its_figures() {
        let faults = patient(patient(Run::against(LATE))).faults(&RULE);
        assert_eq!(
            faults[0].message,
            "the response headers come late: after 2.4 s (median of 2; 2.4 s to 2.4 s)"
        );
    }

    #[test]
    fn one_late_head_may_be_a_cold_start() {
        let run = patient(Run::against(LATE));
        run.is_inconclusive(&RULE);
    }

    #[test]
    fn one_late_head_among_quick_ones_passes() {
        Run::against(reference::answer)
            .subscribe()
            .subscribe()
            .edit(|last| last.head.as_mut().expect("response headers").at += Duration::from_secs(5))
            .subscribe()
            .passes(&RULE);
    }

    #[test]
    fn a_head_that_never_comes_is_another_rule() {
        let holds: sseproof_record::Answer = |_| Plan { actions: vec![Action::Hold] };
        let twice = |stay| silent(silent(Run::against(holds), stay), stay);
        twice(TOO_LATE * 2).is_inconclusive(&RULE);
        twice(TOO_LATE * 10).skips(&RULE);
    }

    #[test]
    fn an_answer_that_is_no_stream_is_not_measured() {
        Run::against(|visit| reference::answer(visit).with_status(500)).subscribe().skips(&RULE);
    }

    #[test]
    fn a_refused_connection_is_not_measured() {
        Run::against(reference::answer)
            .subscribe()
            .edit(|last| {
                last.head = None;
                last.end.how = Ending::Unconnected("refused".to_owned());
            })
            .skips(&RULE);
    }
}
