//! A stream that the server ended can be had again.

use sseproof_http::Plan;

use super::{Return, not_back, on_return};
use crate::outcome::{Outcome, count, each_once};
use crate::{Mutant, Record, Rule, Verdict};

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
    let mut other = None;
    let mut doubt = None;
    let (mut back, mut stopped) = (0, 0);
    for Return { view, before } in super::returns(record) {
        if !before.ended_by_server() {
            continue;
        }
        let outcome = Outcome::of(&view);
        match &outcome {
            Outcome::Stream => back += 1,
            Outcome::Status(204) => stopped += 1,
            Outcome::Redirect(_) | Outcome::OtherType | Outcome::NotHttp => {
                other = Some((view.number, outcome));
            }
            _ => match super::doubt(record, &outcome) {
                Some(why) => doubt = Some(why),
                None => faults.push(not_back(&view, &outcome, "the end")),
            },
        }
    }
    if !faults.is_empty() {
        return Verdict::Fail(each_once(faults));
    }
    match (doubt, back, stopped) {
        (Some(doubt), ..) => Verdict::Inconclusive(doubt),
        (None, 0, 0) => {
            let what = "no client reconnected after the server had ended a stream";
            Verdict::Skip(super::none(other, what))
        }
        (None, 0, _) => Verdict::Pass("204 stops the client after the end".to_owned()),
        (None, ..) => Verdict::Pass(count(back, "return")),
    }
}
