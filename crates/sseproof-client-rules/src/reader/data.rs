//! Data is read with and without a space; comments and pings are not data.

use sseproof_codec::Item;

use super::PING;
use crate::protocol::Event;
use crate::{Call, Can, Fault, Hooks, Judgement, Mutant, REFERENCE, Rule, View};

pub(super) const RULE: Rule = Rule {
    id: "client/reader-data",
    cases: &["reader-data"],
    judge,
    mutants: &[
        Mutant::new(
            "needs-a-space",
            "reads only data that has a space after the colon",
            Hooks {
                received: |_, bytes, _| {
                    let lines = bytes.split_inclusive(|byte| *byte == b'\n');
                    let lines = lines
                        .filter(|line| !line.starts_with(b"data:") || line.get(5) == Some(&b' '));
                    lines.flatten().copied().collect()
                },
                ..REFERENCE
            },
        )
        .reading(),
        Mutant::new(
            "comments-are-events",
            "delivers comments as events",
            Hooks {
                dispatch: |state, item| match item {
                    Item::Comment(comment) => vec![Call::Event(Event {
                        event_type: "message".to_owned(),
                        data: comment.text.clone().into_owned(),
                        last_event_id: None,
                        origin: None,
                    })],
                    _ => crate::client::dispatch(state, item),
                },
                ..REFERENCE
            },
        )
        .reading(),
    ],
};

fn judge(view: &View<'_>) -> Judgement {
    let events = view.events();
    // A reader may deliver events of every type, and one that cannot name a type all as messages.
    let mut expected = vec!["one", "two"];
    let names_types = view.can(Can::Types);
    for event in &events {
        let (event_type, data) = (&event.what.event_type, &event.what.data);
        if expected.first() == Some(&data.as_str()) {
            expected.remove(0);
        } else if event_type != "ping" && (names_types || data != PING) {
            let message = format!("an event `{data}` that the server did not send as data");
            return Fault::at(event.entry, message).into();
        }
    }
    match expected.first() {
        Some(missing) => Fault::missing(format!("the event `{missing}` was not delivered")).into(),
        None => Judgement::held("data without a space; no event for comments and pings"),
    }
}
