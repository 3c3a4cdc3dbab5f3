//! A client whose connection was cut is taken back at once.

use sseproof_record::Plan;

use super::{Return, on_return};
use crate::delivery::figures::shown;
use crate::outcome::{Outcome, count, each_once, is_hang};
use crate::{Fault, Mutant, Place, Record, Rule, Verdict, View};

pub(crate) const RULE: Rule = Rule {
    id: "reconnect/at-once",
    judge,
    mutants: &[
        Mutant::new(
            "too-many-requests",
            "answers a client that reconnects at once with 429",
            |visit| {
                let refusal = Plan::answer(429, "text/plain", "not so fast\n");
                on_return(visit, 0..=1, |_| refusal)
            },
        ),
        Mutant::new(
            "every-third-time",
            "has no place for a client that reconnects again and again",
            |visit| {
                let refusal = Plan::answer(503, "text/plain", "full\n");
                on_return(visit, 0..=1, |plan| if visit.earlier % 3 == 2 { refusal } else { plan })
            },
        ),
        Mutant::new(
            "no-answer-on-return",
            "does not answer a client that reconnects at once",
            |visit| on_return(visit, 0..=1, |plan| plan.after([sseproof_record::Action::Hold])),
        ),
    ],
};

fn judge(record: &Record<'_>) -> Verdict {
    let mut faults = Vec::new();
    let mut doubt = None;
    let mut closed = Vec::new();
    let (mut back, mut came) = (0, 0);
    for Return { view, before } in super::returns(record) {
        if before.ended_by_server() {
            // `reconnect/after-end` judges a client that reconnects after an end.
            continue;
        }
        came += 1;
        let outcome = Outcome::of(&view);
        match &outcome {
            Outcome::Stream => back += 1,
            Outcome::Redirect(_) | Outcome::OtherType | Outcome::NotHttp => {}
            Outcome::Status(_) => {
                let message =
                    format!("a client that reconnects after a cut gets {}", outcome.describe());
                faults
                    .push(Fault::new(&view, Place::StatusLine, message).so(outcome.consequence()));
            }
            Outcome::Silent(waited) if !is_hang(record, *waited) => {
                doubt = Some(format!("no answer within {}, which may be slowness", shown(*waited)));
            }
            Outcome::Refused if is_the_last_seen(record, &view) => {
                doubt = Some("the connection was refused, and so was every later one".to_owned());
            }
            Outcome::Silent(_) | Outcome::Closed | Outcome::Refused => {
                let message =
                    format!("a client that reconnects after a cut gets {}", outcome.describe());
                let fault = Fault::whole(&view, message).so(outcome.consequence());
                match outcome {
                    Outcome::Silent(_) => faults.push(fault),
                    _ => closed.push(fault),
                }
            }
            Outcome::Unreachable => {
                doubt = Some("the way back was closed: no connection".to_owned())
            }
        }
    }
    // One connection of many that breaks before its response headers may be the network's fault.
    match closed.as_slice() {
        [_] if back > 0 && faults.is_empty() => {
            doubt = Some(format!(
                "1 of {came} connections broke before the response headers: the network?"
            ));
        }
        _ => faults.extend(closed),
    }
    if !faults.is_empty() {
        let rest = match back {
            0 => String::new(),
            _ => format!("; it was taken back {} of {came} times", back),
        };
        let mut faults = each_once(faults);
        for fault in &mut faults {
            fault.consequence = fault.consequence.take().map(|so| so + &rest);
        }
        return Verdict::Fail(faults);
    }
    match doubt {
        Some(doubt) => Verdict::Inconclusive(doubt),
        None if back > 0 => Verdict::Pass(count(back, "return")),
        None => Verdict::Skip("no client reconnected to a stream after a cut".to_owned()),
    }
}

/// Whether the server refused every later client: a server that died has another fault.
fn is_the_last_seen(record: &Record<'_>, view: &View<'_>) -> bool {
    let is_gone =
        |later: View<'_>| matches!(Outcome::of(&later), Outcome::Refused | Outcome::Unreachable);
    record.judged().filter(|later| later.number > view.number).all(is_gone)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference;
    use crate::testing::Run;
    use sseproof_record::{Ending, Phase};
    use std::time::Duration;

    /// A client that is cut off and reconnects `times` times.
    fn cut_off(serve: sseproof_record::Answer, times: usize) -> Run {
        (0..times).fold(Run::against(serve).subscribe(), |run, time| {
            let id = run.last_id();
            run.reconnect(time + 1, &id)
        })
    }

    fn second(edit: impl FnOnce(&mut sseproof_record::Exchange)) -> Run {
        cut_off(reference::answer, 1).edit(edit)
    }

    fn silent(after: u64) -> Run {
        second(|last| {
            last.head = None;
            last.body.clear();
            last.end.how = Ending::TimedOut(Phase::Head);
            last.end.at = last.started + Duration::from_secs(after);
        })
    }

    #[test]
    fn the_reference_takes_everybody_back() {
        cut_off(reference::answer, 5).passes(&RULE);
    }

    #[test]
    fn each_mutant_fails() {
        let expected = [
            "a client that reconnects after a cut gets the status 429 (too many requests)",
            "a client that reconnects after a cut gets the status 503 (service unavailable)",
        ];
        for (mutant, message) in RULE.mutants.iter().zip(expected) {
            let faults = cut_off(mutant.serve, 3).faults(&RULE);
            assert_eq!(faults.len(), 1, "{}", mutant.id);
            assert_eq!(faults[0].message, message);
        }
        let faults = cut_off(RULE.mutants[1].serve, 3).faults(&RULE);
        assert!(faults[0].consequence.as_deref().unwrap().ends_with("taken back 2 of 3 times"));
        cut_off(RULE.mutants[2].serve, 1)
            .edit(|last| last.end.at = last.started + Duration::from_secs(3))
            .faults(&RULE);
    }

    #[test]
    fn a_hang_differs_from_slowness() {
        assert!(silent(3).faults(&RULE)[0].message.ends_with("no answer within 3 s"));
        silent(1).is_inconclusive(&RULE);
        // The first response headers took long as well.
        silent(3)
            .edit_at(1, |first| first.head.as_mut().unwrap().at += Duration::from_millis(900))
            .is_inconclusive(&RULE);
    }

    #[test]
    fn a_refused_connection_fails_and_an_unreachable_network_does_not() {
        let gone = |how: &str| {
            second(|last| {
                last.head = None;
                last.end.how = Ending::Unconnected(how.to_owned());
            })
        };
        let refused = gone("Connection refused (os error 111)");
        refused.is_inconclusive(&RULE);
        refused.subscribe().faults(&RULE);
        gone("network is unreachable").is_inconclusive(&RULE);
    }

    #[test]
    fn one_broken_connection_among_others_may_be_the_network() {
        let broken = |last: &mut sseproof_record::Exchange| {
            last.head = None;
            last.body.clear();
            last.end.how = Ending::Reset;
        };
        let once = cut_off(reference::answer, 3).edit_at(2, broken);
        once.is_inconclusive(&RULE);
        cut_off(reference::answer, 1).edit(broken).faults(&RULE);
        let twice = cut_off(reference::answer, 4).edit_at(2, broken).edit_at(4, broken);
        assert!(twice.faults(&RULE)[0].message.contains("closed connection"));
    }

    #[test]
    fn a_reconnect_after_an_end_or_to_no_stream_is_not_judged_here() {
        Run::against(reference::answer)
            .subscribe()
            .edit(|last| last.end.how = Ending::Complete)
            .reconnect(1, "1")
            .edit(|last| last.head.as_mut().unwrap().status = 503)
            .skips(&RULE);
        Run::against(|_| Plan::answer(404, "text/plain", ""))
            .subscribe()
            .reconnect(1, "")
            .skips(&RULE);
        Run::against(reference::answer).subscribe().skips(&RULE);
    }

    #[test]
    fn a_page_is_not_judged_here() {
        second(|last| last.head.as_mut().unwrap().headers.set("Content-Type", "text/html"))
            .skips(&RULE);
    }
}
