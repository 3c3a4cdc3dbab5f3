//! The announced reconnection time is heeded.

use std::time::Duration;

use crate::{Fault, Hooks, Judgement, Mutant, REFERENCE, Rule, View};

const ANNOUNCED: Duration = Duration::from_millis(700);
/// Timers may be that early.
const SLACK: Duration = Duration::from_millis(70);

pub(super) const RULE: Rule = Rule {
    id: "client/retry-heeded",
    cases: &["retry"],
    judge,
    mutants: &[Mutant::new(
        "ignores-retry",
        "reconnects after 50 ms, and not after the announced time",
        Hooks {
            lost: |state, loss| crate::client::lost(state, loss).map(|_| Duration::from_millis(50)),
            ..REFERENCE
        },
    )],
};

fn judge(view: &View<'_>) -> Judgement {
    let (Some(end), Some(second)) = (view.end(1), view.request(2)) else {
        return Judgement::Unclear("the client did not reconnect".to_owned());
    };
    let pause = second.at.saturating_sub(end.at);
    let shown = sseproof_units::duration(pause);
    if pause + SLACK < ANNOUNCED {
        let message = format!("the client reconnects after {shown}; `retry: 700` was announced");
        return Fault::at(second.entry, message).into();
    }
    Judgement::held(format!("retry: 700 ms; the client reconnected after {shown}"))
}
