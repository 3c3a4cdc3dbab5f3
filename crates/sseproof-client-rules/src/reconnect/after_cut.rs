//! A client reconnects after a response that was cut.

use std::time::Duration;

use crate::{Hooks, Judgement, Loss, Mutant, REFERENCE, Rule, State, View};

pub(super) const RULE: Rule = Rule {
    id: "client/reconnect-after-cut",
    cases: &["cut-chunked", "cut-length", "cut-reset", "http2-reset", "http2-goaway"],
    judge,
    mutants: &[
        Mutant::new(
            "stays-away-after-a-cut",
            "does not reconnect after a response that was cut",
            Hooks {
                lost: |state, loss| match loss {
                    Loss::Broken(_) => None,
                    _ => crate::client::lost(state, loss),
                },
                ..REFERENCE
            },
        ),
        Mutant::new(
            "stays-away-after-rst-stream",
            "does not reconnect after RST_STREAM",
            Hooks { lost: |state, loss| unless(state, loss, "RST_STREAM"), ..REFERENCE },
        ),
        Mutant::new(
            "stays-away-after-goaway",
            "does not reconnect after GOAWAY",
            Hooks { lost: |state, loss| unless(state, loss, "GOAWAY"), ..REFERENCE },
        ),
    ],
};

/// The wait before the reconnection; none if the stream was lost for that reason.
fn unless(state: &State, loss: &Loss, reason: &str) -> Option<Duration> {
    match loss {
        Loss::Broken(why) if why.contains(reason) => None,
        _ => crate::client::lost(state, loss),
    }
}

fn judge(view: &View<'_>) -> Judgement {
    if view.case().starts_with("http2") && view.requests().is_empty() {
        return Judgement::Skipped("the client does not connect over TLS".to_owned());
    }
    match view.request(2) {
        Some(_) => Judgement::held("the client reconnected"),
        None => {
            view.absent("network", "the client does not reconnect after a response that was cut")
        }
    }
}
