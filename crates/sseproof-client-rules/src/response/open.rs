//! The client is open before it delivers an event.

use crate::{Call, Fault, Hooks, Judgement, Mutant, REFERENCE, Rule, View};

pub(super) const RULE: Rule = Rule {
    id: "client/response-open",
    cases: &["open"],
    judge,
    mutants: &[Mutant::new(
        "opens-late",
        "reports the open connection after the first event",
        Hooks {
            call: |state, call| match call {
                Call::Open(_) => Vec::new(),
                Call::Event(_) if state.events == 0 => vec![call, Call::Open(state.opened())],
                _ => vec![call],
            },
            ..REFERENCE
        },
    )],
};

fn judge(view: &View<'_>) -> Judgement {
    let (opens, events) = (view.opens(), view.events());
    match (opens.first(), events.first()) {
        (_, None) => Judgement::Unclear("no event was delivered".to_owned()),
        (None, Some(event)) => {
            Fault::at(event.entry, "the client delivers an event and never reports `open`").into()
        }
        (Some(open), Some(event)) if open.entry > event.entry => {
            Fault::at(open.entry, "the client reports `open` after the first event").into()
        }
        (Some(_), Some(_)) => Judgement::held("open before the first event"),
    }
}
