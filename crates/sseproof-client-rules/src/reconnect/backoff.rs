//! A client waits longer after each failure, and no longer after a success.

use std::time::Duration;

use crate::{Fault, Hooks, Judgement, Loss, Mutant, REFERENCE, Rule, View};

pub(super) const RULE: Rule = Rule {
    id: "client/reconnect-backoff",
    cases: &["failures"],
    judge,
    mutants: &[
        Mutant::new(
            "never-backs-off",
            "waits for the same time after each failure",
            Hooks { lost: |state, _| crate::client::lost(state, &Loss::End), ..REFERENCE },
        ),
        Mutant::new(
            "stays-slow",
            "waits as long after a success as after the failures before it",
            Hooks {
                lost: |state, _| {
                    let wait = crate::client::lost(state, &Loss::End)?;
                    Some(wait * (1 << state.errors.min(10)))
                },
                ..REFERENCE
            },
        ),
    ],
};

fn judge(view: &View<'_>) -> Judgement {
    let failed: Vec<_> = (2..=5).map_while(|number| view.pause(number)).collect();
    let [first, .., third, last] = failed[..] else {
        return Judgement::Unclear(format!(
            "the client reconnected after {} of four failures",
            failed.len()
        ));
    };
    let shown: Vec<_> = failed.iter().map(|pause| sseproof_units::duration(pause.what)).collect();
    let shown = shown.join(", ");
    let longest = third.what.max(last.what);
    if longest < first.what + first.what / 2 {
        let message = format!("the waits of the client do not grow with failures: {shown}");
        return Fault::at(last.entry, message).into();
    }
    let note = format!("waits after failures: {shown}");
    let Some(after) = view.pause(6) else { return Judgement::held(note) };
    // Short waits are mostly the time that a connection takes.
    if after.what > (longest / 2).max(Duration::from_millis(200)) {
        let message = format!(
            "the client waits for {} after a stream that worked; {note}",
            sseproof_units::duration(after.what)
        );
        return Fault::at(after.entry, message).into();
    }
    Judgement::held(note)
}
