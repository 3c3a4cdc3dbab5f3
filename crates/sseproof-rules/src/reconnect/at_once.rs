//! A client whose connection was cut is taken back at once.

use sseproof_http::Plan;

use super::{Return, not_back, on_return};
use crate::outcome::{Outcome, count, each_once};
use crate::{Mutant, Record, Rule, Verdict, View};

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
            |visit| on_return(visit, 0..=1, |plan| plan.after([sseproof_http::Action::Hold])),
        ),
    ],
};

fn judge(record: &Record<'_>) -> Verdict {
    let mut faults = Vec::new();
    let mut other = None;
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
            Outcome::Redirect(_) | Outcome::OtherType | Outcome::NotHttp => {
                other = Some((view.number, outcome));
            }
            Outcome::Refused if is_the_last_seen(record, &view) => {
                doubt = Some("the connection was refused, and so was every later one".to_owned());
            }
            _ => match (super::doubt(record, &outcome), not_back(&view, &outcome, "a cut")) {
                (Some(why), _) => doubt = Some(why),
                (None, fault) if matches!(outcome, Outcome::Closed | Outcome::Refused) => {
                    closed.push(fault);
                }
                (None, fault) => faults.push(fault),
            },
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
        None => Verdict::Skip(super::none(other, "no client reconnected to a stream after a cut")),
    }
}

/// Whether the server refused every later client: a server that died has another fault.
fn is_the_last_seen(record: &Record<'_>, view: &View<'_>) -> bool {
    let is_gone =
        |later: View<'_>| matches!(Outcome::of(&later), Outcome::Refused | Outcome::Unreachable);
    record.judged().filter(|later| later.number > view.number).all(is_gone)
}
