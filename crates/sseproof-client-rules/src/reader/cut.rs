//! A truncated response is not a success.

use crate::protocol::Failed;
use crate::{Call, Fault, Hooks, Judgement, Mutant, REFERENCE, Rule, View};

pub(super) const RULE: Rule = Rule {
    id: "client/reader-cut",
    cases: &["reader-cut-chunked", "reader-cut-closing", "reader-cut-length", "reader-cut-reset"],
    judge,
    mutants: &[Mutant::new(
        "cut-is-an-end",
        "takes the end of the connection for the end of the response",
        Hooks {
            call: |_, call| match call {
                Call::Error(Failed { status: None, .. }) => Vec::new(),
                call => vec![call],
            },
            ..REFERENCE
        },
    )
    .reading()],
};

fn judge(view: &View<'_>) -> Judgement {
    if view.events().is_empty() && view.errors().is_empty() {
        return Judgement::Unclear("the client delivered no event".to_owned());
    }
    let error = view.errors().first().copied();
    let close = view.closes().first().copied();
    match (error, close) {
        (Some(error), Some(close)) if close.entry < error.entry => {
            Fault::at(close.entry, "the client reports the end before the error").into()
        }
        (Some(error), _) => Judgement::held(format!("an error: {}", error.what.message)),
        (None, Some(close)) => {
            let message = "the client reports a truncated response as a complete one";
            Fault::at(close.entry, message).into()
        }
        (None, None) => Fault::missing("the client reports neither an error nor an end").into(),
    }
}
