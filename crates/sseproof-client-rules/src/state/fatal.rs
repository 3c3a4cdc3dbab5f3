//! After a failure that is final nothing comes.

use std::time::Duration;

use crate::client::Answer;
use crate::protocol::Ready;
use crate::{Accept, Call, Fault, Hooks, Judgement, Loss, Mutant, REFERENCE, Rule, View};

pub(super) const RULE: Rule = Rule {
    id: "client/state-fatal",
    cases: &["fatal"],
    judge,
    mutants: &[Mutant::new(
        "tries-again-after-a-while",
        "reconnects six seconds after a response with status 404",
        Hooks {
            accept: |state, answer: Answer<'_>| match answer.status {
                404 => Accept::Retry("status 404".to_owned()),
                _ => crate::client::accept(state, answer),
            },
            lost: |state, loss| match loss {
                Loss::Refused(_) => Some(Duration::from_secs(6)),
                _ => crate::client::lost(state, loss),
            },
            ..REFERENCE
        },
    )],
};

fn judge(view: &View<'_>) -> Judgement {
    let errors = view.errors();
    let Some(first) = errors.first() else {
        return Fault::missing("no error was reported for a response with status 404").into();
    };
    let mut faults = Vec::new();
    if first.what.state.is_some_and(|state| state != Ready::Closed) {
        faults.push(Fault::at(first.entry, "the client is not closed when it reports the error"));
    }
    if let Some(second) = view.request(2) {
        faults.push(Fault::at(second.entry, "the client sends another request after status 404"));
    }
    let later = view.calls(|call| (!matches!(call, Call::Closed(_))).then_some(()));
    if let Some(call) = later.iter().find(|call| call.entry > first.entry) {
        faults.push(Fault::at(call.entry, "the client calls its user again after the failure"));
    }
    Judgement::of(faults, "closed, one error, and nothing more for ten seconds")
}
