//! The case of the media type does not matter.

use sseproof_http::EVENT_STREAM;

use super::delivered;
use crate::client::Answer;
use crate::{Accept, Hooks, Judgement, Mutant, REFERENCE, Rule, View};

pub(super) const RULE: Rule = Rule {
    id: "client/response-type-case",
    cases: &["type-case"],
    judge: |view: &View<'_>| -> Judgement { delivered(view, &["one"], "the type in another case") },
    mutants: &[Mutant::new(
        "compares-case",
        "accepts the media type in lower case only",
        Hooks {
            accept: |state, answer: Answer<'_>| {
                let media_type = answer.headers.first("content-type").unwrap_or_default();
                match crate::client::accept(state, answer) {
                    Accept::Open if !media_type.starts_with(EVENT_STREAM) => {
                        Accept::Fail(format!("`{media_type}` is not {EVENT_STREAM}"))
                    }
                    accepted => accepted,
                }
            },
            ..REFERENCE
        },
    )],
};
