//! A client without a last event ID reconnects without `Last-Event-ID`.

use crate::{Fault, Hooks, Judgement, Mutant, REFERENCE, Rule, View};

pub(super) const RULE: Rule = Rule {
    id: "client/request-no-empty-last-event-id",
    cases: &["no-id"],
    judge,
    mutants: &[Mutant::new(
        "empty-last-event-id-later",
        "sends an empty Last-Event-ID when it reconnects after a stream without ids",
        Hooks {
            request: |state| {
                let mut request = crate::client::request(state);
                if state.opened > 0 && !request.headers.has("last-event-id") {
                    request.headers.set("Last-Event-ID", "");
                }
                request
            },
            ..REFERENCE
        },
    )],
};

fn judge(view: &View<'_>) -> Judgement {
    let Some(second) = view.request(2) else {
        return Judgement::Unclear("the client did not reconnect".to_owned());
    };
    match second.what.request.last_event_id() {
        None => Judgement::held("no Last-Event-ID after a stream without ids"),
        Some(id) => {
            let message = format!(
                "the client reconnects with `Last-Event-ID: {}` after a stream without ids",
                id.escaped()
            );
            Fault::at(second.entry, message).header("last-event-id").into()
        }
    }
}
