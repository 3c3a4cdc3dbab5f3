//! A redirect without a place to go to is an error.

use super::LOOPS;
use crate::client::Answer;
use crate::response::ends;
use crate::{Accept, Can, Fault, Hooks, Judgement, Mutant, REFERENCE, Rule, View};

pub(super) const RULE: Rule = Rule {
    id: "client/redirect-location",
    cases: &["redirect-location"],
    judge,
    mutants: &[
        Mutant::new(
            "follows-nothing",
            "requests the same URL again after a redirect without Location",
            Hooks { accept: |state, answer| again(state, answer, false), ..REFERENCE },
        ),
        Mutant::new(
            "loops-at-empty",
            "requests the same URL without end after a redirect with an empty Location",
            Hooks { accept: |state, answer| again(state, answer, true), ..REFERENCE },
        ),
    ],
};

fn again(state: &crate::State, answer: Answer<'_>, has_place: bool) -> Accept {
    let place = answer.headers.first("location");
    let is_empty = place.as_ref().is_none_or(String::is_empty);
    if answer.status == 302 && is_empty && place.is_some() == has_place {
        return Accept::Follow(state.url.clone());
    }
    crate::client::accept(state, answer)
}

fn judge(view: &View<'_>) -> Judgement {
    let judged = view.connections().into_iter().map(|(connect, one)| {
        if connect.url.ends_with("/missing") {
            return ends(&one, "status 302 without Location");
        }
        let requests = one.requests();
        if let Some(last) = requests.get(usize::try_from(LOOPS).unwrap_or(usize::MAX)) {
            let message =
                format!("the client sends {} requests after an empty Location", requests.len());
            return Fault::at(last.entry, message).into();
        }
        if view.can(Can::Error) && one.errors().is_empty() {
            return Fault::missing("the client reports no error after an empty Location").into();
        }
        Judgement::held("")
    });
    Judgement::all(judged, "an error, and no loop")
}
