//! The last event ID is the newest one, and is kept over connections.

use super::{Sent, sent};
use crate::{Fault, Hooks, Judgement, Mutant, REFERENCE, Rule, View};

pub(super) const RULE: Rule = Rule {
    id: "client/last-event-id",
    cases: &["id-chain"],
    judge,
    mutants: &[
        Mutant::new(
            "forgets-the-id",
            "sends no Last-Event-ID when it reconnects",
            Hooks { remember: |_, _| String::new(), ..REFERENCE },
        ),
        Mutant::new(
            "keeps-the-first-id",
            "sends the id of the first event when it reconnects",
            Hooks {
                remember: |state, id| match state.last_event_id.is_empty() {
                    // Both events of the first stream are read together.
                    true if id == "2" => "1".to_owned(),
                    true => id.to_owned(),
                    false => state.last_event_id.clone(),
                },
                ..REFERENCE
            },
        ),
        Mutant::new(
            "forgets-the-id-of-earlier-streams",
            "sends no Last-Event-ID after a stream without ids",
            Hooks {
                remember: |state, id| match state.opened {
                    // The third stream has none.
                    3.. => String::new(),
                    _ => id.to_owned(),
                },
                ..REFERENCE
            },
        ),
    ],
};

fn judge(view: &View<'_>) -> Judgement {
    let expected = [
        (2, "2", "after the ids 1 and 2"),
        (3, "3", "after a second stream with the id 3"),
        (4, "3", "after the id 3 and a stream without ids"),
    ];
    for (number, id, cause) in expected {
        let Some(request) = view.request(number) else { return Judgement::not_reconnected() };
        match sent(view, number, id.as_bytes(), cause) {
            Sent::Expected => {}
            Sent::Other(judgement) => return judgement,
            Sent::Missing(_) => {
                let message = format!("the client sends no Last-Event-ID {cause}");
                return Fault::at(request.entry, message).header("last-event-id").into();
            }
        }
    }
    Judgement::held("Last-Event-ID: 2, then 3, also after a stream without ids")
}
