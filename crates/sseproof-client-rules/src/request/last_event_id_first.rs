//! The first request has no `Last-Event-ID`.

use crate::{Fault, Hooks, Judgement, Mutant, REFERENCE, Rule, View};

pub(super) const RULE: Rule = Rule {
    id: "client/request-no-last-event-id",
    cases: &["plain"],
    judge,
    mutants: &[Mutant::new(
        "empty-last-event-id",
        "sends an empty Last-Event-ID with its first request",
        Hooks {
            request: |state| {
                let mut request = crate::client::request(state);
                if state.opened == 0 && !request.headers.has("last-event-id") {
                    request.headers.set("Last-Event-ID", "");
                }
                request
            },
            ..REFERENCE
        },
    )],
};

fn judge(view: &View<'_>) -> Judgement {
    let Some(first) = view.request(1) else { return Judgement::Unclear("no request".to_owned()) };
    match first.what.request.last_event_id() {
        None => Judgement::held("the first request has no Last-Event-ID"),
        Some(id) => {
            let message = format!("the first request has `Last-Event-ID: {}`", id.escaped());
            Fault::at(first.entry, message).header("last-event-id").into()
        }
    }
}
