//! `[DONE]` is delivered, or it ends the reader.

use sseproof_codec::Item;

use crate::{Fault, Hooks, Judgement, Mutant, REFERENCE, Rule, View};

pub(super) const RULE: Rule = Rule {
    id: "client/reader-done",
    cases: &["reader-done"],
    judge,
    mutants: &[Mutant::new(
        "goes-on-after-done",
        "keeps `[DONE]` back and delivers the events after it",
        Hooks {
            dispatch: |state, item| match item {
                Item::Event(event) if event.data == "[DONE]" => Vec::new(),
                _ => crate::client::dispatch(state, item),
            },
            ..REFERENCE
        },
    )
    .reading()],
};

fn judge(view: &View<'_>) -> Judgement {
    let events = view.events();
    let data: Vec<_> = events.iter().map(|event| event.what.data.as_str()).collect();
    if let (Some(error), false) = (view.errors().first(), data.contains(&"late")) {
        let message = format!("the client reports an error at `[DONE]`: {}", error.what.message);
        return Fault::at(error.entry, message).into();
    }
    match data[..] {
        ["one"] => Judgement::held("`[DONE]` ends the reader"),
        ["one", "[DONE]"] => Judgement::held("`[DONE]` is delivered, and ends the reader"),
        ["one", "[DONE]", "late"] => Judgement::held("`[DONE]` is delivered as an event"),
        ["one", "late"] => {
            let message = "the client keeps `[DONE]` back and delivers the event after it";
            Fault::at(events[1].entry, message).into()
        }
        [] => Judgement::Unclear("the client delivered no event".to_owned()),
        _ => Fault::missing(format!("the client delivers {}", data.join(", "))).into(),
    }
}
