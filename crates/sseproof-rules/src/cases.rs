//! For the tests of rules: the cases in `tests/rules/` and `tests/profiles/`, which are exchanges
//! written by hand with the expected verdict of a rule.
//!
//! A file has a list of cases for each rule of its family, most of them of one line:
//!
//! ```yaml
//! cases:
//!   utf8:
//!     - { passes: 1 stream, answer: "data: é\n\n" }
//!     - { fails: "invalid UTF-8: byte e9", at: offset 9, answer: "data: caf<<e9>>\n\n" }
//!     - { skips: any, each: { answer: ["", "<<x*5000>>"] } }
//!     - { passes: any, exchanges: [{}, { reconnect: 1, id: "22", status: 204 }] }
//! ```
//!
//! The verdict is `passes`, `fails`, `skips` or `inconclusive` with the whole text, or `any` text. A
//! rule that fails does so `at` a place (see [`describe`]), with one fault unless there is a `count`.
//! All other members are those of [`Asked`], and describe one exchange, or the `exchanges` have
//! them. `each` gives the last exchange one value of a member after another.
//!
//! An exchange of a general rule is a subscription to the reference, or to the `mutant` with that id,
//! and members change its recording. In a case of a profile it is a request of that profile, and the
//! response is an event stream without events.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};
use sseproof_http::{Action, Answer, CodingFault, Framing, Plan, Request, Version};
use sseproof_record::{
    Chunk, End, Ending, Exchange, Gauge, PLAIN, Phase, PublishOutcome, Published, Reading, Reason,
    Role, RunEvent, RunEventKind, Side, Target, Transcript, Transport,
};

use crate::testing::{Run, URL};
use crate::{
    Fault, Place, Profile, Record, Rule, Verdict, View, mutants, profiles, reference, rules,
};

/// The families of rules, each with its cases; those of profiles first.
const FILES: &[(&str, &str)] = &[
    ("openai-chat", include_str!("../tests/profiles/openai-chat.yaml")),
    ("openai-responses", include_str!("../tests/profiles/openai-responses.yaml")),
    ("anthropic-messages", include_str!("../tests/profiles/anthropic-messages.yaml")),
    ("mcp", include_str!("../tests/profiles/mcp.yaml")),
    ("graphql-sse", include_str!("../tests/profiles/graphql-sse.yaml")),
    ("mercure", include_str!("../tests/profiles/mercure.yaml")),
    ("stream", include_str!("../tests/rules/stream.yaml")),
    ("retry", include_str!("../tests/rules/retry.yaml")),
    ("response", include_str!("../tests/rules/response.yaml")),
    ("encode", include_str!("../tests/rules/encode.yaml")),
    ("transport", include_str!("../tests/rules/transport.yaml")),
    ("cors", include_str!("../tests/rules/cors.yaml")),
    ("delivery", include_str!("../tests/rules/delivery.yaml")),
    ("lifecycle", include_str!("../tests/rules/lifecycle.yaml")),
    ("proxy", include_str!("../tests/rules/proxy.yaml")),
    ("reconnect", include_str!("../tests/rules/reconnect.yaml")),
    ("resume", include_str!("../tests/rules/resume.yaml")),
    ("auth", include_str!("../tests/rules/auth.yaml")),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// Values that several cases share, for YAML aliases.
    #[serde(default, rename = "shared")]
    _shared: Value,
    /// The cases of each rule, by its name without the family.
    cases: BTreeMap<String, Vec<Case>>,
}

/// Exchanges and the verdict of the rule on them.
#[derive(Debug, Deserialize)]
struct Case {
    passes: Option<String>,
    fails: Option<String>,
    skips: Option<String>,
    inconclusive: Option<String>,
    /// The place of the first fault.
    at: Option<String>,
    /// The consequence of the first fault.
    consequence: Option<String>,
    /// How many faults there are; 1 if it is not given.
    count: Option<usize>,
    /// The URL of the target.
    target: Option<String>,
    mutant: Option<String>,
    exchanges: Option<Vec<Map<String, Value>>>,
    /// A member of the last exchange, and the values that it has one after another.
    #[serde(default)]
    each: BTreeMap<String, Vec<Value>>,
    #[serde(default)]
    events: Vec<Event>,
    /// Readings of gauges: when, in milliseconds, the name (`after/before` if the run waited for it
    /// to fall to `before`), the gauge, and the number or why there is none; memory in MiB.
    #[serde(default)]
    readings: Vec<(u64, String, Gauge, Value)>,
    /// Readings after each 25 of many clients that connect and disconnect.
    #[serde(default)]
    churn: BTreeMap<Gauge, Vec<Value>>,
    /// The data of events that were published and accepted, each with the milliseconds.
    #[serde(default)]
    publish: Vec<(u64, String)>,
    /// Without `exchanges`: the only one.
    #[serde(flatten)]
    exchange: Map<String, Value>,
}

/// An event of the run.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Event {
    /// Milliseconds since the start of the run, whose first exchange begins after a second.
    at: u64,
    #[serde(default)]
    name: String,
    what: RunEventKind,
}

/// An exchange. Wherever bytes are written, `<<e9 ff>>` is these bytes, and `<<ab*3>>` is `ababab`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Asked {
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
    fn added(&self, run: Run, profile: Option<&Profile>) -> Run {
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

impl Case {
    /// The exchanges of the case, once for each value of `each`.
    fn exchanges(&self) -> Vec<Vec<Asked>> {
        let asked = |members: &Map<String, Value>| -> Asked {
            serde_json::from_value(Value::Object(members.clone()))
                .unwrap_or_else(|error| panic!("{error}: {members:?}"))
        };
        let one = std::slice::from_ref(&self.exchange);
        let all = self.exchanges.as_deref().unwrap_or(one);
        assert!(self.exchanges.is_none() || self.exchange.is_empty(), "{:?}", self.exchange);
        let given: Vec<_> = all.iter().map(asked).collect();
        let with = |(name, value): (&String, &Value)| {
            let (last, before) = all.split_last().expect("an exchange");
            let mut last = last.clone();
            last.insert(name.clone(), value.clone());
            before.iter().chain([&last]).map(asked).collect()
        };
        let each =
            self.each.iter().flat_map(|(name, values)| values.iter().map(move |v| (name, v)));
        if self.each.is_empty() { vec![given] } else { each.map(with).collect() }
    }

    fn run(&self, exchanges: &[Asked], profile: Option<&Profile>) -> Transcript {
        let serve = match (&self.mutant, profile) {
            (Some(id), _) => mutant(id),
            (None, Some(profile)) => profile.answer,
            (None, None) => reference::answer,
        };
        let target = Target {
            url: self.target.as_deref().unwrap_or(URL).to_owned(),
            method: profile.map_or("GET", |profile| profile.method).to_owned(),
            profile: profile.map(|profile| profile.id.to_owned()),
        };
        let run = Run::against(serve, target);
        let run = exchanges.iter().fold(run, |run, asked| asked.added(run, profile));
        let run_events = self.happened().into_iter().map(|event| RunEvent {
            at: Duration::from_millis(event.at),
            scenario: String::new(),
            name: event.name,
            what: event.what,
        });
        Transcript { run_events: run_events.collect(), ..run.transcript }
    }

    /// The events of the run, in order.
    fn happened(&self) -> Vec<Event> {
        let reading = |at: u64, name: &str, gauge: Gauge, value: &Value| {
            let (name, against) = match name.split_once('/') {
                Some((name, against)) => (name, Some(against.to_owned())),
                None => (name, None),
            };
            let unit = if gauge == Gauge::Memory { 1 << 20 } else { 1 };
            let error = || value.as_str().unwrap_or_default().to_owned();
            let value = value.as_u64().map(|number| number * unit).ok_or_else(error);
            let what = RunEventKind::Reading(Reading { gauge, value, against });
            Event { at, name: name.to_owned(), what }
        };
        let mut happened = self.events.clone();
        happened.extend(self.publish.iter().map(|(at, data)| {
            let what = RunEventKind::Published { what: Published::of(data), answered_us: None };
            Event { at: *at, name: String::new(), what }
        }));
        for (at, name, gauge, value) in &self.readings {
            happened.push(reading(*at, name, *gauge, value));
        }
        for (gauge, values) in &self.churn {
            for (part, value) in (1..).zip(values) {
                let connections = part * 25;
                let what = RunEventKind::Churned { connections, streams: connections, last: 1 };
                happened.push(Event { at: part, name: "churn".to_owned(), what });
                happened.push(reading(part, "churn", *gauge, value));
            }
        }
        happened.sort_by_key(|event| event.at);
        happened
    }

    /// Each verdict that differs from the expected one, with that.
    fn wrong(&self, rule: &Rule, profile: Option<&Profile>) -> Vec<String> {
        let differ = |exchanges: Vec<Asked>| {
            let (found, expected) = self.compared(rule, &self.run(&exchanges, profile));
            let last = exchanges.last().filter(|_| !self.each.is_empty());
            let shown = last.map(|last| format!(" of {last:?}")).unwrap_or_default();
            (found != expected).then(|| format!("{found}\nexpected{shown}\n{expected}"))
        };
        self.exchanges().into_iter().filter_map(differ).collect()
    }

    /// The verdict in the format of the cases, and the expected one.
    fn compared(&self, rule: &Rule, transcript: &Transcript) -> (String, String) {
        let record = Record::new(transcript);
        let words = [
            ("passes", &self.passes),
            ("skips", &self.skips),
            ("inconclusive", &self.inconclusive),
            ("fails", &self.fails),
        ];
        let (word, text) = words
            .into_iter()
            .find_map(|(word, text)| Some((word, text.as_deref()?)))
            .expect("an expected verdict");
        let is_any = text == "any";
        let shown = |word: &str, note: String| {
            format!("{word}: {}", if is_any { "any" } else { note.as_str() })
        };
        let found = match (rule.judge)(&record) {
            Verdict::Pass(note) => shown("passes", note),
            Verdict::Skip(note) => shown("skips", note),
            Verdict::Inconclusive(note) => shown("inconclusive", note),
            Verdict::Fail(faults) => {
                let fault = &faults[0];
                let mut found = shown("fails", fault.message.clone());
                if !is_any || self.at.is_some() {
                    found += &format!("\nat: {}", describe(fault, &record));
                }
                if self.consequence.is_some() {
                    found += &format!("\nconsequence: {:?}", fault.consequence);
                }
                found + &format!("\ncount: {}", faults.len())
            }
        };
        let mut expected = format!("{word}: {text}");
        if word == "fails" {
            if !is_any || self.at.is_some() {
                expected += &format!("\nat: {}", self.at.as_deref().unwrap_or_default());
            }
            if self.consequence.is_some() {
                expected += &format!("\nconsequence: {:?}", self.consequence);
            }
            expected += &format!("\ncount: {}", self.count.unwrap_or(1));
        }
        (found, expected)
    }
}

fn mutant(id: &str) -> Answer {
    let found = mutants().find(|(_, mutant)| mutant.id == id);
    found.unwrap_or_else(|| panic!("{id}: no such mutant")).1.serve
}

/// The place of a fault: `event 2`, `start`, `end`, `offset 7`, `coded 7`, `wire 7`, `status`,
/// `exchange` or `header NAME`, after the number of the exchange if there are several.
fn describe(fault: &Fault, record: &Record<'_>) -> String {
    let view = record.exchange(fault.exchange).expect("an exchange");
    let number = if record.all().count() > 1 { &*format!("{} ", view.number) } else { "" };
    let place = match &fault.place {
        Place::Body(offset) => place_in(&view, *offset),
        Place::Header(name) => format!("header {name}"),
        Place::StatusLine => "status".to_owned(),
        Place::Exchange => "exchange".to_owned(),
        Place::Coded(offset) => format!("coded {offset}"),
        Place::Wire(offset) => format!("wire {offset}"),
    };
    format!("{number}{place}")
}

fn place_in(view: &View<'_>, offset: u64) -> String {
    match view.events().position(|(event, _)| event.span.start == offset) {
        Some(index) => format!("event {}", index + 1),
        None if offset == view.body_len() => "end".to_owned(),
        None if offset == 0 => "start".to_owned(),
        None => format!("offset {offset}"),
    }
}

fn file(text: &str) -> File {
    // The files are our own, and use aliases a lot.
    let options = serde_yaml::options! { budget: None };
    serde_yaml::from_str_with_options(text, options).unwrap_or_else(|error| panic!("{error}"))
}

/// The rules of a family, each with the first profile that adds it.
fn family(family: &str) -> impl Iterator<Item = (&'static Rule, Option<&'static Profile>)> {
    rules()
        .filter(move |rule| rule.id.split('/').next() == Some(family))
        .map(|rule| (rule, profiles().find(|profile| rule.is_in(profile.rules))))
}

#[test]
fn each_rule_gives_the_expected_verdict_on_each_case() {
    let mut wrong = Vec::new();
    for (name, text) in FILES {
        let cases = file(text).cases;
        for (rule, profile) in family(name) {
            let own = rule.id.rsplit('/').next().and_then(|name| cases.get(name));
            for (index, case) in own.into_iter().flatten().enumerate() {
                let id = rule.id;
                let found = case.wrong(rule, profile).into_iter();
                wrong.extend(found.map(|found| format!("{id}, case {}\n{found}", index + 1)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn each_rule_has_cases_that_it_passes_fails_and_skips() {
    for (name, text) in FILES {
        let cases = file(text).cases;
        let names: BTreeSet<_> =
            family(name).filter_map(|(rule, _)| rule.id.rsplit('/').next()).collect();
        assert_eq!(names, cases.keys().map(String::as_str).collect(), "{name}");
        for (rule, cases) in &cases {
            assert!(cases.iter().any(|case| case.passes.is_some()), "{name}/{rule} never passes");
            assert!(cases.iter().any(|case| case.fails.is_some()), "{name}/{rule} never fails");
            assert!(cases.iter().any(|case| case.skips.is_some()), "{name}/{rule} never skips");
        }
    }
}
