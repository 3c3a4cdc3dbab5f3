//! The reference: a server with one tool, which reports its progress.
//!
//! It knows its session ids by their beginning, and the id of an event names its stream and its
//! session, so that sessions and streams can be computed again and need not be stored.

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
/// The progress token of a request without one.
pub(super) const TOKEN: &str = "sseproof";
/// How far the tool counts.
const STEPS: u64 = 3;

pub(super) fn answer(visit: &Visit<'_>) -> Plan {
    let request = visit.request;
    let header = |name| request.headers.first(name);
    if header("origin").is_some_and(|origin| !is_local(&origin)) {
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

/// Whether it is the origin of a page of this machine.
fn is_local(origin: &str) -> bool {
    let host = origin.split_once("://").map_or("", |(_, authority)| authority);
    host.split(':').next() == Some("localhost")
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
    let primes = primes(request);
    match (request.method.as_str(), asked["method"].as_str()) {
        ("GET", _) => listen(visit),
        ("POST", Some(_)) if id.is_null() => accepted(),
        ("POST", Some(_)) => match Call::of(request, asked) {
            Some(call) => stream(visit, call.events(primes)),
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
    match Call::of(request, asked) {
        Some(call) => {
            let events = call.events(false).into_iter();
            stream(visit, events.map(|event| Written { id: None, ..event }))
        }
        None => error(404, id, -32601, "there is no such method"),
    }
}

/// A request whose answer is a stream, as far as its events depend on it.
pub(super) struct Call {
    pub(super) kind: String,
    pub(super) id: Value,
    /// The end of its session id.
    pub(super) in_session: String,
    /// The token with which it asks for its progress.
    pub(super) token: String,
}

impl Call {
    fn of(request: &Request, asked: &Value) -> Option<Self> {
        let kind = match asked["method"].as_str()? {
            "tools/list" => "list",
            "tools/call" => "call",
            _ => return None,
        };
        let token = asked["params"]["_meta"]["progressToken"].as_str().unwrap_or(TOKEN);
        Some(Self {
            kind: kind.to_owned(),
            id: asked["id"].clone(),
            in_session: in_id(request),
            token: token.to_owned(),
        })
    }

    /// The one whose stream has the event that the client names, and the number of that event.
    pub(super) fn named(request: &Request) -> Option<(Self, usize)> {
        let last = request.last_event_id()?.to_text();
        let (rest, n) = last.rsplit_once('-')?;
        let mut parts = rest.splitn(4, '-').map(str::to_owned);
        let (kind, id) = (parts.next()?, serde_json::from_str(&parts.next()?).ok()?);
        let (in_session, token) = (parts.next()?, parts.next()?);
        Some((Self { kind, id, in_session, token }, n.parse().ok()?))
    }

    /// The id of its session.
    pub(super) fn session(&self) -> String {
        format!("{SESSIONS}{}", self.in_session)
    }

    pub(super) fn event_id(&self, n: usize) -> String {
        let Self { kind, id, in_session, token } = self;
        format!("{kind}-{id}-{in_session}-{token}-{n}")
    }

    /// The stream that answers it.
    fn events(&self, primes: bool) -> Vec<Written> {
        let mut messages = Vec::new();
        let result = if self.kind == "call" {
            messages.extend((1..=STEPS).map(|step| {
                json!({
                    "jsonrpc": "2.0", "method": "notifications/progress",
                    "params": { "progressToken": self.token, "progress": step, "total": STEPS },
                })
            }));
            json!({ "content": [{ "type": "text", "text": "counted: café ☕" }] })
        } else {
            json!({ "tools": [{ "name": "count", "inputSchema": { "type": "object" } }] })
        };
        messages.push(json!({ "jsonrpc": "2.0", "id": self.id, "result": result }));
        let priming = primes.then(String::new);
        let data = priming.into_iter().chain(messages.iter().map(Value::to_string));
        let with_id = |(n, data): (usize, String)| Written {
            id: Some(self.event_id(n)),
            ..Written::data(data)
        };
        data.enumerate().map(with_id).collect()
    }
}

/// The end of the id of the session that the request names, as event ids have it.
fn in_id(request: &Request) -> String {
    let named = request.headers.first("mcp-session-id").unwrap_or_default();
    named.strip_prefix(SESSIONS).unwrap_or_default().to_owned()
}

/// Whether the client speaks the version whose streams begin with an event without data.
fn primes(request: &Request) -> bool {
    request.headers.first("mcp-protocol-version").as_deref() == Some("2025-11-25")
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
    let (_, place) = Call::named(request)?;
    Some(whole(request)?.split_off(place + 1))
}

/// All events of the stream that the client resumes, if it has such an event and is of this session.
pub(super) fn whole(request: &Request) -> Option<Vec<Written>> {
    let (call, place) = Call::named(request)?;
    let events = call.events(primes(request));
    (call.in_session == in_id(request) && place < events.len()).then_some(events)
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
