//! The steps. What stands above each field is what an editor shows.

use schemars::JsonSchema;
use serde::Deserialize;
use sseproof_record::Version;

use std::collections::BTreeMap;

use super::{
    At, Count, EndKind, EventMatcher, Headers, Json, Method, Name, Pattern, Pause, Query,
    RetryMatcher, RoleName, Short, Shorthand, Statuses, Text, Value,
};
use crate::mistake::Slip;

/// One thing to do or to expect.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Opens a connection as an `EventSource` does, and follows redirects.
    Connect(Connect),
    /// Demands something of a connection.
    Expect(Box<Expect>),
    /// Waits for more events, or reads on for a while; fails where the stream falls short.
    Read(Read),
    /// Waits and never fails: for what a server may do or not.
    Observe(Box<Observe>),
    /// Leaves a connection.
    Drop(Short<Cut>),
    /// Comes back as an `EventSource` does when its connection has ended.
    Reconnect(Reconnect),
    /// Does nothing for a while.
    Wait(Pause),
    /// Sends an ordinary request, whose answer is not judged as a stream.
    Http(Http),
    /// Publishes data as the target says, or by POST.
    Publish(Short<Publish>),
    /// Publishes every dangerous payload as the target says, each between two sentinels, for the
    /// `encode/` rules to judge; it never fails by itself.
    Payloads(Payloads),
    /// Reads how many producers, connections, descriptors and threads the server has, and how much
    /// memory; never fails.
    Gauge(Gauge),
    /// Connects many times and leaves as soon as the head is there, and reads the gauges meanwhile;
    /// never fails.
    Churn(Churn),
    /// Publishes much, for nobody to look at; never fails.
    Pour(Pour),
    /// Reads nothing more from a connection, and keeps it: `stall: first`.
    Stall(Short<Stall>),
    /// Restarts the server as the target says, and waits until it takes connections; never fails.
    Restart(Restart),
    /// Runs a command and waits for its end.
    Run(Short<Command>),
    /// Keeps a value for later, as `${name}`.
    Capture(Capture),
    /// Does the steps several times; `${round}` counts from 1.
    Repeat(Repeat),
    /// Does the steps once for each value; `${round}` counts from 1.
    ForEach(ForEach),
}

/// Opens a connection. What is not said is the target's.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Connect {
    /// The path and query, in place of those of the target's URL.
    pub path: Option<Text>,
    /// The method, in place of the target's.
    pub method: Option<Method>,
    /// Header fields, besides those of an `EventSource` and of the target.
    #[serde(default)]
    pub headers: Headers,
    /// The body, in place of the target's.
    pub body: Option<Text>,
    /// The body as JSON, with its content type.
    pub json: Option<Json>,
    /// The version of HTTP: `"1.0"`, `"1.1"` or `"2"`; what client and server agree on otherwise.
    pub http: Option<Version>,
    /// The connection of an earlier step that is shared, over HTTP/2: both are streams on it.
    pub on: Option<At<Name>>,
    /// How many bytes the server may send on this stream of HTTP/2, and no more is ever allowed.
    pub window: Option<u32>,
    /// Whether its connection takes as little as can be of what nobody reads, so that who sends soon
    /// has to wait.
    #[serde(default)]
    pub narrow: bool,
    /// Whether it goes through the proxy that the target names (`via`).
    #[serde(default)]
    pub via: bool,
    /// Whether it is for the stream that carries what is published, where that is another one;
    /// through the proxy, it is at the same place beside the stream of the target.
    #[serde(default)]
    pub published: bool,
    /// Whether redirects are followed, as they are by default.
    pub redirects: Option<bool>,
    /// How long to wait for the head before the next step (as long as the client waits at all, if
    /// nothing is said); it may still come behind that.
    pub within: Option<Pause>,
    /// Asks as somebody else, and leaves the step out where there is nobody of that kind. The
    /// standing rules do not judge what comes.
    pub who: Option<Who>,
    /// The part that it plays for rules that compare it with others; its name, too, if no other is
    /// given.
    pub role: Option<RoleName>,
    /// What later steps call the connection (`stream` if nothing is said).
    #[serde(rename = "as")]
    pub name: Option<At<Name>>,
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Who {
    /// The user of the target, with its credentials; left out where it has none.
    User,
    /// Somebody without credentials; left out where the target has none.
    Nobody,
    /// The other user of the target; left out where it has none.
    Other,
    /// The target's user, on a page of another origin.
    Page,
}

/// Demands something of a connection: the head, or one kind of thing in the stream, or both.
///
/// Each kind is sought behind the last one of its kind that was read or expected.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Expect {
    /// The connection; the one opened last if nothing is said.
    pub from: Option<At<Name>>,
    /// The status code, or several of which one will do.
    pub status: Option<Statuses>,
    /// Header fields of the answer; null for one that must be absent.
    #[serde(default)]
    pub headers: BTreeMap<String, Option<Short<Value>>>,
    /// An event, by its data, or by `data`, `type` and `id`.
    pub event: Option<Short<EventMatcher>>,
    /// A comment, by what follows its colon and one space.
    pub comment: Option<Short<Value>>,
    /// A reconnection time.
    pub retry: Option<Short<RetryMatcher>>,
    /// The end of the stream.
    pub end: Option<EndKind>,
    /// How many that fit are waited for (1 if nothing is said). More may follow.
    pub count: Option<Count>,
    /// Whether it must be the very next of its kind; others are passed over otherwise.
    #[serde(default)]
    pub next: bool,
    /// How long to wait for it (5s if nothing is said).
    pub within: Option<Pause>,
    /// Demands the contrary: nothing that fits comes for this long.
    pub none_within: Option<Pause>,
}

/// Waits for more events, or reads on for a while; fails where the stream falls short.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Read {
    /// The connection; the one opened last if nothing is said.
    pub from: Option<At<Name>>,
    /// How many events, behind those that were read or expected before.
    pub events: Option<Count>,
    /// How long to read on; the stream must not end before.
    #[serde(rename = "for")]
    pub time: Option<Pause>,
    /// How long to wait for the events (5s if nothing is said).
    pub within: Option<Pause>,
}

/// Waits until what is said is there, the stream ends, or the time is over; never fails.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Observe {
    /// The connection; the one opened last if nothing is said.
    pub from: Option<At<Name>>,
    /// Until the connection has had this many events in all.
    pub events: Option<Count>,
    /// Until the connection has had an event like this one, by its data, or by `data`, `type` and
    /// `id`.
    pub event: Option<Short<EventMatcher>>,
    /// Until the head of the answer is there.
    #[serde(default)]
    pub head: bool,
    /// Until the end, which ends every `observe`: says that nothing else is waited for.
    #[serde(default)]
    pub end: bool,
    /// How long at the most (5s if nothing is said).
    pub within: Option<Pause>,
}

/// Leaves a connection.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Drop")]
pub struct Cut {
    /// The connection; the one opened last if nothing is said.
    pub from: Option<At<Name>>,
    /// Resets the connection (RST) instead of closing it (FIN).
    #[serde(default)]
    pub reset: bool,
}

impl Shorthand for Cut {
    const EXPECTED: &'static str = "the name of a connection";
    const WRITTEN: &'static str = "`drop: first`, or `drop: { from: first, reset: true }`";

    fn short(text: &str) -> Result<Self, Slip> {
        // The place is filled in by who knows it: see `check`.
        let place = crate::mistake::Place { line: 0, column: 0 };
        Ok(Self { from: Some(At { value: Name::parse(text)?, place }), reset: false })
    }
}

/// Comes back as an `EventSource` does when its connection has ended: with the same request, the
/// last event ID, and after the announced reconnection time.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Reconnect {
    /// The connection that ended; the one opened last if nothing is said.
    pub from: Option<At<Name>>,
    /// What later steps call the new connection; its name is the old one's if nothing is said.
    #[serde(rename = "as")]
    pub name: Option<At<Name>>,
    /// How long after the end of the old connection, in place of the announced time (3s where
    /// none was announced, and never more than a minute).
    pub wait: Option<Pause>,
    /// The `Last-Event-ID` to send, in place of the last one received.
    pub last_event_id: Option<Text>,
    /// Sends the id of this event of the old connection, counted from 1, as if nothing behind it
    /// had arrived.
    pub after_event: Option<Count>,
    /// Leaves the step out, and all that concerns the new connection, unless this holds.
    pub only_if: Option<OnlyIf>,
    /// Header fields in place of those that were sent before.
    #[serde(default)]
    pub headers: Headers,
    /// Comes back as somebody else, as in `connect`.
    pub who: Option<Who>,
    /// The part that the new connection plays for rules, as in `connect`.
    pub role: Option<RoleName>,
}

/// What must hold of the old connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnlyIf {
    /// It was a stream, and the server ended it.
    Ended,
    /// There is an id to send.
    HasIds,
}

/// Sends an ordinary request and reads the answer to its end.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// The path and query, in place of those of the target's URL.
    pub path: Option<Text>,
    /// A whole URL, for another server.
    pub url: Option<Text>,
    /// The method: GET, or POST where there is a body, if nothing is said.
    pub method: Option<Method>,
    /// Header fields, besides those of the target.
    #[serde(default)]
    pub headers: Headers,
    /// The body.
    pub body: Option<Text>,
    /// The body as JSON, with its content type.
    pub json: Option<Json>,
    /// The status code, or several of which one will do (200 to 299 if nothing is said).
    pub status: Option<Statuses>,
    /// How long to wait for the whole answer (5s if nothing is said).
    pub within: Option<Pause>,
    /// What later steps call the answer.
    #[serde(rename = "as")]
    pub name: Option<At<Name>>,
}

/// Publishes data as the target says (where it says nothing, or the step names a path: by POST, as
/// text), and demands an answer from 200 to 299.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Publish {
    /// What is published.
    pub data: Text,
    /// Where to POST it, in place of what the target says (`/publish` where it says nothing).
    pub path: Option<Text>,
    /// Header fields, besides those of the target.
    #[serde(default)]
    pub headers: Headers,
}

impl Shorthand for Publish {
    const EXPECTED: &'static str = "what to publish";
    const WRITTEN: &'static str = "`publish: { data: hello }`, or `publish: hello`";

    fn short(text: &str) -> Result<Self, Slip> {
        Ok(Self { data: Text::parse(text)?, path: None, headers: Headers::default() })
    }
}

/// Reads the gauges of the server.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gauge {
    /// What later steps call the reading.
    #[serde(rename = "as")]
    pub name: Name,
    /// Reads until the numbers are back where they were.
    pub until: Option<Until>,
}

/// What a reading is waited for.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Until {
    /// The earlier reading whose numbers of producers and connections are not to be exceeded.
    pub at_most: Name,
    /// How long at the most (10s if nothing is said).
    pub within: Option<Pause>,
}

/// Connects and leaves, many times.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Churn {
    /// How often (200 if nothing is said).
    pub times: Option<Count>,
    /// How many at a time (10 if nothing is said).
    pub at_a_time: Option<Count>,
    /// How long at the most (15s if nothing is said).
    pub within: Option<Pause>,
    /// What the readings are called: one before, one behind each eighth, one at the end.
    #[serde(rename = "as")]
    pub name: Name,
}

/// Publishes much.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pour {
    /// How many bytes of data in all (3.5 MiB if nothing is said).
    pub bytes: Option<Count>,
    /// How many times that.
    pub times: Option<Count>,
    /// How long at the most (5s if nothing is said).
    pub within: Option<Pause>,
}

/// Reads nothing more.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stall {
    /// The connection; the one opened last if nothing is said.
    pub from: Option<At<Name>>,
}

impl Shorthand for Stall {
    const EXPECTED: &'static str = "the name of a connection";
    const WRITTEN: &'static str = "`stall: first`, or `stall: { from: first }`";

    fn short(text: &str) -> Result<Self, Slip> {
        let place = crate::mistake::Place { line: 0, column: 0 };
        Ok(Self { from: Some(At { value: Name::parse(text)?, place }) })
    }
}

/// Restarts the server.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Restart {
    /// How long it may take until it takes connections again (20s if nothing is said).
    pub within: Option<Pause>,
}

/// What a target must offer beside its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Need {
    /// A way to publish.
    Publish,
    /// A number of what is alive: a gauge, or a process that can be looked into.
    Active,
    /// How much memory the server holds: a gauge, or a process that can be looked into.
    Memory,
    /// A way to restart it.
    Restart,
    /// The same stream through a proxy.
    Via,
    /// That HTTP/2 may be spoken to it.
    Http2,
}

/// Publishes every dangerous payload, each between two sentinels.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Payloads {
    /// How long to wait for each sentinel in the stream (2s if nothing is said).
    pub within: Option<Pause>,
    /// Only the long ones: 10,000 lines, and 1 MiB in one line.
    #[serde(default)]
    pub long: bool,
}

/// Runs a command. It is split into words as a shell does, and no shell sees it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Run")]
pub struct Command {
    /// The program and its arguments.
    pub command: Text,
    /// How long it may take (30s if nothing is said).
    pub within: Option<Pause>,
    /// The exit code that it must have (0 if nothing is said).
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

/// Keeps a value of the event that was read or expected last, or of the answer, as `${name}`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Capture {
    /// The connection or answer; the one opened last if nothing is said.
    pub from: Option<At<Name>>,
    /// The name of the variable.
    pub into: Name,
    /// Which part of the event (`data` if nothing is said).
    pub field: Option<Field>,
    /// A JSON path into it: what it selects first.
    pub path: Option<Query>,
    /// A regular expression: what its first group matches, or all of it.
    pub regex: Option<Pattern>,
    /// A header field of the answer, instead of something in the stream.
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

/// Does the steps several times.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Repeat {
    /// How often.
    pub times: Count,
    /// What to do.
    pub steps: At<Vec<At<Step>>>,
}

/// Does the steps once for each value.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ForEach {
    /// The name of the variable that holds the value.
    pub var: Name,
    /// The values.
    #[serde(rename = "in")]
    pub values: At<Vec<Text>>,
    /// What to do with each.
    pub steps: At<Vec<At<Step>>>,
}
