//! A client whose stream over TLS is cut reconnects, and over TLS.

use super::stream::is_over_tls;
use super::without_tls;
use crate::{Fault, Hooks, Judgement, Loss, Mutant, REFERENCE, Rule, View};

pub(super) const RULE: Rule = Rule {
    id: "client/tls-reconnects",
    cases: &["tls-cut"],
    judge,
    mutants: &[
        Mutant::new(
            "stays-away-over-tls",
            "does not reconnect after a response over TLS that was cut",
            Hooks {
                lost: |state, loss| match loss {
                    Loss::Broken(_) if is_over_tls(state) => None,
                    _ => crate::client::lost(state, loss),
                },
                ..REFERENCE
            },
        ),
        Mutant::new(
            "reconnects-without-tls",
            "reconnects without TLS to the server of a stream over TLS",
            Hooks {
                request: |state| match state.opened {
                    0 => crate::client::request(state),
                    _ => without_tls(state),
                },
                ..REFERENCE
            },
        ),
    ],
};

fn judge(view: &View<'_>) -> Judgement {
    if view.request(1).is_none() {
        return Judgement::Unclear("the client does not connect over TLS".to_owned());
    }
    match view.request(2) {
        Some(again) if again.what.secure => Judgement::held("the client reconnects over TLS"),
        Some(again) => Fault::at(again.entry, "the client reconnects without TLS").into(),
        None => {
            view.absent("network", "the client does not reconnect after a cut of a stream over TLS")
        }
    }
}
