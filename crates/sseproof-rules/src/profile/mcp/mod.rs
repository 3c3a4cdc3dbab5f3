//! The streamable HTTP transport of the Model Context Protocol, in its four versions.
//!
//! The versions share their rules: three of them have sessions, a GET that listens and resumable
//! streams; the last one has none of these.

mod answers;
mod apart;
mod calls;
mod listening;
mod messages;
mod origin;
mod reference;
mod replay;
mod resumption;
mod sessions;
mod statuses;
mod together;
mod traffic;

use sseproof_http::{Plan, Request, Visit};

use self::reference::{SESSION, answer};
use super::{Profile, written};
use crate::{Rule, cors, encode, reconnect, response, retry, stream};

/// General rules that fit no version: a stream is the response to one request, and may also be JSON.
const OMITS: &[&[&Rule]] = &[
    crate::resume::FAMILY.rules,
    reconnect::FAMILY.rules,
    retry::FAMILY.rules,
    encode::FAMILY.rules,
    super::OF_LASTING_STREAMS,
    &[&response::status::RULE, &response::content_type::RULE, &response::charset::RULE],
    &[&response::accept::RULE, &stream::event_type_clash::RULE],
    // MCP servers must reject a foreign origin: see `mcp/origin`.
    cors::FAMILY.rules,
    // `mcp/event-id` judges ids over all streams of a session.
    &[&stream::id_unique::RULE],
];

/// The rules on servers with sessions: later versions added the last two.
const WITH_SESSIONS: &[&Rule] = &[
    &origin::RULE,
    &answers::ANSWER_TYPE,
    &messages::MESSAGE,
    &messages::FOREIGN_RESPONSE,
    &messages::RESPONSE_PRESENT,
    &messages::RESPONSE_LAST,
    &answers::NOTIFICATION,
    &answers::GET,
    &answers::GET_RESPONSE,
    &answers::SESSION_ID,
    &statuses::SESSION_REQUIRED,
    &statuses::SESSION_UNKNOWN,
    &statuses::SESSION_ENDED,
    &statuses::DELETE,
    &resumption::EVENT_ID,
    &resumption::RESUME,
    &resumption::RESUME_WHOLE,
    &resumption::EVENT_UNKNOWN,
    &listening::AGAIN,
    &listening::OPEN,
    &apart::RULE,
    &together::RULE,
    &sessions::MANY,
    &replay::RULE,
    &statuses::VERSION_HEADER,
    &resumption::PRIMING,
];

const BASE: Profile = Profile {
    id: "mcp",
    aliases: &["mcp-2025-11-25"],
    title: "MCP over streamable HTTP, version 2025-11-25, which most servers speak",
    path: "/mcp",
    method: "POST",
    headers: &[
        ("Content-Type", "application/json"),
        ("Accept", "application/json, text/event-stream"),
    ],
    body: r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":${version:json},"capabilities":{},"clientInfo":{"name":"sseproof","version":"1"}}}"#,
    variables: &[("version", "2025-11-25"), ("tool", "sseproof-none"), ("arguments", "{}")],
    omits: OMITS,
    rules: WITH_SESSIONS,
    answer,
};

/// The version that most servers and clients support.
pub(super) const NEWEST_WITH_SESSIONS: Profile = BASE;

/// The version that added the version header.
pub(super) const OF_2025_06: Profile = Profile {
    id: "mcp-2025-06-18",
    aliases: &[],
    title: "MCP over streamable HTTP, version 2025-06-18",
    variables: &[("version", "2025-06-18"), ("tool", "sseproof-none"), ("arguments", "{}")],
    rules: WITH_SESSIONS.split_at(WITH_SESSIONS.len() - 1).0,
    ..BASE
};

/// The first version of this transport.
pub(super) const OF_2025_03: Profile = Profile {
    id: "mcp-2025-03-26",
    aliases: &[],
    title: "MCP over streamable HTTP, version 2025-03-26",
    variables: &[("version", "2025-03-26"), ("tool", "sseproof-none"), ("arguments", "{}")],
    rules: WITH_SESSIONS.split_at(WITH_SESSIONS.len() - 2).0,
    ..BASE
};

/// The version without sessions.
pub(super) const OF_2026_07: Profile = Profile {
    id: "mcp-2026-07-28",
    aliases: &[],
    title: "MCP over streamable HTTP, version 2026-07-28, without sessions",
    headers: &[
        ("Content-Type", "application/json"),
        ("Accept", "application/json, text/event-stream"),
        ("MCP-Protocol-Version", "2026-07-28"),
        ("Mcp-Method", "tools/list"),
    ],
    body: r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"sseproof","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}}}"#,
    variables: &[("tool", "sseproof-none"), ("arguments", "{}")],
    rules: &[
        &origin::RULE,
        &answers::ANSWER_TYPE,
        &messages::MESSAGE,
        &messages::FOREIGN_RESPONSE,
        &messages::SERVER_REQUEST,
        &messages::RESPONSE_PRESENT,
        &messages::RESPONSE_LAST,
        &statuses::VERSION_HEADER,
        &statuses::HEADER_MISMATCH,
        &answers::METHOD_UNKNOWN,
        &statuses::GET_GONE,
        &apart::RULE,
    ],
    ..BASE
};

/// For mutants: the response of the reference to the request as changed by `edit`.
fn mistaken(visit: &Visit<'_>, edit: impl FnOnce(&mut Request)) -> Plan {
    written::mistaken(answer, visit, edit)
}

/// For mutants: whether the body of the request contains the text.
fn says(visit: &Visit<'_>, text: &str) -> bool {
    visit.request.body.to_text().contains(text)
}
