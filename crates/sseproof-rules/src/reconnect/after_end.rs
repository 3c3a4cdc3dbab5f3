//! A stream that the server ended can be had again.

use sseproof_record::Plan;

use super::{Return, on_return};
use crate::delivery::figures::shown;
use crate::outcome::{Outcome, count, each_once, is_hang};
use crate::{Fault, Mutant, Place, Record, Rule, Verdict};

pub(crate) const RULE: Rule = Rule {
    id: "reconnect/after-end",
    judge,
    mutants: &[Mutant::new(
        "gone-after-the-end",
        "answers a client that reconnects after the end with 404",
        |visit| {
            let refusal = Plan::answer(404, "text/plain", "no such stream\n");
            on_return(visit, 2..=3, |_| refusal)
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    let mut faults = Vec::new();
    let mut doubt = None;
    let (mut back, mut stopped) = (0, 0);
    for Return { view, before } in super::returns(record) {
        if !before.ended_by_server() {
            continue;
        }
        let outcome = Outcome::of(&view);
        let message = format!("a client that reconnects after the end gets {}", outcome.describe());
        match &outcome {
            Outcome::Stream => back += 1,
            Outcome::Status(204) => stopped += 1,
            Outcome::Redirect(_) | Outcome::OtherType | Outcome::NotHttp => {}
            Outcome::Status(_) => {
                faults.push(Fault::new(&view, Place::StatusLine, message).so(outcome.consequence()))
            }
            Outcome::Silent(waited) if !is_hang(record, *waited) => {
                doubt = Some(format!("no answer within {}, which may be slowness", shown(*waited)));
            }
            Outcome::Silent(_) | Outcome::Closed | Outcome::Refused => {
                faults.push(Fault::whole(&view, message).so(outcome.consequence()));
            }
            Outcome::Unreachable => {
                doubt = Some("the way back was closed: no connection".to_owned())
            }
        }
    }
    if !faults.is_empty() {
        return Verdict::Fail(each_once(faults));
    }
    match (doubt, back, stopped) {
        (Some(doubt), ..) => Verdict::Inconclusive(doubt),
        (None, 0, 0) => {
            Verdict::Skip("no client reconnected after the server had ended a stream".to_owned())
        }
        (None, 0, _) => Verdict::Pass("204 stops the client after the end".to_owned()),
        (None, ..) => Verdict::Pass(count(back, "return")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference;
    use crate::testing::{Run, URL};
    use sseproof_record::{Answer, Ending, Phase, Request};
    use std::time::Duration;

    /// A client that stays to the end and reconnects after the announced 100 ms.
    fn to_the_end(serve: Answer) -> Run {
        let run = Run::against(serve).visit(Request::subscribe(URL), Duration::from_secs(3));
        let id = run.last_id();
        run.pause(reference::RETRY).reconnect(1, &id)
    }

    fn answered(status: u16) -> Run {
        to_the_end(reference::answer).edit(|last| last.head.as_mut().unwrap().status = status)
    }

    #[test]
    fn the_reference_is_there_again() {
        to_the_end(reference::answer).passes(&RULE);
    }

    #[test]
    fn the_mutant_fails() {
        let faults = to_the_end(RULE.mutants[0].serve).faults(&RULE);
        assert_eq!(
            faults[0].message,
            "a client that reconnects after the end gets the status 404 (not found)"
        );
    }

    #[test]
    fn no_content_is_the_way_to_say_that_it_was_all() {
        answered(204).passes(&RULE);
        answered(503).faults(&RULE);
        answered(307).skips(&RULE);
    }

    #[test]
    fn silence_counts_when_it_is_long() {
        let silent = |seconds: u64| {
            to_the_end(reference::answer).edit(|last| {
                last.head = None;
                last.end.how = Ending::TimedOut(Phase::Head);
                last.end.at = last.started + Duration::from_secs(seconds);
            })
        };
        silent(1).is_inconclusive(&RULE);
        silent(5).faults(&RULE);
    }

    #[test]
    fn a_client_that_was_cut_off_is_not_judged_here() {
        Run::against(reference::answer).subscribe().reconnect(1, "1").skips(&RULE);
        Run::against(reference::answer).subscribe().skips(&RULE);
    }
}
