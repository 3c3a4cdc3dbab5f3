//! A client reconnects after the end of the stream.

use crate::{Hooks, Judgement, Loss, Mutant, REFERENCE, Rule, View};

pub(super) const RULE: Rule = Rule {
    id: "client/reconnect-after-end",
    cases: &["end"],
    judge,
    mutants: &[Mutant::new(
        "stays-away",
        "does not reconnect after the end of the stream",
        Hooks {
            lost: |state, loss| match loss {
                Loss::End => None,
                _ => crate::client::lost(state, loss),
            },
            ..REFERENCE
        },
    )],
};

fn judge(view: &View<'_>) -> Judgement {
    match view.request(2) {
        Some(_) => Judgement::held("the client reconnected"),
        None => view.absent("end", "the client does not reconnect after the end of the stream"),
    }
}
