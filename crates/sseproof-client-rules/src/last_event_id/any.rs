//! No id keeps a client from its reconnection.

use super::{Sent, encoding, sent};
use crate::{Fault, Hooks, Judgement, Mutant, REFERENCE, Rule, View};

pub(super) const RULE: Rule = Rule {
    id: "client/last-event-id-any",
    cases: &["id-latin", "id-beyond-latin", "id-long"],
    judge,
    mutants: &[
        Mutant::new(
            "stopped-by-an-id",
            "does not reconnect with an id beyond Latin-1",
            Hooks {
                lost: |state, loss| {
                    let is_latin = state.last_event_id.chars().all(|letter| letter <= '\u{FF}');
                    crate::client::lost(state, loss).filter(|_| is_latin)
                },
                ..REFERENCE
            },
        ),
        Mutant::new(
            "shortens-ids",
            "sends the first 256 bytes of a longer id",
            Hooks { remember: |_, id| id.chars().take(256).collect(), ..REFERENCE },
        ),
    ],
};

pub(super) fn long() -> String {
    "0123456789abcdef".repeat(500)
}

fn judge(view: &View<'_>) -> Judgement {
    let (id, shown) = match view.case() {
        "id-latin" => (encoding::LATIN.to_owned(), "with a letter of Latin-1"),
        "id-beyond-latin" => (encoding::BEYOND_LATIN.to_owned(), "with letters beyond Latin-1"),
        _ => (long(), "of 8,000 bytes"),
    };
    if view.request(2).is_none() {
        return Judgement::not_reconnected();
    }
    if view.request(3).is_none() {
        let errors = view.errors().len();
        let mut message = format!("the client does not reconnect after an id {shown}");
        if errors > 2 {
            let errors = sseproof_units::counted(errors, "error");
            message.push_str(&format!(", and reports {errors} instead"));
        }
        return Fault::missing(message).into();
    }
    let cause = format!("after an id {shown}");
    match sent(view, 3, id.as_bytes(), &cause) {
        // Another rule judges how it is encoded.
        Sent::Other(judgement) if id.is_ascii() => judgement,
        Sent::Missing(_) => Judgement::held(format!("the client reconnects without an id {shown}")),
        _ => Judgement::held(format!("the client reconnects with an id {shown}")),
    }
}
