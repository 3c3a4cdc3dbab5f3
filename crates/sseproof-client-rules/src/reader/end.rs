//! The end of a complete response is reported, and is not an error.

use crate::protocol::Failed;
use crate::{Call, Fault, Hooks, Judgement, Mutant, REFERENCE, Rule, View};

pub(super) const RULE: Rule = Rule {
    id: "client/reader-end",
    cases: &["reader-end"],
    judge,
    mutants: &[
        Mutant::new(
            "end-is-an-error",
            "reports the end of a complete response as an error",
            Hooks {
                call: |state, call| match call {
                    Call::Closed(_) if state.events > 1 && state.errors == 0 => {
                        let message = "the response ended".to_owned();
                        vec![Call::Error(Failed { message, ..Failed::default() }), call]
                    }
                    call => vec![call],
                },
                ..REFERENCE
            },
        )
        .reading(),
        Mutant::new(
            "never-ends",
            "does not report the end of a response",
            Hooks {
                call: |state, call| match call {
                    Call::Closed(_) if state.errors == 0 => Vec::new(),
                    call => vec![call],
                },
                ..REFERENCE
            },
        )
        .reading(),
    ],
};

/// The standard discards the unfinished block; some readers deliver it, which is a note only.
fn judge(view: &View<'_>) -> Judgement {
    if let Some(error) = view.errors().first() {
        let message = format!("the end of a complete response is an error: {}", error.what.message);
        return Fault::at(error.entry, message).into();
    }
    if view.closes().is_empty() {
        return Fault::missing("the client does not report the end of the response").into();
    }
    let events = view.events();
    let data: Vec<_> = events.iter().map(|event| event.what.data.as_str()).collect();
    match data[..] {
        ["one", "two"] => Judgement::held("a last block without its blank line is discarded"),
        ["one", "two", "last"] => Judgement::held(
            "a last block without its blank line is delivered, unlike in the standard",
        ),
        _ => {
            let data = if data.is_empty() { "no event".to_owned() } else { data.join(", ") };
            Fault::missing(format!("the client delivers {data}, and not one, two")).into()
        }
    }
}
