//! The steps of scenarios. Editors show the comment above each field.

use schemars::JsonSchema;
use serde::Deserialize;
use sseproof_http::Version;

use std::collections::BTreeMap;

use super::{
    At, Churn, Count, Crowd, EndKind, EventMatcher, Gauge, Headers, Json, Method, Name, Pattern,
    Pause, Payloads, Pour, Query, Restart, RetryMatcher, RoleName, Short, Shorthand, Stall,
    Statuses, Terminate, Text, Value,
};
use crate::mistake::Slip;

/// One action or expectation.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Opens a connection as an `EventSource` does, and follows redirects.
    Connect(Connect),
    /// Requires a status, headers, or an item of the stream.
    Expect(Box<Expect>),
    /// Waits for more events, or reads for a time; fails if too few come or the stream ends.
    Read(Read),
    /// Waits and never fails: for optional behaviour.
    Observe(Box<Observe>),
    /// Closes a connection.
    Drop(Short<Disconnect>),
    /// Reconnects as an `EventSource` does after its connection has ended.
    Reconnect(Reconnect),
    /// Waits for a time.
    Wait(Pause),
    /// Sends an ordinary request; rules ignore its response.
    Http(Http),
    /// Publishes data with the target's hook, or by POST.
    Publish(Short<Publish>),
    /// Publishes every dangerous payload with the target's hook, each between two sentinels, for the
    /// `encode/` rules; never fails.
    Payloads(Payloads),
    /// Reads the number of the server's producers, connections, descriptors and threads, and its
    /// memory; never fails.
    Gauge(Gauge),
    /// Connects many times, closes each connection after its response headers, and reads the gauges
    /// in between; never fails.
    Churn(Churn),
    /// Opens 8, 16, 32 and 64 streams at the same time, until the server serves no more, and asks
    /// for something else meanwhile; never fails.
    Crowd(Crowd),
    /// Publishes many bytes of no meaning; never fails.
    Pour(Pour),
    /// Stops reading from a connection, and keeps it open: `stall: first`.
    Stall(Short<Stall>),
    /// Reads again from a connection after `stall`: `read-on: first`.
    ReadOn(Short<Stall>),
    /// Restarts the server with the target's hook, and waits until it accepts connections.
    Restart(Restart),
    /// Asks the server that the run has started to end, as a deployment does (`stop` of the target:
    /// by default SIGTERM), waits until it has, and starts it again.
    Terminate(Terminate),
    /// Runs a command and waits for its end.
    Run(Short<Command>),
    /// Stores a value for later steps, as `${name}`.
    Capture(Capture),
    /// Runs the steps several times; `${round}` counts from 1.
    Repeat(Repeat),
    /// Runs the steps once for each value; `${round}` counts from 1.
    ForEach(ForEach),
}

/// Opens a connection. Defaults come from the target.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Connect {
    /// The path and query, instead of those of the target's URL.
    pub path: Option<Text>,
    /// The method, instead of the target's.
    pub method: Option<Method>,
    /// Header fields, besides those of an `EventSource` and of the target.
    #[serde(default)]
    pub headers: Headers,
    /// The body, instead of the target's.
    pub body: Option<Text>,
    /// The body as JSON, with its content type.
    pub json: Option<Json>,
    /// The version of HTTP: `"1.0"`, `"1.1"` or `"2"` (default: client and server negotiate it).
    pub http: Option<Version>,
    /// An open connection of an earlier step; over HTTP/2, both are streams on it, and over HTTP/1
    /// that step must `keep` it.
    pub on: Option<At<Name>>,
    /// Whether an HTTP/1 connection stays open after a complete response, for a later `on`.
    #[serde(default)]
    pub keep: bool,
    /// The flow-control window of this HTTP/2 stream, in bytes; it is never increased.
    pub window: Option<u32>,
    /// Whether the connection has a small receive buffer, so that the server soon blocks if the
    /// client does not read.
    #[serde(default)]
    pub narrow: bool,
    /// Whether it goes through the target's proxy (`via`).
    #[serde(default)]
    pub via: bool,
    /// Whether it opens the stream of published events (`publish.stream` of the target), if that is
    /// another one; through the proxy, it has the same place beside the target's stream.
    #[serde(default)]
    pub published: bool,
    /// Whether redirects are followed (default: true).
    pub redirects: Option<bool>,
    /// How long to wait for the response headers before the next step (default: the client's limit);
    /// they may still come later.
    pub within: Option<Pause>,
    /// Sends the request as another user; the step is left out if the target has no such user. The
    /// general rules do not judge the stream.
    #[serde(rename = "who")]
    pub identity: Option<Identity>,
    /// An earlier connection: sends the cookies that its response set, as the same browser does;
    /// the step is left out if it set none.
    pub cookies_of: Option<At<Name>>,
    /// The role of the connection in rules that compare several; also the default of its name.
    pub role: Option<RoleName>,
    /// The name of the connection for later steps (default: `stream`).
    #[serde(rename = "as")]
    pub name: Option<At<Name>>,
}

/// The user that sends a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Identity {
    /// The target's user, with its credentials; left out if it has none.
    User,
    /// A user without credentials; left out if the target has none.
    #[serde(rename = "nobody")]
    Anonymous,
    /// The target's other user; left out if it has none.
    Other,
    /// The target's user, on a page of another origin.
    Page,
    /// A browser that asks, for such a page, whether it may send this request: `OPTIONS`, without
    /// credentials; left out if a browser would not ask.
    Preflight,
}

/// Requires a status or headers, or one kind of item in the stream, or both.
///
/// The search begins after the last item of the same kind that was read or expected.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Expect {
    /// The connection (default: the one opened last).
    pub from: Option<At<Name>>,
    /// The status code, or a list of accepted ones.
    pub status: Option<Statuses>,
    /// Header fields of the response; null if one must be absent.
    #[serde(default)]
    pub headers: BTreeMap<String, Option<Short<Value>>>,
    /// An event, by its data, or by `data`, `type` and `id`.
    pub event: Option<Short<EventMatcher>>,
    /// A comment, by the text after its colon and one space.
    pub comment: Option<Short<Value>>,
    /// A reconnection time.
    pub retry: Option<Short<RetryMatcher>>,
    /// The end of the stream.
    pub end: Option<EndKind>,
    /// The number of matches to wait for (default: 1). More may follow.
    pub count: Option<Count>,
    /// Whether it must be the next item of its kind; otherwise others may come first.
    #[serde(default)]
    pub next: bool,
    /// How long to wait for it (default: 5s).
    pub within: Option<Pause>,
    /// Requires the opposite: no match comes in this time.
    pub none_within: Option<Pause>,
}

/// Waits for more events, or reads for a time; fails if too few come or the stream ends.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Read {
    /// The connection (default: the one opened last).
    pub from: Option<At<Name>>,
    /// The number of events, after those that were read or expected before.
    pub events: Option<Count>,
    /// How long to read; the stream must not end before.
    #[serde(rename = "for")]
    pub time: Option<Pause>,
    /// How long to wait for the events (default: 5s).
    pub within: Option<Pause>,
}

/// Waits until the given condition holds, the stream ends, or the time is over; never fails.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Observe {
    /// The connection (default: the one opened last).
    pub from: Option<At<Name>>,
    /// Until the connection has received this many events in total.
    pub events: Option<Count>,
    /// Until the connection has received such an event: its data, or `data`, `type` and `id`.
    pub event: Option<Short<EventMatcher>>,
    /// Until the response headers have arrived.
    #[serde(default)]
    pub head: bool,
    /// Until the end of the stream, and for nothing else.
    #[serde(default)]
    pub end: bool,
    /// The longest time (default: 5s).
    pub within: Option<Pause>,
}

/// Closes a connection.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Drop")]
pub struct Disconnect {
    /// The connection (default: the one opened last).
    pub from: Option<At<Name>>,
    /// Resets the connection (RST) instead of closing it (FIN).
    #[serde(default)]
    pub reset: bool,
}

impl Shorthand for Disconnect {
    const EXPECTED: &'static str = "the name of a connection";
    const WRITTEN: &'static str = "`drop: first`, or `drop: { from: first, reset: true }`";

    fn short(text: &str) -> Result<Self, Slip> {
        // `check` finds the place.
        let place = crate::mistake::Place { line: 0, column: 0 };
        Ok(Self { from: Some(At { value: Name::parse(text)?, place }), reset: false })
    }
}

/// Reconnects as an `EventSource` does after its connection has ended: with the same request, the
/// last event ID, and after the announced reconnection time.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Reconnect {
    /// The connection that ended (default: the one opened last).
    pub from: Option<At<Name>>,
    /// The name of the new connection for later steps (default: that of the old one).
    #[serde(rename = "as")]
    pub name: Option<At<Name>>,
    /// The time after the end of the old connection (default: the announced reconnection time, at
    /// most a minute; 3s if none was announced).
    pub wait: Option<Pause>,
    /// The `Last-Event-ID` to send, instead of the last one received.
    pub last_event_id: Option<Text>,
    /// Sends the id of this event of the old connection, counted from 1, as if no later event had
    /// arrived.
    pub after_event: Option<Count>,
    /// Leaves out this step and all steps on the new connection, unless this condition holds.
    pub only_if: Option<OnlyIf>,
    /// Header fields that replace those of the old request.
    #[serde(default)]
    pub headers: Headers,
    /// Reconnects as another user, as in `connect`.
    #[serde(rename = "who")]
    pub identity: Option<Identity>,
    /// The role of the new connection in rules, as in `connect`.
    pub role: Option<RoleName>,
}

/// A condition on the old connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnlyIf {
    /// It was a stream, and the server ended it.
    Ended,
    /// There is an id to send.
    HasIds,
    /// It was answered without a stream, or with one that the server ended.
    Refused,
}

/// Sends an ordinary request and reads the whole response.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// The path and query, instead of those of the target's URL.
    pub path: Option<Text>,
    /// A complete URL, for another server.
    pub url: Option<Text>,
    /// The method (default: GET, or POST with a body).
    pub method: Option<Method>,
    /// Header fields, besides those of the target.
    #[serde(default)]
    pub headers: Headers,
    /// The body.
    pub body: Option<Text>,
    /// The body as JSON, with its content type.
    pub json: Option<Json>,
    /// The status code, or a list of accepted ones (default: 200 to 299).
    pub status: Option<Statuses>,
    /// How long to wait for the whole response (default: 5s).
    pub within: Option<Pause>,
    /// The name of the response for later steps.
    #[serde(rename = "as")]
    pub name: Option<At<Name>>,
}

/// Publishes data with the target's hook (without a hook, or if the step has a path: by POST, as
/// text), and requires a status from 200 to 299.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Publish {
    /// The data to publish.
    pub data: Text,
    /// The path for a POST, instead of the target's hook (default without a hook: `/publish`).
    pub path: Option<Text>,
    /// Header fields, besides those of the target.
    #[serde(default)]
    pub headers: Headers,
}

impl Shorthand for Publish {
    const EXPECTED: &'static str = "the data to publish";
    const WRITTEN: &'static str = "`publish: { data: hello }`, or `publish: hello`";

    fn short(text: &str) -> Result<Self, Slip> {
        Ok(Self { data: Text::parse(text)?, path: None, headers: Headers::default() })
    }
}

/// Runs a command. It is split into words like in a shell, but runs without a shell.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Run")]
pub struct Command {
    /// The program and its arguments.
    pub command: Text,
    /// The time limit (default: 30s).
    pub within: Option<Pause>,
    /// The required exit code (default: 0).
    #[serde(default)]
    pub exit: i32,
}

impl Shorthand for Command {
    const EXPECTED: &'static str = "a command";
    const WRITTEN: &'static str =
        "`run: ./restart --now`, or `run: { command: ./restart --now, within: 30s }`";

    fn short(text: &str) -> Result<Self, Slip> {
        Ok(Self { command: Text::parse(text)?, within: None, exit: 0 })
    }
}

/// Stores a value of the event that was read or expected last, or of the response, as `${name}`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Capture {
    /// The connection or response (default: the one opened last).
    pub from: Option<At<Name>>,
    /// The name of the variable.
    pub into: Name,
    /// The part of the event (default: `data`).
    pub field: Option<Field>,
    /// A JSON path; its first match is stored.
    pub path: Option<Query>,
    /// A regular expression; the match of its first group is stored, or the whole match.
    pub regex: Option<Pattern>,
    /// A header field of the response, instead of a part of the stream.
    pub header: Option<String>,
}

/// A part of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Field {
    /// The data.
    Data,
    /// The last event ID at the time of the event.
    Id,
    /// The event type.
    Type,
}

/// Runs the steps several times.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Repeat {
    /// The number of rounds.
    pub times: Count,
    /// The steps of one round.
    pub steps: At<Vec<At<Step>>>,
}

/// Runs the steps once for each value.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ForEach {
    /// The name of the variable that holds the value.
    pub var: Name,
    /// The values.
    #[serde(rename = "in")]
    pub values: At<Vec<Text>>,
    /// The steps for each value.
    pub steps: At<Vec<At<Step>>>,
}
