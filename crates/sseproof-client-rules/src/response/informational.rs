//! Responses with 1xx come before the response itself.

use super::delivered;
use crate::{Accept, Hooks, Judgement, Mutant, REFERENCE, Rule, View};

pub(super) const RULE: Rule = Rule {
    id: "client/response-informational",
    cases: &["informational"],
    judge: |view: &View<'_>| -> Judgement {
        delivered(view, &["one"], "the response after 100 and 103 is read")
    },
    mutants: &[Mutant::new(
        "takes-1xx",
        "takes 103 for the response",
        Hooks {
            accept: |state, answer| match answer.status {
                103 => Accept::Fail("status 103".to_owned()),
                _ => crate::client::accept(state, answer),
            },
            ..REFERENCE
        },
    )],
};
