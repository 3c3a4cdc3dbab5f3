//! A client goes on to connect while the server is away.

use crate::{Hooks, Judgement, Loss, Mutant, REFERENCE, Rule, View};

pub(super) const FIRST: Rule = Rule {
    id: "client/reconnect-refused-first",
    cases: &["refused-first"],
    judge: |view| {
        let why = "the client does not connect again after its first connection was refused";
        connected(view, 1, why)
    },
    mutants: &[Mutant::new(
        "gives-up-at-first",
        "gives up if its first connection is refused",
        Hooks {
            lost: |state, loss| match (loss, state.opened) {
                (Loss::Unreachable(_), 0) => None,
                _ => crate::client::lost(state, loss),
            },
            ..REFERENCE
        },
    )],
};

pub(super) const LATER: Rule = Rule {
    id: "client/reconnect-refused-later",
    cases: &["refused-later"],
    judge: |view| {
        if view.request(2).is_none() {
            return Judgement::not_reconnected();
        }
        let why = "the client does not reconnect to a server that was away for 1.5 s";
        connected(view, 3, why)
    },
    mutants: &[Mutant::new(
        "gives-up-in-between",
        "gives up if a connection is refused after it had a stream",
        Hooks {
            lost: |state, loss| match (loss, state.opened) {
                // A reset is not a refusal.
                (Loss::Unreachable(why), 1..) if why.contains("refused") => None,
                _ => crate::client::lost(state, loss),
            },
            ..REFERENCE
        },
    )],
};

fn connected(view: &View<'_>, request: usize, why: &str) -> Judgement {
    match view.request(request) {
        Some(_) => Judgement::held("the client connected once the server listened"),
        None => view.absent("network", why),
    }
}
