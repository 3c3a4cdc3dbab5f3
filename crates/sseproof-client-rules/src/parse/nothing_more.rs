//! Nothing is delivered that was not sent.

use std::time::Duration;

use crate::protocol::{Call, Event};
use crate::{Case, Fault, Hooks, Judgement, Mutant, Quiet, REFERENCE, Rule, View, When, stream};

pub(super) const CASE: Case = Case::new(
    "parse-nothing-more",
    "the server sends one event among comments, and only comments after the client reconnects",
    |visit| match visit.here {
        0 => stream()
            .write(": a\n\nretry: 50\n\n\n\nfoo: bar\n\nid: 1\ndata: one\n\n: b\n\n")
            .wait(100)
            .write(":\n\nevent: x\n\n")
            .end(),
        _ => stream().write(":\n\n\n").wait(100).write(": c\n\n").hold(),
    },
)
.until(When::Requests(2), Quiet::Time(Duration::from_millis(500)));

pub(super) const RULE: Rule = Rule {
    id: "client/parse-nothing-more",
    cases: &["parse-nothing-more"],
    judge,
    mutants: &[Mutant::new(
        "delivers-unknown-fields",
        "delivers an event for an unknown field",
        Hooks {
            dispatch: |state, item| match item {
                sseproof_codec::Item::UnknownField(field) if field.name == "foo" => {
                    vec![Call::Event(Event {
                        event_type: "message".to_owned(),
                        data: "foo".to_owned(),
                        last_event_id: None,
                        origin: None,
                    })]
                }
                _ => crate::client::dispatch(state, item),
            },
            ..REFERENCE
        },
    )],
};

fn judge(view: &View<'_>) -> Judgement {
    let events = view.events();
    match (events.iter().find(|event| event.what.data != "one"), events.get(1)) {
        (Some(event), _) => {
            let data = event.what.data.escape_debug();
            let message = format!("the event \"{data}\" is delivered, and was not sent");
            Fault::at(event.entry, message).into()
        }
        (None, Some(again)) => {
            Fault::at(again.entry, "an event is delivered again, and was sent once").into()
        }
        (None, None) if events.is_empty() => {
            Judgement::Unclear("no event was delivered".to_owned())
        }
        (None, None) => Judgement::held("one event, as it was sent"),
    }
}
