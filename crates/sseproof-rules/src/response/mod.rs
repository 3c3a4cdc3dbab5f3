//! Rules on the head of the answer and on its framing.

mod accel_buffering;
mod ascii_fields;
mod cache;
mod charset;
mod content_type;
mod framing;
mod head_syntax;
mod no_transform;
mod status;

use sseproof_exchange::{Action, Plan, Visit};

use crate::{Rule, reference};

/// The family.
pub(crate) const RULES: &[&Rule] = &[
    &status::RULE,
    &content_type::RULE,
    &charset::RULE,
    &cache::RULE,
    &no_transform::RULE,
    &accel_buffering::RULE,
    &head_syntax::RULE,
    &ascii_fields::RULE,
    &framing::RULE,
];

/// For mutants: the reference's answer, changed where it is a stream that GET asks for.
fn on_stream(visit: &Visit<'_>, edit: impl FnOnce(Plan) -> Plan) -> Plan {
    let answer = reference::answer(visit);
    if visit.request.method == "GET" { edit(answer) } else { answer }
}

/// For mutants: the plan with another end.
fn instead_of_finish(mut plan: Plan, end: Action) -> Plan {
    for action in &mut plan.actions {
        if *action == Action::Finish {
            *action = end.clone();
        }
    }
    plan
}
