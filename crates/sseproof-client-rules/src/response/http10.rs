//! A response over HTTP/1.0 lasts until its connection ends.

use super::delivered;
use crate::{Accept, Hooks, Judgement, Mutant, REFERENCE, Rule, View};

pub(super) const RULE: Rule = Rule {
    id: "client/response-http10",
    cases: &["http10"],
    judge: |view: &View<'_>| -> Judgement {
        delivered(view, &["one", "two"], "the stream over HTTP/1.0 is read to its end")
    },
    mutants: &[Mutant::new(
        "needs-framing",
        "refuses a response that has neither a length nor chunks",
        Hooks {
            accept: |state, answer| {
                let headers = answer.headers;
                let is_framed = headers.has("content-length") || headers.has("transfer-encoding");
                match crate::client::accept(state, answer) {
                    // Over HTTP/2 no response needs them.
                    Accept::Open if !is_framed && !state.url.starts_with("https:") => {
                        Accept::Fail("the length of the response is unknown".to_owned())
                    }
                    accepted => accepted,
                }
            },
            ..REFERENCE
        },
    )],
};
