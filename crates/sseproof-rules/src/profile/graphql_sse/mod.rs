//! GraphQL over server-sent events, in both of its modes.
//!
//! Which of them a server has needs no saying: it has the mode with a single connection where it
//! makes a reservation, and what is about that mode is judged only there.

mod complete_last;
mod delete;
mod envelope;
mod error_object;
mod event_type;
mod get_mutation;
mod invalid_operation;
mod next_result;
mod one_stream;
mod reference;
mod request_error;
mod single_result;
mod traffic;
mod unknown_token;
mod validation;

use sseproof_record::{Plan, Request, Visit};

use super::Profile;
use super::written::{Written, edit_events, edit_json};
use crate::{Rule, encode, reconnect, response, resume, retry, stream};

/// What makes no sense here: a stream is the answer to one operation, and who does not ask for a
/// stream rightly gets JSON.
const OMITS: &[&[&Rule]] = &[
    resume::FAMILY.rules,
    reconnect::FAMILY.rules,
    retry::FAMILY.rules,
    encode::FAMILY.rules,
    super::OF_LASTING_STREAMS,
    stream::ON_IDS,
    &[&stream::event_type_clash::RULE, &response::accept::RULE],
];

/// The profile.
pub(super) const PROFILE: Profile = Profile {
    id: "graphql-sse",
    aliases: &[],
    title: "GraphQL over SSE, with distinct connections and with a single one",
    path: "/graphql/stream",
    method: "POST",
    headers: &[("Content-Type", "application/json")],
    body: r#"{"query":${query:json}}"#,
    variables: &[("query", "{ __typename }")],
    omits: OMITS,
    rules: &[
        &event_type::RULE,
        &next_result::RULE,
        &error_object::RULE,
        &complete_last::RULE,
        &validation::RULE,
        &request_error::RULE,
        &get_mutation::RULE,
        &one_stream::RULE,
        &unknown_token::RULE,
        &single_result::RULE,
        &envelope::RULE,
        &invalid_operation::RULE,
        &delete::RULE,
    ],
    answer: reference::answer,
};

/// For mutants: the reference, each event replaced by what `edit` makes of it.
fn rewritten(visit: &Visit<'_>, edit: impl FnMut(usize, Written) -> Vec<Written>) -> Plan {
    edit_events(reference::answer(visit), edit)
}

/// For mutants: the reference with the payload of each event changed.
fn reworded(visit: &Visit<'_>, edit: impl FnMut(usize, &mut serde_json::Value)) -> Plan {
    edit_json(reference::answer(visit), edit)
}

/// For mutants: what the reference would answer to the request as `edit` changes it.
fn mistaken(visit: &Visit<'_>, edit: impl FnOnce(&mut Request)) -> Plan {
    let mut request = visit.request.clone();
    edit(&mut request);
    reference::answer(&Visit { request: &request, ..*visit })
}
