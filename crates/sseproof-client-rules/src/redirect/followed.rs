//! Redirects are followed.

use super::STATUSES;
use crate::client::Answer;
use crate::response::delivered;
use crate::{Accept, Hooks, Judgement, Mutant, REFERENCE, Rule, View};

pub(super) const RULE: Rule = Rule {
    id: "client/redirect-followed",
    cases: &["redirect"],
    judge,
    mutants: &[Mutant::new(
        "knows-no-308",
        "takes a response with status 308 for an error",
        Hooks {
            accept: |state, answer: Answer<'_>| match answer.status {
                // That a POST stays one after 308 is another rule.
                308 if state.method == "GET" => Accept::Fail("status 308".to_owned()),
                _ => crate::client::accept(state, answer),
            },
            ..REFERENCE
        },
    )],
};

fn judge(view: &View<'_>) -> Judgement {
    let connections = view.connections();
    let judged = connections.iter().zip(STATUSES).map(|((_, one), status)| {
        delivered(one, &["one"], &format!("the stream is at the end of a redirect with {status}"))
    });
    Judgement::all(judged, "301, 302, 303, 307 and 308 are followed")
}
