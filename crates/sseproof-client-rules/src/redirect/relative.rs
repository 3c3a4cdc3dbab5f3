//! Location may be relative.

use super::RELATIVE_PLACES;
use crate::client::Answer;
use crate::response::delivered;
use crate::{Accept, Hooks, Judgement, Mutant, REFERENCE, Rule, View};

pub(super) const RULE: Rule = Rule {
    id: "client/redirect-relative",
    cases: &["redirect-relative"],
    judge,
    mutants: &[Mutant::new(
        "needs-path",
        "follows only a Location that is a URL or begins with a slash",
        Hooks {
            accept: |state, answer: Answer<'_>| {
                let place = answer.headers.first("location").unwrap_or_default();
                match crate::client::accept(state, answer) {
                    Accept::Follow(_) if !place.contains("://") && !place.starts_with('/') => {
                        Accept::Fail(format!("`{place}` is not a URL"))
                    }
                    accepted => accepted,
                }
            },
            ..REFERENCE
        },
    )],
};

fn judge(view: &View<'_>) -> Judgement {
    let connections = view.connections();
    let judged = connections.iter().zip(RELATIVE_PLACES).map(|((_, one), place)| {
        delivered(one, &["one"], &format!("the stream is at `Location: {place}`"))
    });
    Judgement::all(judged, "relative references are followed")
}
