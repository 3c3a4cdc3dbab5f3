//! A client that tries again after an error waits for `Retry-After`.

use std::time::Duration;

use super::PAUSE;
use crate::{Fault, Hooks, Judgement, Loss, Mutant, REFERENCE, Rule, View};

pub(super) const RULE: Rule = Rule {
    id: "client/response-retry-after",
    cases: &["retry-after"],
    judge,
    mutants: &[Mutant::new(
        "ignores-retry-after",
        "tries again before the time that Retry-After announces",
        Hooks {
            lost: |state, loss| match loss {
                Loss::Refused(_) => Some(Duration::from_millis(80)),
                _ => crate::client::lost(state, loss),
            },
            ..REFERENCE
        },
    )
    .resilient()],
};

fn judge(view: &View<'_>) -> Judgement {
    if view.request(2).is_none() {
        return Judgement::Unclear("the client did not reconnect".to_owned());
    }
    let (Some(end), Some(third)) = (view.end(2), view.request(3)) else {
        return Judgement::Skipped("the client does not try again after 503".to_owned());
    };
    let pause = third.at.saturating_sub(end.at);
    let shown = sseproof_units::duration(pause);
    if pause < PAUSE.mul_f64(0.9) {
        let message =
            format!("the client tries again after {shown}; `Retry-After: 2` was announced");
        return Fault::at(third.entry, message).into();
    }
    Judgement::held(format!("Retry-After: 2 s; the client tried again after {shown}"))
}
