//! 204 ends the reconnections.

use crate::client::Answer;
use crate::{Accept, Fault, Hooks, Judgement, Mutant, REFERENCE, Rule, View};

pub(super) const RULE: Rule = Rule {
    id: "client/response-204",
    cases: &["no-content"],
    judge,
    mutants: &[Mutant::new(
        "retries-after-204",
        "reconnects after a response with status 204",
        Hooks {
            accept: |state, answer: Answer<'_>| match answer.status {
                204 => Accept::Retry("status 204".to_owned()),
                _ => crate::client::accept(state, answer),
            },
            ..REFERENCE
        },
    )],
};

fn judge(view: &View<'_>) -> Judgement {
    let requests = view.requests();
    match requests.get(2) {
        _ if requests.len() < 2 => Judgement::Unclear("the client did not reconnect".to_owned()),
        None => Judgement::held("no request after 204"),
        Some(_) if view.declares("204") => {
            Judgement::held("the client reconnects after 204, as it declares in `retriesOn`")
        }
        Some(third) => Fault::at(third.entry, "the client reconnects after 204").into(),
    }
}
