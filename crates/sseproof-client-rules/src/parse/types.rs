//! An event type may be any text.

use sseproof_codec::Item;

use super::{LANES, difference};
use crate::protocol::Event;
use crate::{
    Can, Case, Connect, Fault, Hooks, Judgement, Mutant, Quiet, REFERENCE, Rule, View, When, stream,
};

/// Names that are members of every object in JavaScript, or have a meaning of their own elsewhere.
const NAMES: [&str; 8] = [
    "__proto__",
    "constructor",
    "toString",
    "hasOwnProperty",
    "close",
    "data",
    "\u{1F600}",
    "with space",
];
/// The length of a long name.
const LONG: usize = 1 << 10;

fn names() -> Vec<String> {
    NAMES.iter().map(|name| (*name).to_owned()).chain(["x".repeat(LONG)]).collect()
}

pub(super) const CASE: Case = Case::new(
    "parse-types",
    "the server sends events of types such as `__proto__`, `close`, and a name of 1 KiB",
    |_| {
        let events = names().into_iter().chain(["message".to_owned()]);
        let events: String = events.map(|name| format!("event: {name}\ndata: d\n\n")).collect();
        stream().write(events).hold()
    },
)
.needs(&[Can::Types])
.connects(|origins| {
    vec![Connect { types: names(), ..Connect::to(format!("{}/types", origins.own)) }]
})
.lanes(LANES)
.until(When::Events(NAMES.len() + 2), Quiet::Short);

pub(super) const RULE: Rule = Rule {
    id: "client/parse-types",
    cases: &["parse-types"],
    judge,
    mutants: &[Mutant::new(
        "loses-proto",
        "loses events of the type `__proto__`",
        Hooks {
            dispatch: |state, item| match item {
                Item::Event(event) if event.event_type == "__proto__" => Vec::new(),
                _ => crate::client::dispatch(state, item),
            },
            ..REFERENCE
        },
    )],
};

fn judge(view: &View<'_>) -> Judgement {
    let names = names().into_iter().chain(["message".to_owned()]);
    let event =
        |event_type| Event { event_type, data: "d".to_owned(), last_event_id: None, origin: None };
    let expected: Vec<_> = names.map(event).collect();
    match difference(view, &expected) {
        None => Judgement::held(sseproof_units::counted(expected.len(), "type")),
        Some((Some(entry), message)) => Fault::at(entry, message).into(),
        Some((None, message)) => Fault::missing(message).into(),
    }
}
