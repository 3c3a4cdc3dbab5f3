//! A response with an error status is an error.

use crate::protocol::Failed;
use crate::{Call, Fault, Hooks, Judgement, Mutant, REFERENCE, Rule, View};

pub(super) const BODY: &str = r#"{"error":{"message":"not now"}}"#;

pub(super) const RULE: Rule = Rule {
    id: "client/reader-status",
    cases: &["reader-404", "reader-503"],
    judge,
    mutants: &[Mutant::new(
        "status-is-an-end",
        "takes a response with an error status for an empty stream",
        Hooks {
            call: |_, call| match call {
                Call::Error(Failed { status: Some(_), .. }) => Vec::new(),
                call => vec![call],
            },
            ..REFERENCE
        },
    )
    .reading()],
};

fn judge(view: &View<'_>) -> Judgement {
    let status = view.case().trim_start_matches("reader-");
    if let Some(event) = view.events().first() {
        let message = format!("the client delivers an event of a response with status {status}");
        return Fault::at(event.entry, message).into();
    }
    if view.errors().is_empty() {
        let message = format!("the client reports no error for a response with status {status}");
        return Fault::missing(message).into();
    }
    let count = view.requests().len();
    let note = match count {
        1 => format!("status {status} is an error"),
        _ => format!(
            "status {status} is an error after {}",
            sseproof_units::counted(count, "request")
        ),
    };
    Judgement::held(note)
}
