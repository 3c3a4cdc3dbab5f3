//! A client reconnects after a response that was cut.

use crate::{Hooks, Judgement, Loss, Mutant, REFERENCE, Rule, View};

pub(super) const RULE: Rule = Rule {
    id: "client/reconnect-after-cut",
    cases: &["cut-chunked", "cut-length", "cut-reset"],
    judge,
    mutants: &[Mutant::new(
        "stays-away-after-a-cut",
        "does not reconnect after a response that was cut",
        Hooks {
            lost: |state, loss| match loss {
                Loss::Broken(_) => None,
                _ => crate::client::lost(state, loss),
            },
            ..REFERENCE
        },
    )],
};

fn judge(view: &View<'_>) -> Judgement {
    match view.request(2) {
        Some(_) => Judgement::held("the client reconnected"),
        None => {
            view.absent("network", "the client does not reconnect after a response that was cut")
        }
    }
}
