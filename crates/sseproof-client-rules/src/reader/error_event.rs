//! An event of the type `error` reaches the user.

use sseproof_codec::Item;

use crate::{Can, Fault, Hooks, Judgement, Mutant, REFERENCE, Rule, View};

pub(super) const RULE: Rule = Rule {
    id: "client/reader-error-event",
    cases: &["reader-error-event"],
    judge,
    mutants: &[Mutant::new(
        "drops-error-events",
        "drops events of the type `error`",
        Hooks {
            dispatch: |state, item| match item {
                Item::Event(event) if event.event_type == "error" => Vec::new(),
                _ => crate::client::dispatch(state, item),
            },
            ..REFERENCE
        },
    )
    .reading()],
};

fn judge(view: &View<'_>) -> Judgement {
    let events = view.events();
    if events.is_empty() {
        return Judgement::Unclear("the client delivered no event".to_owned());
    }
    if !view.errors().is_empty() {
        return Judgement::held("the event of the type `error` is reported as an error");
    }
    if events.iter().any(|event| event.what.data.contains("overloaded")) {
        return Judgement::held("the event of the type `error` is delivered as an event");
    }
    if !view.can(Can::Types) {
        return Judgement::Skipped("the adapter has no `types`".to_owned());
    }
    Fault::missing("the event of the type `error` reached the user in no way").into()
}
