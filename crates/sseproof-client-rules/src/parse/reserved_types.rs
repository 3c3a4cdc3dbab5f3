//! Events of the types `error` and `open` are events like others.

use sseproof_codec::Item;

use super::LANES;
use crate::protocol::Call;
use crate::{
    Can, Case, Connect, Fault, Hooks, Judgement, Mutant, Quiet, REFERENCE, Rule, View, When, stream,
};

const NAMES: [&str; 2] = ["error", "open"];

pub(super) const CASE: Case = Case::new(
    "parse-reserved-types",
    "the server sends events of the types `error` and `open`, and then a message",
    |_| {
        let events =
            "event: error\ndata: reserved\n\nevent: open\ndata: reserved\n\ndata: after\n\n";
        stream().write(events).hold()
    },
)
.needs(&[Can::Types])
.connects(|origins| {
    let types = NAMES.map(str::to_owned).to_vec();
    vec![Connect { types, ..Connect::to(format!("{}/types", origins.own)) }]
})
.lanes(LANES)
.until(When::Events(3), Quiet::Short);

pub(super) const RULE: Rule = Rule {
    id: "client/parse-reserved-types",
    cases: &["parse-reserved-types"],
    judge,
    mutants: &[
        Mutant::new(
            "ends-at-error-event",
            "delivers nothing after an event of the type `error`",
            Hooks {
                dispatch: |state, item| match item {
                    Item::Event(event) if event.event_type == "error" => {
                        state.held = b"over".to_vec();
                        Vec::new()
                    }
                    _ if state.held == b"over" => Vec::new(),
                    _ => crate::client::dispatch(state, item),
                },
                ..REFERENCE
            },
        ),
        Mutant::new(
            "reserved-as-message",
            "delivers events of the type `open` as messages",
            Hooks {
                dispatch: |state, item| {
                    let mut calls = crate::client::dispatch(state, item);
                    for call in &mut calls {
                        if let Call::Event(event) = call
                            && event.event_type == "open"
                        {
                            "message".clone_into(&mut event.event_type);
                        }
                    }
                    calls
                },
                ..REFERENCE
            },
        ),
    ],
};

/// A client may call its handler for errors, because an `EventSource` does.
fn judge(view: &View<'_>) -> Judgement {
    let events = view.events();
    let wrong = events.iter().find(|event| {
        event.what.data == "reserved" && !NAMES.contains(&event.what.event_type.as_str())
    });
    if let Some(event) = wrong {
        let message =
            format!("an event of a reserved type is delivered as `{}`", event.what.event_type);
        return Fault::at(event.entry, message).into();
    }
    if !events.iter().any(|event| event.what.data == "after") {
        let message = "the message after events of the types `error` and `open` is not delivered";
        return Fault::missing(message).into();
    }
    match events.len() {
        3 => Judgement::held("delivered as events"),
        _ => Judgement::held("not delivered as events, and the next message is"),
    }
}
