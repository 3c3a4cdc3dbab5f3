//! GraphQL over server-sent events, in both of its modes.
//!
//! Which of them a server has needs no saying: it has the mode with a single connection where it
//! makes a reservation, and what is about that mode is judged only there.

mod reference;
mod requests;
mod results;
mod single;
mod traffic;

use sseproof_record::{Plan, Request, Visit};

use super::{Profile, written};
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
        &results::EVENT_TYPE,
        &results::NEXT_RESULT,
        &results::ERROR_OBJECT,
        &results::COMPLETE_LAST,
        &requests::VALIDATION,
        &requests::REQUEST_ERROR,
        &requests::GET_MUTATION,
        &single::ONE_STREAM,
        &single::UNKNOWN_TOKEN,
        &single::SINGLE_RESULT,
        &single::ENVELOPE,
        &single::INVALID_OPERATION,
        &single::DELETE,
    ],
    answer: reference::answer,
};

/// For mutants: what the reference would answer to the request as `edit` changes it.
fn mistaken(visit: &Visit<'_>, edit: impl FnOnce(&mut Request)) -> Plan {
    written::mistaken(reference::answer, visit, edit)
}
