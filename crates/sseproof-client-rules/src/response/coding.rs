//! A coding that the client accepts is decoded event by event.

use super::{BETWEEN, delivered};
use crate::{Fault, Hooks, Judgement, Mutant, REFERENCE, Rule, View};

pub(super) const RULE: Rule = Rule {
    id: "client/response-coding",
    cases: &["coding"],
    judge,
    mutants: &[
        Mutant::new(
            "ignores-coding",
            "asks for gzip and does not decode it",
            Hooks { coding: |_| None, ..REFERENCE },
        ),
        Mutant::new(
            "decodes-late",
            "delivers what it has decoded when more of a compressed stream arrives",
            Hooks {
                received: |state, bytes, last| {
                    if !state.answer.has("content-encoding") {
                        return bytes.to_vec();
                    }
                    let before = std::mem::replace(&mut state.held, bytes.to_vec());
                    if last { [before, std::mem::take(&mut state.held)].concat() } else { before }
                },
                ..REFERENCE
            },
        ),
    ],
};

fn judge(view: &View<'_>) -> Judgement {
    let Some(first) = view.request(1) else { return Judgement::Unclear("no request".to_owned()) };
    if !super::accepts_gzip(&first.what.request) {
        return Judgement::Skipped("the client does not accept gzip".to_owned());
    }
    let events = view.events();
    if let [one, two, ..] = &events[..]
        && two.at.saturating_sub(one.at) < BETWEEN / 4
    {
        let message =
            "the first event is delivered together with the second one, which was sent later";
        return Fault::at(one.entry, message).into();
    }
    let late = events
        .iter()
        .zip(0..)
        .find(|(event, index)| event.at > first.at + BETWEEN * *index + BETWEEN.mul_f64(0.9));
    match delivered(view, &["one", "two", "three"], "each event at once, though compressed") {
        Judgement::Held(_) if late.is_some() && events.len() == 3 => {
            Judgement::Unclear("the events came late, but not together".to_owned())
        }
        judgement => judgement,
    }
}
