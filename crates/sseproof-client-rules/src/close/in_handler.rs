//! A client that is closed in the handler of an event delivers no more.

use crate::client::Closing;
use crate::{Fault, Hooks, Judgement, Mutant, REFERENCE, Rule, View};

pub(super) const RULE: Rule = Rule {
    id: "client/close-in-handler",
    cases: &["close-in-handler"],
    judge,
    mutants: &[Mutant::new(
        "delivers-after-close",
        "delivers the events that it has read after it was closed",
        Hooks { close: |_| Closing::AfterDelivery, ..REFERENCE },
    )],
};

fn judge(view: &View<'_>) -> Judgement {
    let events = view.events();
    match events.get(1) {
        _ if events.is_empty() => Judgement::Unclear("no event was delivered".to_owned()),
        None => Judgement::held("no event after close"),
        Some(second) => {
            let count = events.len() - 1;
            let events = sseproof_units::counted(count, "event");
            let message = format!("the client delivers {events} after close() in a handler");
            Fault::at(second.entry, message).into()
        }
    }
}
