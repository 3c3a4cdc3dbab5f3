//! A client waits for some time of its own if the server announces none.

use std::time::Duration;

use crate::{Fault, Hooks, Judgement, Mutant, REFERENCE, Rule, View};

/// A shorter wait is as good as none.
const SHORTEST: Duration = Duration::from_millis(100);
/// How long a reconnection is waited for.
pub(super) const WATCHED: Duration = Duration::from_secs(10);

pub(super) const RULE: Rule = Rule {
    id: "client/reconnect-delay",
    cases: &["default-delay"],
    judge,
    mutants: &[Mutant::new(
        "reconnects-at-once",
        "reconnects without a wait if no reconnection time was announced",
        Hooks {
            lost: |state, loss| {
                let is_announced = state.retry != crate::client::RETRY;
                let wait = crate::client::lost(state, loss);
                wait.map(|wait| if is_announced { wait } else { Duration::ZERO })
            },
            ..REFERENCE
        },
    )],
};

fn judge(view: &View<'_>) -> Judgement {
    let Some(pause) = view.pause(1) else {
        let watched = sseproof_units::duration(WATCHED);
        return Judgement::held(format!("the client waits for more than {watched}"));
    };
    let shown = sseproof_units::duration(pause.what);
    if pause.what < SHORTEST {
        let message = format!("the client reconnects after {shown} if no `retry` was announced");
        return Fault::at(pause.entry, message).into();
    }
    Judgement::held(format!("without `retry`, the client reconnects after {shown}"))
}
