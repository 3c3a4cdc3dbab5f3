//! A response without a media type ends the subscription.

use super::ends;
use crate::client::Answer;
use crate::{Accept, Hooks, Judgement, Mutant, REFERENCE, Rule, View};

pub(super) const RULE: Rule = Rule {
    id: "client/response-missing-type",
    cases: &["missing-type"],
    judge: |view: &View<'_>| -> Judgement { ends(view, "no Content-Type") },
    mutants: &[Mutant::new(
        "guesses-type",
        "reads a response without Content-Type as an event stream",
        Hooks {
            accept: |state, answer: Answer<'_>| match answer.headers.has("content-type") {
                false if answer.status == 200 => Accept::Open,
                _ => crate::client::accept(state, answer),
            },
            ..REFERENCE
        },
    )],
};
