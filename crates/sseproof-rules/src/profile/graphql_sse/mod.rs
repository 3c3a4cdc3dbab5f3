//! GraphQL over server-sent events, in both of its modes.
//!
//! No option selects the single connection mode: a server has it if a PUT gets 201, and the rules of
//! that mode skip otherwise. A mutation by GET uses `{ __typename }`: beyond its own stream, a profile
//! changes nothing on the server.

mod reference;
mod requests;
mod results;
mod single;
mod traffic;

use sseproof_http::{Plan, Request, Visit};

use super::{Profile, written};
use crate::{Rule, encode, reconnect, response, resume, retry, stream};

/// General rules that do not fit: a stream is the response to one operation, and a client that does
/// not accept a stream gets JSON.
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

/// For mutants: the response of the reference to the request as changed by `edit`.
fn mistaken(visit: &Visit<'_>, edit: impl FnOnce(&mut Request)) -> Plan {
    written::mistaken(reference::answer, visit, edit)
}
