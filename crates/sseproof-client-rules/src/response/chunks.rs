//! Extensions of chunks and trailers do not belong to the stream.

use super::delivered;
use crate::{Accept, Hooks, Judgement, Mutant, REFERENCE, Rule, View};

pub(super) const RULE: Rule = Rule {
    id: "client/response-chunks",
    cases: &["chunks"],
    judge: |view: &View<'_>| -> Judgement {
        delivered(view, &["one", "two"], "chunk extensions and trailers are ignored")
    },
    mutants: &[Mutant::new(
        "refuses-trailers",
        "gives up on a response that announces trailers",
        Hooks {
            accept: |state, answer| match crate::client::accept(state, answer) {
                Accept::Open if answer.headers.has("trailer") => {
                    Accept::Fail("trailers are not supported".to_owned())
                }
                accepted => accepted,
            },
            ..REFERENCE
        },
    )],
};
