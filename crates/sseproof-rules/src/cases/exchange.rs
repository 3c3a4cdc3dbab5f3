//! An exchange of a case: a recording of the reference or of a mutant, and what the case changes of
//! it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use sseproof_http::{Action, CodingFault, Framing, Plan, Request, Version};
use sseproof_record::{
    Chunk, End, Ending, Exchange, PLAIN, Phase, PublishOutcome, Published, Reason, Role, Side,
    Transport,
};

use crate::Profile;
use crate::testing::Run;

/// An exchange. Wherever bytes are written, `<<e9 ff>>` is these bytes, and `<<ab*3>>` is `ababab`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Asked {
    /// The method, or method and target, if they differ from those of the target.
    ask: Option<String>,
    /// `http10` or `http2`; HTTP/1.1 if it is not given.
    over: Option<String>,
    /// The same for the response, if it differs.
    replies_over: Option<String>,
    /// Fields of the request; null removes one.
    headers: BTreeMap<String, Option<String>>,
    /// The body of the request.
    body: String,
    /// The exchange after which this one reconnects.
    reconnect: Option<usize>,
    /// The `Last-Event-ID`; `last` is the last one that the server sent.
    id: Option<String>,
    /// The exchange whose redirect this one follows.
    redirect: Option<usize>,
    /// The exchange beside which this one begins, `after` a second or so many milliseconds.
    beside: Option<usize>,
    /// The milliseconds since the exchange before.
    after: Option<u64>,
    /// The maximum time before the client disconnects, in seconds; 1 if it is not given.
    stay: Option<f64>,
    /// The status; 0 if there is no response.
    status: Option<u16>,
    /// The media type.
    media: Option<String>,
    /// Fields of the response: a value to set, a list of values to add, or null to remove it.
    fields: BTreeMap<String, Value>,
    /// The milliseconds from the request to the response headers.
    head_after: Option<u64>,
    /// The milliseconds for which the server does nothing.
    wait: Option<u64>,
    /// The body of the response.
    answer: Option<String>,
    /// The same, and a blank line is added at its end.
    stream: Option<String>,
    /// More of the body, each piece with the milliseconds before it; with blank lines unless there is
    /// an `answer`.
    late: Vec<(u64, String)>,
    /// Events with these ids, which are also their data.
    ids: Option<String>,
    /// Events with this data, each with the milliseconds since the response headers.
    data: Vec<(u64, String)>,
    /// So many pieces more, each so many milliseconds after the one before.
    flow: Option<(usize, u64, String)>,
    /// See [`ending`]; `whole` if there is a body.
    ended: Option<String>,
    /// The milliseconds from the request to the end.
    lasted: Option<u64>,
    /// Whether the body decodes to more than the recorder keeps.
    too_much: bool,
    /// All bytes that came over the connection.
    wire: Option<String>,
    /// Whether it is judged; true if it is not given.
    judged: Option<bool>,
    /// The part that it plays for rules that compare exchanges.
    role: Option<String>,
    scenario: String,
    transport: Option<Transport>,
    /// The publications to the stream.
    published: Vec<Published>,
    /// A text that was published between two others; the body is then what arrived for it.
    publishes: Option<Publishes>,
}

/// A dangerous text in one part of an event: it is published between two sentinels, and after a
/// harmless text in that part, except for data.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Publishes {
    data: Option<String>,
    event: Option<String>,
    id: Option<String>,
    comment: Option<String>,
    outcome: PublishOutcome,
}

impl Publishes {
    /// The publications, in order.
    fn all(&self) -> Vec<Published> {
        let sentinel = |name| Published::of(name);
        let carrier = Published {
            payload: Some("a payload".to_owned()),
            ..Published::of(self.data.as_deref().unwrap_or("C"))
        };
        let plain = |part: &Option<String>| part.as_ref().map(|_| PLAIN.to_owned());
        let harmless = Published {
            event: plain(&self.event),
            id: plain(&self.id),
            comment: plain(&self.comment),
            ..carrier.clone()
        };
        let dangerous = Published {
            event: self.event.clone(),
            id: self.id.clone(),
            comment: self.comment.clone(),
            outcome: self.outcome.clone(),
            ..carrier
        };
        match self.data {
            Some(_) => vec![sentinel("S1"), dangerous, sentinel("S2")],
            None => vec![sentinel("S1"), harmless, sentinel("S2"), dangerous, sentinel("S3")],
        }
    }

    /// The body in which these bytes arrive for the text.
    fn body(&self, arrives: &[u8]) -> Vec<u8> {
        if self.data.is_some() {
            return [b"data: S1\n\n", arrives, b"data: S2\n\n"].concat();
        }
        let field = match (&self.event, &self.id) {
            (Some(_), _) => "event",
            (_, Some(_)) => "id",
            _ => "",
        };
        let before = format!("data: S1\n\n{field}: {PLAIN}\ndata: C\n\ndata: S2\n\n");
        [before.as_bytes(), arrives, b"data: S3\n\n"].concat()
    }
}

/// How an exchange ended: a word, and a number for some.
fn ending(text: &str) -> Ending {
    let (word, number) = text.rsplit_once(' ').unwrap_or((text, ""));
    let number = || number.parse().unwrap_or_else(|_| panic!("{text}: a number is missing"));
    match (text, word) {
        ("whole", _) => Ending::Complete,
        ("left", _) => Ending::Disconnected,
        // The server closed the connection before the end of the body.
        ("broken", _) => Ending::Truncated,
        ("reset", _) => Ending::Reset,
        ("timed out", _) => Ending::TimedOut(Phase::Head),
        ("unresolved", _) => Ending::Unresolved("no such name".to_owned()),
        ("unconnected", _) => Ending::Unconnected("connection refused".to_owned()),
        ("no route", _) => Ending::Unconnected("no route to host".to_owned()),
        ("no connection", _) => Ending::TimedOut(Phase::Connect),
        ("handshake", _) => Ending::Handshake("no HTTP/2".to_owned()),
        ("malformed", _) => Ending::Malformed("odd".to_owned()),
        (_, "stream reset") => Ending::StreamReset(number()),
        (_, "gone away") => Ending::GoneAway(number()),
        (_, "over limit") => Ending::OverLimit(number().into()),
        _ => panic!("{text}: unknown ending"),
    }
}

/// The bytes of a text with `<<..>>` in it.
pub(crate) fn bytes(text: &str) -> Vec<u8> {
    let mut pieces = text.split("<<");
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let (special, rest) = piece.split_once(">>").expect("`>>` after `<<`");
        match special.rsplit_once('*') {
            Some((text, times)) => {
                bytes.extend(text.repeat(times.parse().expect("a number after `*`")).bytes());
            }
            None => bytes.extend(special.split(' ').map(|hex| {
                u8::from_str_radix(hex, 16).unwrap_or_else(|_| panic!("{hex}: not a byte"))
            })),
        }
        bytes.extend_from_slice(rest.as_bytes());
    }
    bytes
}

/// The text with a blank line at its end.
fn ended(text: &str) -> String {
    format!("{}\n\n", text.trim_end_matches('\n'))
}

impl Asked {
    /// The run with this exchange.
    pub(super) fn added(&self, run: Run, profile: Option<&Profile>) -> Run {
        let millis =
            |millis: Option<u64>, default| Duration::from_millis(millis.unwrap_or(default));
        let request = self.request(&run, profile);
        let started = match self.beside {
            Some(of) => run.transcript.exchanges[of - 1].started + millis(self.after, 1_000),
            None => run.now + millis(self.after, 0),
        };
        let stay = Duration::from_secs_f64(self.stay.unwrap_or(1.0));
        let mut exchange = match profile {
            Some(_) => run.played(&empty_stream(), request, started, stay),
            None => {
                let wait = self.wait.map(|millis| Action::Wait(Duration::from_millis(millis)));
                let plan = run.answered(&request, started, self.beside.is_some()).after(wait);
                run.played(&plan, request, started, stay)
            }
        };
        if self.over.as_deref() == Some("http2") {
            move_to_http2(&mut exchange);
        }
        self.change_head(&mut exchange, started + stay);
        self.change_body(&mut exchange, started + stay, profile.is_some());
        self.change_rest(&mut exchange);
        run.push(exchange)
    }

    fn request(&self, run: &Run, profile: Option<&Profile>) -> Request {
        let (method, path) = profile.map_or(("GET", "/events"), |one| (one.method, one.path));
        let ask = self.ask.as_deref().unwrap_or(method);
        let (method, path) = ask.split_once(' ').unwrap_or((ask, path));
        let url = if path.starts_with('/') { format!("http://server{path}") } else { path.into() };
        let mut request = Request::subscribe(url);
        request.method = method.to_owned();
        if self.over.as_deref() == Some("http10") {
            request.version = Version::Http10;
        }
        for (name, value) in &self.headers {
            match value {
                Some(value) => request.headers.set(name, bytes(value)),
                None => request.headers.remove(name),
            }
        }
        if let Some(id) = &self.id {
            let id = if id == "last" { run.last_id().into_bytes() } else { bytes(id) };
            request.headers.set("Last-Event-ID", id);
        }
        request.body = bytes(&self.body).into();
        request
    }

    fn change_head(&self, exchange: &mut Exchange, leave: Duration) {
        if let Some(millis) = self.head_after
            && let Some(head) = &mut exchange.head
        {
            head.at = exchange.started + Duration::from_millis(millis);
        }
        if self.status == Some(0) {
            exchange.head = None;
            exchange.wire.clear();
            exchange.body.clear();
            exchange.end = End { at: leave, how: Ending::Disconnected };
        }
        let Some(head) = &mut exchange.head else { return };
        head.status = self.status.unwrap_or(head.status);
        if self.replies_over.as_deref() == Some("http10") {
            head.version = Version::Http10;
        }
        if let Some(media) = &self.media {
            head.headers.set("Content-Type", media.as_str());
        }
        for (name, value) in &self.fields {
            match value {
                Value::Null => head.headers.remove(name),
                Value::String(value) => head.headers.set(name, bytes(value)),
                Value::Array(values) => values.iter().filter_map(Value::as_str).for_each(|value| {
                    head.headers.add(name, bytes(value));
                }),
                other => panic!("{name}: {other} is not a text"),
            }
        }
    }

    /// The pieces of the body, each with the time since the response headers.
    fn pieces(&self) -> Vec<(Duration, Vec<u8>)> {
        let is_stream = self.answer.is_none();
        let text = |text: &String| {
            let bytes = bytes(&if is_stream { ended(text) } else { text.clone() });
            self.publishes.as_ref().map_or(bytes.clone(), |publishes| publishes.body(&bytes))
        };
        let first = self.stream.as_ref().or(self.answer.as_ref()).map(text);
        let ids = self.ids.iter().flat_map(|ids| ids.split(' '));
        let ids = ids.flat_map(|id| format!("id: {id}\ndata: {id}\n\n").into_bytes());
        let first = first.into_iter().flatten().chain(ids).collect();
        let data = |(at, data): &(u64, String)| (*at, format!("data: {data}\n\n").into_bytes());
        let mut pieces: Vec<_> =
            [(0, first)].into_iter().chain(self.data.iter().map(data)).collect();
        let flow = self
            .flow
            .iter()
            .flat_map(|(count, wait, text)| std::iter::repeat_n((*wait, bytes(text)), *count));
        let mut at = 0;
        for (wait, bytes) in self.late.iter().map(|(wait, piece)| (*wait, text(piece))).chain(flow)
        {
            at += wait;
            pieces.push((at, bytes));
        }
        pieces.into_iter().map(|(at, bytes)| (Duration::from_millis(at), bytes)).collect()
    }

    /// Replaces the body, if this exchange has one of its own.
    fn change_body(&self, exchange: &mut Exchange, leave: Duration, own: bool) {
        let pieces = self.pieces();
        let has_first = self.stream.is_some() || self.answer.is_some() || self.ids.is_some();
        if !own && !has_first && pieces.len() == 1 {
            return;
        }
        let begun = exchange.head.as_ref().map_or(exchange.started, |head| head.at);
        exchange.coding_fault = None;
        let last = begun + pieces.last().map_or(Duration::ZERO, |(at, _)| *at);
        let pieces = pieces
            .into_iter()
            .enumerate()
            .filter(|(place, (_, bytes))| *place > 0 || !bytes.is_empty());
        let pieces = pieces.map(|(_, (at, bytes))| Chunk { at: begun + at, bytes: bytes.into() });
        exchange.body = pieces.take_while(|chunk| chunk.at < leave).collect();
        let default =
            if self.publishes.is_some() { Ending::Disconnected } else { Ending::Complete };
        let how = self.ended.as_deref().map_or(default, ending);
        let left = last >= leave || how == Ending::Disconnected;
        exchange.end =
            if left { End { at: leave, how: Ending::Disconnected } } else { End { at: last, how } };
    }

    fn change_rest(&self, exchange: &mut Exchange) {
        if let Some(how) = &self.ended {
            exchange.end.how = ending(how);
        }
        if let Some(millis) = self.lasted {
            exchange.end.at = exchange.started + Duration::from_millis(millis);
        }
        if self.too_much {
            let message = "it decodes to more than 16 MiB".to_owned();
            exchange.coding_fault = Some(CodingFault { at: 9, message, too_much: true });
        }
        if let Some(wire) = &self.wire {
            exchange.wire = Chunk::of(exchange.started, bytes(wire)).into_iter().collect();
        }
        if let Some(transport) = &self.transport {
            exchange.transport = transport.clone();
        }
        if let Some(role) = &self.role {
            exchange.name.clone_from(role);
            exchange.role = role.parse().ok();
            exchange.via = matches!(exchange.role, Some(Role::Compared(Side::Through, _)));
            exchange.judged = false;
        }
        exchange.judged = self.judged.unwrap_or(exchange.judged && self.publishes.is_none());
        exchange.published =
            self.publishes.as_ref().map_or_else(|| self.published.clone(), Publishes::all);
        exchange.scenario.clone_from(&self.scenario);
        let follows = |exchange, reason| sseproof_record::Follows { exchange, reason };
        let reconnect = self.reconnect.map(|of| follows(of, Reason::Reconnect));
        exchange.follows = reconnect.or(self.redirect.map(|of| follows(of, Reason::Redirect)));
    }
}

/// The response of a profile's server that a case replaces.
fn empty_stream() -> Plan {
    let headers = [("Content-Type", "text/event-stream")].into_iter().collect();
    let head = Action::Head { status: 200, headers, framing: Framing::Chunked };
    Plan { actions: vec![head, Action::Hold] }
}

/// Makes an exchange over HTTP/1.1 one on the first stream of an HTTP/2 connection.
fn move_to_http2(exchange: &mut Exchange) {
    exchange.request.version = Version::Http2;
    exchange.transport.stream = Some(1);
    exchange.wire.clear();
    if let Some(head) = &mut exchange.head {
        head.version = Version::Http2;
        head.headers.remove("transfer-encoding");
        for header in &mut head.headers.0 {
            header.name.make_ascii_lowercase();
        }
    }
}
