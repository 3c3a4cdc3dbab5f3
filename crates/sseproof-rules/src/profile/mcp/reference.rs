//! The reference: a server with one tool, which reports its progress.
//!
//! It knows its session ids by their beginning, and the id of an event names its stream, so that
//! sessions and streams can be computed again and need not be stored.

use serde_json::{Value, json};
use sseproof_http::{Action, Bytes, Framing, Plan, Request, Visit};

use crate::profile::written::{Written, stream};
use crate::reference::head;

/// A session that always exists.
pub(super) const SESSION: &str = "5f0c7a52-1d0e-4c39-9a3d-2f6f0b1c8e47";
/// The beginning of all session ids.
const SESSIONS: &str = "5f0c7a52-1d0e-4c39-9a3d-";
const WITH_SESSIONS: [&str; 3] = ["2025-03-26", "2025-06-18", "2025-11-25"];
const WITHOUT: &str = "2026-07-28";
/// The member with the version of a request without a handshake.
const VERSION: &str = "io.modelcontextprotocol/protocolVersion";
/// The progress token of the calls whose streams are resumed.
const TOKEN: &str = "sseproof";
/// How far the tool counts.
const STEPS: u64 = 3;

pub(super) fn answer(visit: &Visit<'_>) -> Plan {
    let request = visit.request;
    let header = |name| request.headers.first(name);
    if header("origin").is_some_and(|origin| !origin.contains("//localhost")) {
        return error(403, &Value::Null, -32600, "this origin is not allowed");
    }
    let asked: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let version = header("mcp-protocol-version");
    let in_body = asked["params"]["_meta"].get(VERSION);
    if version.as_deref() == Some(WITHOUT) || in_body.is_some() {
        return without_sessions(visit, &asked);
    }
    match request.method.as_str() {
        "POST" if asked["method"] == "initialize" => initialize(visit, &asked),
        "POST" | "GET" | "DELETE" => in_session(visit, &asked),
        _ => not_allowed("GET, POST"),
    }
}

fn initialize(visit: &Visit<'_>, asked: &Value) -> Plan {
    let wanted = asked["params"]["protocolVersion"].as_str().unwrap_or_default();
    let newest = WITH_SESSIONS[2];
    let version = if WITH_SESSIONS.contains(&wanted) { wanted } else { newest };
    let result = json!({
        "protocolVersion": version, "capabilities": { "tools": {} },
        "serverInfo": { "name": "reference", "version": "1" },
    });
    let body = json!({ "jsonrpc": "2.0", "id": asked["id"], "result": result });
    let session = format!("{SESSIONS}{:012x}", visit.earlier);
    Plan::answer(200, "application/json", body.to_string()).with_header("Mcp-Session-Id", session)
}

fn in_session(visit: &Visit<'_>, asked: &Value) -> Plan {
    let request = visit.request;
    let id = &asked["id"];
    match request.headers.first("mcp-session-id").as_deref() {
        None => return error(400, id, -32600, "a session is needed"),
        Some(session) if session.starts_with(SESSIONS) => {}
        Some(_) => return error(404, id, -32001, "there is no such session"),
    }
    let version = request.headers.first("mcp-protocol-version");
    if version.as_deref().is_some_and(|version| !WITH_SESSIONS.contains(&version)) {
        return error(400, id, -32600, "this version is not supported");
    }
    let primes = version.as_deref() == Some("2025-11-25");
    match (request.method.as_str(), asked["method"].as_str()) {
        ("GET", _) => listen(visit),
        ("POST", Some(_)) if id.is_null() => accepted(),
        ("POST", Some(method)) => match kind(method) {
            Some(kind) => stream(visit, events(kind, id, token(asked), primes)),
            None => error(200, id, -32601, "there is no such method"),
        },
        ("POST", None) => error(400, id, -32600, "this is not a request"),
        _ => not_allowed("GET, POST"),
    }
}

fn without_sessions(visit: &Visit<'_>, asked: &Value) -> Plan {
    let request = visit.request;
    if request.method != "POST" {
        return not_allowed("POST");
    }
    let id = &asked["id"];
    let header = |name| request.headers.first(name).map(Value::from).unwrap_or_default();
    if header("mcp-protocol-version") != asked["params"]["_meta"][VERSION]
        || header("mcp-method") != asked["method"]
        || (asked["method"] == "tools/call" && header("mcp-name") != asked["params"]["name"])
    {
        return error(400, id, -32020, "the headers do not match the body");
    }
    if header("mcp-protocol-version") != WITHOUT {
        return error(400, id, -32600, "this version is not supported");
    }
    match asked["method"].as_str().and_then(kind) {
        Some(kind) => {
            let events = events(kind, id, token(asked), false).into_iter();
            stream(visit, events.map(|event| Written { id: None, ..event }))
        }
        None => error(404, id, -32601, "there is no such method"),
    }
}

/// The prefix of the event ids of its stream, for a known method.
fn kind(method: &str) -> Option<&'static str> {
    match method {
        "tools/list" => Some("list"),
        "tools/call" => Some("call"),
        _ => None,
    }
}

/// The token with which the call asks for its progress.
fn token(asked: &Value) -> &str {
    asked["params"]["_meta"]["progressToken"].as_str().unwrap_or(TOKEN)
}

/// The stream that answers the request.
fn events(kind: &str, id: &Value, token: &str, primes: bool) -> Vec<Written> {
    let mut messages = Vec::new();
    let result = if kind == "call" {
        messages.extend((1..=STEPS).map(|step| {
            json!({
                "jsonrpc": "2.0", "method": "notifications/progress",
                "params": { "progressToken": token, "progress": step, "total": STEPS },
            })
        }));
        json!({ "content": [{ "type": "text", "text": "counted: café ☕" }] })
    } else {
        json!({ "tools": [{ "name": "count", "inputSchema": { "type": "object" } }] })
    };
    messages.push(json!({ "jsonrpc": "2.0", "id": id, "result": result }));
    let priming = primes.then(String::new);
    let data = priming.into_iter().chain(messages.iter().map(Value::to_string));
    let with_id = |(n, data): (usize, String)| Written {
        id: Some(format!("{kind}-{id}-{n}")),
        ..Written::data(data)
    };
    data.enumerate().map(with_id).collect()
}

/// The stream of a GET: the rest of an earlier one, or the messages of the server itself.
fn listen(visit: &Visit<'_>) -> Plan {
    if let Some(left) = resumed(visit.request) {
        return stream(visit, left);
    }
    let changed = json!({ "jsonrpc": "2.0", "method": "notifications/tools/list_changed" });
    let id = Some(format!("listen-{}", visit.earlier));
    let event = Written { id, ..Written::data(changed) };
    Plan { actions: vec![head(visit), Action::Write(event.bytes()), Action::Flush, Action::Hold] }
}

/// The events after the id that the client sends.
fn resumed(request: &Request) -> Option<Vec<Written>> {
    let last = request.last_event_id()?.to_text();
    let events = whole(request)?;
    let place = events.iter().position(|event| event.id.as_deref() == Some(&*last))?;
    Some(events[place + 1..].to_vec())
}

/// All events of the stream that the client resumes.
pub(super) fn whole(request: &Request) -> Option<Vec<Written>> {
    let last = request.last_event_id()?.to_text();
    let (kind, rest) = last.split_once('-')?;
    let (id, _) = rest.rsplit_once('-')?;
    let primes = request.headers.first("mcp-protocol-version").as_deref() == Some("2025-11-25");
    Some(events(kind, &serde_json::from_str(id).ok()?, TOKEN, primes))
}

fn accepted() -> Plan {
    let head = Action::Head {
        status: 202,
        headers: sseproof_http::Headers::default(),
        framing: Framing::Length(0),
    };
    Plan { actions: vec![head, Action::Write(Bytes::default()), Action::Finish] }
}

fn error(status: u16, id: &Value, code: i32, message: &str) -> Plan {
    let error = json!({ "code": code, "message": message });
    let body = json!({ "jsonrpc": "2.0", "id": id, "error": error });
    Plan::answer(status, "application/json", body.to_string())
}

fn not_allowed(allow: &str) -> Plan {
    error(405, &Value::Null, -32600, "this method is not offered").with_header("Allow", allow)
}
