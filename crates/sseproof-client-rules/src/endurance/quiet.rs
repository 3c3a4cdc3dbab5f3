//! A stream without events stays open.

use std::time::Duration;

use crate::{Fault, Hooks, Judgement, Mutant, REFERENCE, Rule, State, View};

pub(super) const RULE: Rule = Rule {
    id: "client/endurance-quiet",
    cases: &["quiet", "comments-only"],
    judge: stays,
    mutants: &[
        Mutant::new(
            "gives-up-silence",
            "ends a stream that was silent for five seconds",
            Hooks { read_timeout: |state| or_after(state, 5), ..REFERENCE },
        ),
        Mutant::new(
            "gives-up-comments",
            "ends a stream that had no event for ten seconds",
            Hooks {
                read_timeout: |state| or_after(state, 10),
                counts: |state, event| event || state.connect.read_timeout.is_some(),
                ..REFERENCE
            },
        ),
    ],
};

/// The read timeout that was set, or that many seconds.
fn or_after(state: &State, seconds: u64) -> Option<Duration> {
    let set = state.connect.read_timeout.map(Duration::from_millis);
    set.or(Some(Duration::from_secs(seconds)))
}

/// Whether the client stays on its first stream until the second event.
pub(super) fn stays(view: &View<'_>) -> Judgement {
    if let Some(end) = view.end(1) {
        return Fault::at(end.entry, "the client ends a stream that is open").into();
    }
    if let Some(second) = view.request(2) {
        return Fault::at(second.entry, "the client opens another stream").into();
    }
    match view.events().len() {
        2.. => Judgement::held("the client stays on the stream"),
        _ => Fault::missing("the event after the silence was not delivered").into(),
    }
}
