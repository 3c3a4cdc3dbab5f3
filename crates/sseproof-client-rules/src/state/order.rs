//! Open, events, one error for each loss, open again.

use crate::protocol::{Failed, Opened, Ready};
use crate::{Call, Fault, Hooks, Judgement, Mutant, REFERENCE, Rule, View};

pub(super) const ORDER: Rule = Rule {
    id: "client/state-order",
    cases: &["states"],
    judge: order,
    mutants: &[
        Mutant::new(
            "opens-once",
            "reports only the first open stream",
            Hooks {
                call: |state, call| match call {
                    Call::Open(_) if state.opened > 1 => Vec::new(),
                    call => vec![call],
                },
                ..REFERENCE
            },
        ),
        Mutant::new(
            "open-while-it-reconnects",
            "is in the state open when it reports a loss",
            Hooks {
                call: |_, call| match call {
                    Call::Error(Failed { state: Some(Ready::Connecting), message, status }) => {
                        vec![Call::Error(Failed { state: Some(Ready::Open), message, status })]
                    }
                    call => vec![call],
                },
                ..REFERENCE
            },
        ),
    ],
};

pub(super) const ONE_ERROR: Rule = Rule {
    id: "client/state-one-error",
    cases: &["states"],
    judge: one_error,
    mutants: &[
        Mutant::new(
            "two-errors",
            "reports each loss twice",
            Hooks {
                call: |state, call| match call {
                    Call::Error(_) if state.ready == Ready::Connecting => vec![call.clone(), call],
                    call => vec![call],
                },
                ..REFERENCE
            },
        ),
        Mutant::new(
            "silent-loss",
            "reports no error when it loses a stream",
            Hooks {
                call: |state, call| match call {
                    Call::Error(_) if state.ready == Ready::Connecting => Vec::new(),
                    call => vec![call],
                },
                ..REFERENCE
            },
        ),
    ],
};

fn order(view: &View<'_>) -> Judgement {
    if view.request(3).is_none() {
        return Judgement::not_reconnected();
    }
    let mut faults = Vec::new();
    let mut is_open = false;
    for call in view.calls(Some) {
        let state = match call.what {
            Call::Open(Opened { state }) => {
                is_open = true;
                (*state, Ready::Open)
            }
            Call::Error(Failed { state, .. }) => {
                is_open = false;
                (*state, Ready::Connecting)
            }
            Call::Event(_) if !is_open => {
                faults.push(Fault::at(call.entry, "an event comes before open"));
                continue;
            }
            _ => continue,
        };
        if let (Some(found), expected) = state
            && found != expected
        {
            let [found, expected] = [found, expected].map(name);
            let message = format!("the state is {found} in this call, and not {expected}");
            faults.push(Fault::at(call.entry, message));
        }
    }
    Judgement::of(faults, "open, events, error, open again")
}

const fn name(state: Ready) -> &'static str {
    match state {
        Ready::Connecting => "connecting",
        Ready::Open => "open",
        Ready::Closed => "closed",
    }
}

/// Only the number is judged: a call may arrive after the request that follows it.
fn one_error(view: &View<'_>) -> Judgement {
    /// How many streams end before the third, which stays open.
    const ENDS: usize = 2;
    if view.request(ENDS + 1).is_none() {
        return Judgement::not_reconnected();
    }
    let errors = view.errors();
    match errors.get(ENDS) {
        None if errors.len() == ENDS => Judgement::held("one error for each end of a stream"),
        None => {
            let count = sseproof_units::counted(errors.len(), "error");
            Fault::missing(format!("{count} for {ENDS} streams that ended")).into()
        }
        Some(third) => {
            let count = sseproof_units::counted(errors.len(), "error");
            Fault::at(third.entry, format!("{count} for {ENDS} streams that ended")).into()
        }
    }
}
