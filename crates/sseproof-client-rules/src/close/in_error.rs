//! A client that is closed in the handler of an error does not reconnect.

use crate::client::Closing;
use crate::{CloseOn, Fault, Hooks, Judgement, Mutant, REFERENCE, Rule, View};

pub(super) const RULE: Rule = Rule {
    id: "client/close-in-error",
    cases: &["close-in-error"],
    judge,
    mutants: &[Mutant::new(
        "returns-after-close-in-error",
        "reconnects though it was closed in the handler of an error",
        Hooks {
            close: |state| match state.connect.close_on {
                Some(CloseOn::Error(_)) => Closing::Reconnects,
                _ => Closing::AtOnce,
            },
            ..REFERENCE
        },
    )],
};

fn judge(view: &View<'_>) -> Judgement {
    let Some(error) = view.errors().first().copied() else {
        return Judgement::Unclear("the client reported no error".to_owned());
    };
    match view.request(2) {
        None => Judgement::held("no request after close() in the handler of an error"),
        Some(second) if second.at < error.at => {
            Judgement::Unclear("the client had reconnected before it reported the error".to_owned())
        }
        Some(second) => {
            let message = "the client reconnects after close() in the handler of an error";
            Fault::at(second.entry, message).into()
        }
    }
}
