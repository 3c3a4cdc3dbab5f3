//! An empty id means that the next request has no `Last-Event-ID`.

use super::{Sent, sent};
use crate::{Fault, Hooks, Judgement, Mutant, REFERENCE, Rule, View};

pub(super) const RULE: Rule = Rule {
    id: "client/last-event-id-emptied",
    cases: &["id-emptied"],
    judge,
    mutants: &[
        Mutant::new(
            "keeps-an-emptied-id",
            "takes an empty id for a missing one",
            Hooks {
                remember: |state, id| match id {
                    "" => state.last_event_id.clone(),
                    id => id.to_owned(),
                },
                ..REFERENCE
            },
        ),
        Mutant::new(
            "sends-an-emptied-id",
            "sends an empty Last-Event-ID after an empty id",
            Hooks {
                request: |state| {
                    let mut request = crate::client::request(state);
                    if state.opened > 0 && state.last_event_id.is_empty() {
                        request.headers.set("Last-Event-ID", "");
                    }
                    request
                },
                ..REFERENCE
            },
        ),
    ],
};

fn judge(view: &View<'_>) -> Judgement {
    if let Sent::Missing(judgement) | Sent::Other(judgement) = sent(view, 2, b"1", "after the id 1")
    {
        // Another rule judges that.
        return match judgement {
            Judgement::Broken(_) => Judgement::Unclear("the client sends another id".to_owned()),
            other => other,
        };
    }
    let Some(third) = view.request(3) else { return Judgement::not_reconnected() };
    match third.what.request.last_event_id() {
        None => Judgement::held("no Last-Event-ID after an empty id"),
        Some(id) => {
            let message =
                format!("the client sends `Last-Event-ID: {}` after an empty id", id.escaped());
            Fault::at(third.entry, message).header("last-event-id").into()
        }
    }
}
