//! Another media type ends the subscription.

use super::ends;
use crate::client::Answer;
use crate::{Accept, Hooks, Judgement, Mutant, REFERENCE, Rule, View};

pub(super) const RULE: Rule = Rule {
    id: "client/response-wrong-type",
    cases: &["wrong-type"],
    judge: |view: &View<'_>| -> Judgement { ends(view, "the type text/plain") },
    mutants: &[
        Mutant::new(
            "reads-plain-text",
            "reads text/plain as an event stream",
            Hooks { accept: |state, answer| plain(state, answer, Accept::Open), ..REFERENCE },
        ),
        Mutant::new(
            "retries-after-plain-text",
            "reconnects after a response of another type",
            Hooks {
                accept: |state, answer| {
                    plain(state, answer, Accept::Retry("text/plain".to_owned()))
                },
                ..REFERENCE
            },
        ),
    ],
};

fn plain(state: &crate::State, answer: Answer<'_>, instead: Accept) -> Accept {
    let is_plain = answer.headers.first("content-type").is_some_and(|name| name == "text/plain");
    if answer.status == 200 && is_plain { instead } else { crate::client::accept(state, answer) }
}
