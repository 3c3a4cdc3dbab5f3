//! A server error ends the subscription of an `EventSource`; other clients follow their policy.

use super::status::of;
use super::{SERVER_ERRORS, refusals};
use crate::{Accept, Hooks, Judgement, Mutant, REFERENCE, Rule, View};

pub(super) const RULE: Rule = Rule {
    id: "client/response-server-error",
    cases: &["server-error"],
    judge: |view: &View<'_>| -> Judgement { refusals(view, &SERVER_ERRORS) },
    mutants: &[Mutant::new(
        "retries-after-500",
        "reconnects after a response with status 500",
        Hooks {
            accept: |state, answer| of(state, answer, 500, Accept::Retry("500".to_owned())),
            ..REFERENCE
        },
    )],
};
