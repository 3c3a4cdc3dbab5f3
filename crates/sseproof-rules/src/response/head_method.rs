//! A HEAD request is answered.

use sseproof_http::{Action, Plan, Visit};

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
