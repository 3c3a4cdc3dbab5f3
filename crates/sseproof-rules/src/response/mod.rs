//! Rules on the headers of the answer and on its framing.

pub(crate) mod accel_buffering;
pub(crate) mod accept;
mod allow;
pub(crate) mod answered;
mod ascii_fields;
pub(crate) mod cache;
pub(crate) mod charset;
mod clean;
mod connection_close;
pub(crate) mod content_coding;
mod content_length;
pub(crate) mod content_type;
pub(crate) mod cookies;
mod decodable;
pub(crate) mod framing;
pub(crate) mod head_before_event;
pub(crate) mod head_method;
pub(crate) mod head_no_body;
mod head_syntax;
mod http10;
pub(crate) mod no_transform;
pub(crate) mod other_method;
pub(crate) mod status;
mod transfer_encoding;
pub(crate) mod vary;

use sseproof_http::{Action, Plan, Visit};

use crate::{Family, LooksAt, reference};

pub(crate) const FAMILY: Family = Family {
    looks_at: LooksAt::Head,
    rules: &[
        &answered::RULE,
        &status::RULE,
        &content_type::RULE,
        &charset::RULE,
        &head_before_event::RULE,
        &content_length::RULE,
        &content_coding::RULE,
        &decodable::RULE,
        &vary::RULE,
        &cookies::RULE,
        &cache::RULE,
        &no_transform::RULE,
        &accel_buffering::RULE,
        &head_syntax::RULE,
        &ascii_fields::RULE,
        &transfer_encoding::RULE,
        &framing::RULE,
        &http10::RULE,
        &connection_close::RULE,
        &head_method::RULE,
        &head_no_body::RULE,
        &other_method::RULE,
        &allow::RULE,
        &accept::RULE,
    ],
};

/// For mutants: the reference's answer, changed where it is a stream that GET asks for.
pub(crate) fn on_stream(visit: &Visit<'_>, edit: impl FnOnce(Plan) -> Plan) -> Plan {
    let answer = reference::answer(visit);
    if visit.request.method == "GET" { edit(answer) } else { answer }
}

/// For mutants: the plan with another end.
pub(crate) fn instead_of_finish(mut plan: Plan, end: Action) -> Plan {
    for action in &mut plan.actions {
        if *action == Action::Finish {
            *action = end.clone();
        }
    }
    plan
}
