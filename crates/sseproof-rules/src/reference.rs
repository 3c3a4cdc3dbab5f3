//! The reference server: what a right answer looks like, and what mutants change one thing of.
//!
//! It is a pure function of the visit.
//! Event `n` happens `n * INTERVAL` after the server's start, for every subscriber alike, so a
//! resumed stream can be computed instead of remembered.

use std::time::Duration;

use sseproof_codec::{EncodeError, Frame, encode};
use sseproof_http::{Action, Bytes, EVENT_STREAM, Framing, Headers, Plan, Request, Version, Visit};

/// The time between two events.
pub const INTERVAL: Duration = Duration::from_millis(50);
/// How many events a stream carries before the server ends it on purpose.
pub const EVENTS: u64 = 40;
/// The announced reconnection time.
pub const RETRY: Duration = Duration::from_millis(100);
/// The value of `/memory`: the reference buffers nothing for any client.
const MEMORY: u64 = 8 << 20;
/// How far back a stream can be resumed, in events.
const HISTORY: u64 = 2_000;

/// The path of the private streams: who they are for says `Authorization: Bearer` and the name.
pub const PRIVATE: &str = "/private";
/// The path that answers a POST of a message with a stream of this one event.
pub const ECHO: &str = "/echo";
/// The users that have a private stream.
pub const USERS: [&str; 2] = ["ada", "bob"];

/// Where a POST stands for the signal that asks the server to end: the answer is its end.
pub const TERMINATE: &str = "/terminate";

/// The right answer to any request.
///
/// `/events` (and every path that is not named here) is the stream; `/published` follows what is
/// POSTed to `/publish` (the data), or to `/publish/parts` (a JSON object with `data`, `event`, `id`
/// and `comment`); a POST of that object to [`ECHO`] is answered with the event itself; `/active`
/// reports how many answers are being played, and `/memory` how many bytes they hold; a POST to
/// `/restart` or [`TERMINATE`] cuts them all.
/// Below `/via/` is the same once more, as a proxy passes it on that does nothing to it.
/// [`PRIVATE`] is a stream for each of the [`USERS`].
pub fn answer(visit: &Visit<'_>) -> Plan {
    let request = visit.request;
    if let Some(behind) = behind_proxy(request) {
        return answer(&Visit { request: &behind, ..*visit });
    }
    match (request.method.as_str(), request.path()) {
        ("POST", "/publish" | PARTS) => publish(visit),
        ("POST", ECHO) => echo_as(visit, encoded),
        ("POST", "/restart" | TERMINATE) => restart(false),
        ("GET", "/active") => number(visit.open as u64),
        ("GET", "/memory") => number(MEMORY),
        ("GET" | "HEAD", "/published") => {
            let after = request
                .last_event_id()
                .and_then(|id| id.to_text().parse().ok())
                // A client without an id begins with the next event: the player stops at the end.
                .unwrap_or(u64::MAX);
            stream(visit, [Action::Follow { topic: "published".to_owned(), after }])
        }
        ("GET" | "HEAD", PRIVATE) => match user(visit) {
            Some(user) => stream(visit, timeline(visit, &format!("{user}-"))),
            None => Plan::answer(401, "text/plain", "say who you are\n")
                .with_header("WWW-Authenticate", "Bearer"),
        },
        ("GET" | "HEAD", _) => stream(visit, timeline(visit, "")),
        ("OPTIONS", _) => Plan {
            actions: vec![Action::Head {
                status: 204,
                headers: [("Allow", "GET, HEAD, OPTIONS")].into_iter().collect(),
                framing: Framing::None,
            }],
        },
        _ => Plan::answer(405, "text/plain", "this resource is an event stream: use GET\n")
            .with_header("Allow", "GET, HEAD, OPTIONS"),
    }
}

/// The request as a proxy at `/via/` passes it on; `None` where it goes to the server itself.
pub fn behind_proxy(request: &Request) -> Option<Request> {
    let behind = request.target().strip_prefix("/via").filter(|rest| rest.starts_with('/'))?;
    Some(Request { url: behind.to_owned(), ..request.clone() })
}

/// The answer of a gauge.
pub fn number(value: u64) -> Plan {
    Plan::answer(200, "application/json", format!("{{\"value\":{value}}}\n"))
}

/// The restart of the server, which keeps its log or loses it.
pub fn restart(forget: bool) -> Plan {
    let done = Action::Head { status: 204, headers: Headers::default(), framing: Framing::None };
    Plan { actions: vec![Action::Restart { forget }, done] }
}

/// The bytes of event `n` of the timeline.
pub fn event(n: u64) -> Bytes {
    event_of("", n)
}

fn event_of(owner: &str, n: u64) -> Bytes {
    frame(&Frame {
        id: Some(&format!("{owner}{n}")),
        data: Some(&format!("{{\"n\":{n},\"text\":\"café \u{2615}\"}}")),
        ..Frame::default()
    })
}

/// The head of an answer that is a stream, in the framing that the request allows.
pub fn head(visit: &Visit<'_>) -> Action {
    let headers: Headers = [
        ("Content-Type", EVENT_STREAM),
        ("Cache-Control", "no-store, no-transform"),
        ("X-Accel-Buffering", "no"),
    ]
    .into_iter()
    .collect();
    let framing = match (visit.request.method.as_str(), visit.request.version) {
        ("HEAD", _) => Framing::None,
        (_, Version::Http10) => Framing::Close,
        _ => Framing::Chunked,
    };
    Action::Head { status: 200, headers, framing }
}

/// A frame that is known to be encodable, as bytes.
fn frame(frame: &Frame<'_>) -> Bytes {
    let mut bytes = Vec::new();
    // Every frame of this file is made of digits and JSON without line ends.
    let written = encode(frame, &mut bytes);
    debug_assert_eq!(written, Ok(()));
    Bytes::from(bytes)
}

fn stream(visit: &Visit<'_>, rest: impl IntoIterator<Item = Action>) -> Plan {
    let mut actions = vec![head(visit)];
    if visit.request.method != "HEAD" {
        let millis = u64::try_from(RETRY.as_millis()).ok();
        let hello = Frame { comment: Some(" sseproof"), retry: millis, ..Frame::default() };
        actions.extend([Action::Write(frame(&hello)), Action::Flush]);
        actions.extend(rest);
    }
    Plan { actions }
}

/// The user whose credentials the request has.
fn user(visit: &Visit<'_>) -> Option<&'static str> {
    let given = visit.request.headers.first("authorization")?;
    let given = given.strip_prefix("Bearer ")?;
    USERS.into_iter().find(|user| *user == given)
}

/// The events since the id that the client sends, then those from now on; each id begins
/// with this.
fn timeline(visit: &Visit<'_>, owner: &str) -> Vec<Action> {
    let latest = number_at(visit.now);
    let resumed: Option<u64> = visit
        .request
        .last_event_id()
        .and_then(|id| id.to_text().strip_prefix(owner)?.parse().ok())
        .filter(|&id| id <= latest && latest - id <= HISTORY);
    let first = resumed.map_or(latest + 1, |id| id + 1);
    let last = latest + EVENTS;
    let mut clock = visit.now;
    let mut actions = Vec::new();
    for n in first..=last {
        let due = INTERVAL * u32::try_from(n).unwrap_or(u32::MAX);
        if due > clock {
            actions.push(Action::Wait(due - clock));
            clock = due;
        }
        actions.extend([Action::Write(event_of(owner, n)), Action::Flush]);
    }
    actions.push(Action::Finish);
    actions
}

/// The number of the last event that happened by then.
pub fn number_at(now: Duration) -> u64 {
    u64::try_from(now.as_micros() / INTERVAL.as_micros()).unwrap_or(u64::MAX)
}

fn publish(visit: &Visit<'_>) -> Plan {
    publish_as(visit, encoded)
}

/// Where a whole message can be published, and not only its data.
pub(crate) const PARTS: &str = "/publish/parts";

/// Whether the request is to publish something.
pub(crate) fn publishes(visit: &Visit<'_>) -> bool {
    visit.request.method == "POST" && matches!(visit.request.path(), "/publish" | PARTS)
}

/// The message that a request publishes: the members of a JSON object, or a text as the data.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Message {
    pub(crate) data: Option<String>,
    pub(crate) event: Option<String>,
    pub(crate) id: Option<String>,
    pub(crate) comment: Option<String>,
}

impl Message {
    fn of(request: &Request) -> Option<Self> {
        if matches!(request.path(), PARTS | ECHO) {
            return serde_json::from_slice(&request.body).ok();
        }
        let data = String::from_utf8_lossy(&request.body).into_owned();
        Some(Self { data: Some(data), ..Self::default() })
    }
}

/// The message as the format writes it.
pub(crate) fn encoded(message: &Message) -> Result<Vec<u8>, EncodeError> {
    let frame = Frame {
        data: message.data.as_deref(),
        event: message.event.as_deref(),
        id: message.id.as_deref(),
        comment: message.comment.as_deref(),
        retry: None,
    };
    let mut bytes = Vec::new();
    encode(&frame, &mut bytes).map(|()| bytes)
}

/// Publishes what the request asks for, written in this way; what is written as nothing is not
/// sent, though it is answered as if it were.
pub(crate) fn publish_as(
    visit: &Visit<'_>,
    write: impl Fn(&Message) -> Result<Vec<u8>, EncodeError>,
) -> Plan {
    written(visit, write, |bytes| {
        let topic = "published".to_owned();
        let publish = Action::Publish { topic, bytes: Bytes::from(bytes) };
        let head =
            Action::Head { status: 204, headers: Headers::default(), framing: Framing::None };
        let is_nothing =
            |action: &Action| matches!(action, Action::Publish { bytes, .. } if bytes.is_empty());
        let actions = [publish, head].into_iter().filter(|action| !is_nothing(action));
        Plan { actions: actions.collect() }
    })
}

/// Answers with the message itself, written in this way.
pub(crate) fn echo_as(
    visit: &Visit<'_>,
    write: impl Fn(&Message) -> Result<Vec<u8>, EncodeError>,
) -> Plan {
    written(visit, write, |bytes| Plan {
        actions: vec![head(visit), Action::Write(bytes.into()), Action::Finish],
    })
}

/// Does this with the message that the request has, or rejects it.
fn written(
    visit: &Visit<'_>,
    write: impl Fn(&Message) -> Result<Vec<u8>, EncodeError>,
    done: impl FnOnce(Vec<u8>) -> Plan,
) -> Plan {
    let Some(message) = Message::of(visit.request) else {
        return Plan::answer(400, "text/plain", "the body is not a JSON object of strings\n");
    };
    match write(&message) {
        Ok(bytes) => done(bytes),
        Err(error) => Plan::answer(422, "text/plain", format!("cannot be sent: {error}\n")),
    }
}
