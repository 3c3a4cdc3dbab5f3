//! The streamable HTTP transport of the Model Context Protocol, in its four versions.
//!
//! The versions share the files of their rules: three of them have sessions, a GET that listens and
//! streams that are resumed, and the last one has none of these.

mod answer_type;
mod delete;
mod event_id;
mod foreign_response;
mod get;
mod get_gone;
mod get_response;
mod header_mismatch;
mod message;
mod method_unknown;
mod notification;
mod origin;
mod priming;
mod reference;
mod response_last;
mod response_told;
mod resume;
mod resume_whole;
mod server_request;
mod session_ended;
mod session_id;
mod session_required;
mod session_unknown;
mod traffic;
mod version_header;

use sseproof_record::{Bytes, Plan, Request, Visit};

use super::Profile;
use super::written::{Written, edit_events, edit_json, status};
use crate::{Rule, cors, encode, reconnect, response, retry, stream};

/// What no version has: a stream here is the answer to one request, and it may as well be JSON.
const OMITS: &[&[&Rule]] = &[
    crate::resume::FAMILY.rules,
    reconnect::FAMILY.rules,
    retry::FAMILY.rules,
    encode::FAMILY.rules,
    super::OF_LASTING_STREAMS,
    &[&response::status::RULE, &response::content_type::RULE, &response::charset::RULE],
    &[&response::accept::RULE, &stream::event_type_clash::RULE],
    // A foreign origin is to be refused here, and not to be let in: see `mcp/origin`.
    cors::FAMILY.rules,
    // Ids are judged over all streams of a session.
    &[&stream::id_unique::RULE],
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
    rules: &[
        &origin::RULE,
        &answer_type::RULE,
        &message::RULE,
        &foreign_response::RULE,
        &response_told::RULE,
        &response_last::RULE,
        &notification::RULE,
        &get::RULE,
        &get_response::RULE,
        &session_id::RULE,
        &session_required::RULE,
        &session_unknown::RULE,
        &session_ended::RULE,
        &delete::RULE,
        &version_header::RULE,
        &event_id::RULE,
        &resume::RULE,
        &resume_whole::RULE,
        &priming::RULE,
    ],
    answer: reference::answer,
};

/// The version that most servers and clients speak.
pub(super) const NEWEST_WITH_SESSIONS: Profile = BASE;

/// The version that brought the header of the version.
pub(super) const OF_2025_06: Profile = Profile {
    id: "mcp-2025-06-18",
    aliases: &[],
    title: "MCP over streamable HTTP, version 2025-06-18",
    variables: &[("version", "2025-06-18"), ("tool", "sseproof-none"), ("arguments", "{}")],
    rules: &[
        &origin::RULE,
        &answer_type::RULE,
        &message::RULE,
        &foreign_response::RULE,
        &response_told::RULE,
        &response_last::RULE,
        &notification::RULE,
        &get::RULE,
        &get_response::RULE,
        &session_id::RULE,
        &session_required::RULE,
        &session_unknown::RULE,
        &session_ended::RULE,
        &delete::RULE,
        &version_header::RULE,
        &event_id::RULE,
        &resume::RULE,
        &resume_whole::RULE,
    ],
    ..BASE
};

/// The first version of this transport.
pub(super) const OF_2025_03: Profile = Profile {
    id: "mcp-2025-03-26",
    aliases: &[],
    title: "MCP over streamable HTTP, version 2025-03-26",
    variables: &[("version", "2025-03-26"), ("tool", "sseproof-none"), ("arguments", "{}")],
    rules: &[
        &origin::RULE,
        &answer_type::RULE,
        &message::RULE,
        &foreign_response::RULE,
        &response_told::RULE,
        &response_last::RULE,
        &notification::RULE,
        &get::RULE,
        &get_response::RULE,
        &session_id::RULE,
        &session_required::RULE,
        &session_unknown::RULE,
        &session_ended::RULE,
        &delete::RULE,
        &event_id::RULE,
        &resume::RULE,
        &resume_whole::RULE,
    ],
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
        &answer_type::RULE,
        &message::RULE,
        &foreign_response::RULE,
        &server_request::RULE,
        &response_told::RULE,
        &response_last::RULE,
        &version_header::RULE,
        &header_mismatch::RULE,
        &method_unknown::RULE,
        &get_gone::RULE,
    ],
    ..BASE
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

/// For mutants: whether the body of the request says that.
fn says(visit: &Visit<'_>, text: &str) -> bool {
    visit.request.body.to_text().contains(text)
}

/// For mutants: the request with that text in its body replaced.
fn replaced(request: &mut Request, text: &str, with: &str) {
    request.body = Bytes::from(request.body.to_text().replace(text, with));
}
