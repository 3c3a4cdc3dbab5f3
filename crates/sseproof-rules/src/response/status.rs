//! A subscription is answered with the status 200.

use sseproof_http::{Framing, Plan};

use super::on_stream;
use crate::outcome::{Coming, Outcome, coming, count, each_once};
use crate::{Fault, Mutant, Place, Record, Rule, Verdict};

pub(crate) const RULE: Rule = Rule {
    id: "response/status",
    judge,
    mutants: &[
        Mutant::new("not-found", "answers every GET with 404", |visit| {
            on_stream(visit, |_| Plan::answer(404, "text/plain", "no such stream\n"))
        }),
        Mutant::new("created", "answers a subscription with 201", |visit| {
            on_stream(visit, |plan| plan.with_status(201))
        }),
        Mutant::new(
            "nothing-to-say",
            "answers a subscription with 204 until there is something to send",
            |visit| {
                on_stream(visit, |plan| {
                    plan.with_status(204).cut(0, []).with_framing(Framing::None)
                })
            },
        ),
    ],
};

fn judge(record: &Record<'_>) -> Verdict {
    let (mut good, mut redirected, mut not_http) = (0, 0, 0);
    let mut faults = Vec::new();
    let mut unanswered = Vec::new();
    let mut unreached = None;
    for view in record.subscriptions() {
        let Coming::First = coming(record, &view) else { continue };
        let outcome = Outcome::of(&view);
        match &outcome {
            Outcome::Stream | Outcome::OtherType => good += 1,
            Outcome::Redirect(_) => redirected += 1,
            Outcome::NotHttp => not_http += 1,
            Outcome::Status(_) => faults.push(
                Fault::new(
                    &view,
                    Place::StatusLine,
                    format!("the answer is {}", outcome.describe()),
                )
                .so(outcome.consequence()),
            ),
            Outcome::Closed => unanswered.push(
                Fault::whole(&view, format!("the server gives {}", outcome.describe()))
                    .so(outcome.consequence()),
            ),
            // Delayed headers may still come: see `response/head-before-event`.
            Outcome::Silent(_) => unreached = Some(outcome),
            Outcome::Refused | Outcome::Unreachable => unreached = Some(outcome),
        }
    }
    if !faults.is_empty() {
        return Verdict::Fail(each_once(faults));
    }
    if good > 0 {
        return Verdict::Pass(count(good, "subscription"));
    }
    // One closed door beside an answer is a server that had to wake up.
    if !unanswered.is_empty() {
        return Verdict::Fail(each_once(unanswered));
    }
    match unreached {
        Some(outcome) => Verdict::Inconclusive(format!("there was {}", outcome.describe())),
        None if redirected > 0 => Verdict::Skip("every answer is a redirect".to_owned()),
        None if not_http > 0 => Verdict::Skip("no answer was HTTP".to_owned()),
        None => Verdict::Skip("no client subscribed".to_owned()),
    }
}
