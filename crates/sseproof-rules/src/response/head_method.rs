//! A HEAD request is answered.

use sseproof_record::{Action, Plan, Visit};

use crate::outcome::{
    NO_STREAM, Outcome, closes_on_anybody, count, each_once, is_hang, stream_answers,
};
use crate::{Fault, Mutant, Place, Record, Rule, Verdict, reference};

pub(crate) const RULE: Rule = Rule {
    id: "response/head-method",
    judge,
    mutants: &[
        Mutant::new("head-hangs", "never answers HEAD", |visit| {
            on_head(visit, Plan { actions: vec![Action::Hold] })
        }),
        Mutant::new("head-fails", "answers HEAD with 500", |visit| {
            on_head(visit, reference::answer(visit).with_status(500))
        }),
        Mutant::new("head-not-found", "answers HEAD with 404 where GET gets the stream", |visit| {
            on_head(visit, reference::answer(visit).with_status(404))
        }),
    ],
};

fn on_head(visit: &Visit<'_>, answer: Plan) -> Plan {
    if visit.request.method == "HEAD" { answer } else { reference::answer(visit) }
}

fn judge(record: &Record<'_>) -> Verdict {
    let mut faults = Vec::new();
    let mut doubt = None;
    let (mut asked, mut answered) = (0, 0);
    for view in record.judged().filter(|view| view.request.method == "HEAD") {
        asked += 1;
        let outcome = Outcome::of(&view);
        match &outcome {
            Outcome::Status(404 | 410) => faults.push(
                Fault::new(
                    &view,
                    Place::StatusLine,
                    format!("HEAD is answered with {}", outcome.describe()),
                )
                .so("a client that sends HEAD takes the stream for missing"),
            ),
            Outcome::Status(500 | 502..=599) => faults.push(
                Fault::new(
                    &view,
                    Place::StatusLine,
                    format!("HEAD is answered with {}", outcome.describe()),
                )
                .so("a client that sends HEAD takes the server for broken"),
            ),
            Outcome::Silent(waited) if !is_hang(record, *waited) => {
                doubt = Some(format!("HEAD got {}", outcome.describe()));
            }
            Outcome::Closed if closes_on_anybody(record) => {
                doubt = Some(format!("HEAD got {}", outcome.describe()));
            }
            Outcome::Silent(_) | Outcome::Closed => {
                faults
                    .push(Fault::whole(&view, format!("HEAD gets {}", outcome.describe())).so(
                        "a client that sends HEAD waits in vain and takes the server for dead",
                    ));
            }
            Outcome::Refused | Outcome::Unreachable => {
                doubt = Some(format!("HEAD got {}", outcome.describe()))
            }
            Outcome::NotHttp => {}
            _ => answered += 1,
        }
    }
    if asked == 0 {
        return Verdict::Skip("no request was HEAD".to_owned());
    }
    if stream_answers(record).next().is_none() {
        return Verdict::Skip(NO_STREAM.to_owned());
    }
    if !faults.is_empty() {
        return Verdict::Fail(each_once(faults));
    }
    match doubt {
        Some(doubt) => Verdict::Inconclusive(doubt),
        None if answered == 0 => Verdict::Skip("the answer to HEAD was not HTTP".to_owned()),
        None => Verdict::Pass(count(answered, "HEAD request")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Run, URL};
    use sseproof_record::{Answer, Ending, Request};
    use std::time::Duration;

    fn head(serve: Answer) -> Run {
        let mut request = Request::subscribe(URL);
        request.method = "HEAD".to_owned();
        Run::against(serve).subscribe().visit(request, Duration::from_secs(2))
    }

    fn answered(status: u16) -> Run {
        head(reference::answer).edit(|last| last.head.as_mut().unwrap().status = status)
    }

    #[test]
    fn the_reference_passes() {
        head(reference::answer).passes(&RULE);
    }

    #[test]
    fn each_mutant_fails() {
        let expected = [
            "HEAD gets no answer within 2 s",
            "HEAD is answered with the status 500 (internal server error)",
            "HEAD is answered with the status 404 (not found)",
        ];
        for (mutant, message) in RULE.mutants.iter().zip(expected) {
            assert_eq!(head(mutant.serve).faults(&RULE)[0].message, message, "{}", mutant.id);
        }
    }

    #[test]
    fn refusals_pass_and_failures_do_not() {
        for status in [204, 302, 400, 401, 403, 405, 429, 501] {
            answered(status).passes(&RULE);
        }
        for status in [404, 410, 500, 502, 503] {
            answered(status).faults(&RULE);
        }
    }

    #[test]
    fn a_short_wait_shows_nothing() {
        let without = |how: Ending, millis: u64| {
            head(reference::answer).edit(|last| {
                last.head = None;
                last.end.how = how;
                last.end.at = last.started + Duration::from_millis(millis);
            })
        };
        without(Ending::Left, 500).is_inconclusive(&RULE);
        without(Ending::Unconnected("refused".into()), 500).is_inconclusive(&RULE);
        without(Ending::Truncated, 5).faults(&RULE);
        without(Ending::Malformed("x".into()), 5).skips(&RULE);
    }

    #[test]
    fn without_head_or_without_a_stream_there_is_nothing_to_judge() {
        Run::against(reference::answer).subscribe().skips(&RULE);
        head(|_| Plan::answer(404, "text/plain", "")).skips(&RULE);
    }
}
