//! Events that the user does not take wait at the server, and not in the memory of the client.

use std::time::Duration;

use super::memory::{GROWTH, PAUSE, growth};
use crate::{
    Can, Case, Connect, Fault, Hooks, Judgement, Mutant, Quiet, REFERENCE, Rule, View, When, stream,
};

/// The events that are not taken: 32 MiB in all.
const EVENTS: usize = 100_000;
const SIZE: usize = 336;
/// How many are in one write.
const IN_ONE: usize = 1_000;
/// Long enough for a client that reads them all.
const WATCHED: Duration = Duration::from_secs(5);

pub(super) const RULE: Rule = Rule {
    id: "client/endurance-unread",
    cases: &["memory-unread"],
    judge,
    mutants: &[Mutant::new(
        "reads-ahead",
        "reads on while its user takes no events, and keeps all",
        Hooks {
            pauses: |_| false,
            received: |state, bytes, _| {
                if state.is_paused() {
                    state.held.extend_from_slice(bytes);
                }
                bytes.to_vec()
            },
            ..REFERENCE
        },
    )],
};

pub(super) const CASE: Case = Case::new(
    "memory-unread",
    "the server sends 100,000 events (32 MiB) to a client whose user takes only the first event",
    |_| {
        let event = format!("data: {}\n\n", "x".repeat(SIZE - 8));
        let piece: sseproof_http::Bytes = event.repeat(IN_ONE).into();
        let start = stream().write("data: one\n\n").wait(PAUSE);
        (0..EVENTS / IN_ONE).fold(start, |answer, _| answer.write(piece.clone())).hold()
    },
)
.needs(&[Can::Pause])
.connects(|origins| vec![Connect { pause: Some(1), ..Connect::to(format!("{}/", origins.own)) }])
.until(When::Events(1), Quiet::Time(WATCHED))
.measured();

fn judge(view: &View<'_>) -> Judgement {
    let events = view.events();
    let Some(first) = events.first() else {
        return Judgement::Unclear("the client delivered no event".to_owned());
    };
    if let Some(second) = events.get(1) {
        return Judgement::Unclear(format!(
            "the adapter does not pause: an event came {} after the first one",
            sseproof_units::duration(second.at.saturating_sub(first.at))
        ));
    }
    let Some((growth, entry)) = growth(view, first.at + Duration::from_millis(PAUSE / 2)) else {
        return Judgement::Unclear("the memory of the client was not read".to_owned());
    };
    let shown = sseproof_units::bytes(growth);
    if growth > GROWTH {
        let message = format!(
            "the memory of the client grows by {shown} with 32 MiB of events that its user does not take"
        );
        return Fault::at(entry, message).into();
    }
    Judgement::held(format!("the memory of the client grew by {shown}"))
}
