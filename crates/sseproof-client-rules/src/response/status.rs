//! A status other than 200 ends the subscription.

use super::{STATUSES, refusals};
use crate::client::Answer;
use crate::{Accept, Hooks, Judgement, Mutant, REFERENCE, Rule, View};

pub(super) const RULE: Rule = Rule {
    id: "client/response-status",
    cases: &["status"],
    judge: |view: &View<'_>| -> Judgement { refusals(view, &STATUSES) },
    mutants: &[
        Mutant::new(
            "reads-any-2xx",
            "reads the body of a response with status 201 as an event stream",
            Hooks { accept: |state, answer| of(state, answer, 201, Accept::Open), ..REFERENCE },
        ),
        Mutant::new(
            "retries-after-404",
            "reconnects after a response with status 404",
            Hooks {
                accept: |state, answer| of(state, answer, 404, Accept::Retry("404".to_owned())),
                ..REFERENCE
            },
        ),
    ],
};

/// The decision, but another one for this status.
pub(super) fn of(state: &crate::State, answer: Answer<'_>, status: u16, instead: Accept) -> Accept {
    if answer.status == status { instead } else { crate::client::accept(state, answer) }
}
