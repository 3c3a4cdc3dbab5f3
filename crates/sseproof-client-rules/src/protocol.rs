//! The lines between sseproof and an adapter, as `specs/client-protocol.md` describes them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A command to an adapter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Command {
    pub id: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect: Option<Connect>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub close: Option<Close>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Close {}

/// The connection that a client opens. A member that is `None` is left to the client.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Connect {
    pub url: String,
    /// The event types besides `message`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_event_id: Option<String>,
    /// The reconnection time before the server sets one, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<u64>,
    /// In milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_timeout: Option<u64>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub credentials: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub close_on: Option<CloseOn>,
    /// The number of the event, from 1, after which the user takes no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause: Option<u64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

/// The handler in which the client closes itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum CloseOn {
    /// That of the event with this number, from 1.
    Event(u64),
    /// That of the error with this number, from 1.
    Error(u64),
}

/// A line of an adapter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    Hello(Hello),
    Call { id: u64, call: Call },
}

/// The client that an adapter drives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Hello {
    pub name: String,
    #[serde(default)]
    pub version: String,
    pub kind: Kind,
    #[serde(default)]
    pub can: Vec<Can>,
    /// The ends after which a resilient client reconnects: `network`, `end`, `status`, or a status.
    #[serde(default)]
    pub retries_on: Vec<String>,
}

impl Hello {
    /// Whether the client reconnects by intent after that end.
    pub fn declares(&self, end: &str) -> bool {
        self.kind == Kind::Resilient && self.retries_on.iter().any(|declared| declared == end)
    }

    /// Whether it reconnects by intent after a cut and not after a complete response: its streams are
    /// cut where others end.
    pub fn needs_cuts(&self) -> bool {
        self.declares("network") && !self.declares("end")
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It follows the standard of `EventSource`.
    Eventsource,
    /// It reconnects by a policy of its own.
    Resilient,
    /// It reads one response.
    Reader,
}

/// A feature that an adapter supports: members of [`Connect`], messages, and transports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Can {
    Types,
    Headers,
    Method,
    Body,
    LastEventId,
    Retry,
    ReadTimeout,
    Credentials,
    Close,
    CloseOn,
    Open,
    Error,
    Closed,
    Comment,
    State,
    #[serde(rename = "lastEventId.event")]
    LastEventIdOfEvent,
    #[serde(rename = "origin.event")]
    OriginOfEvent,
    Pause,
    Tls,
    Http2,
}

impl Can {
    /// Its name in `can`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Types => "types",
            Self::Headers => "headers",
            Self::Method => "method",
            Self::Body => "body",
            Self::LastEventId => "lastEventId",
            Self::Retry => "retry",
            Self::ReadTimeout => "readTimeout",
            Self::Credentials => "credentials",
            Self::Close => "close",
            Self::CloseOn => "closeOn",
            Self::Open => "open",
            Self::Error => "error",
            Self::Closed => "closed",
            Self::Comment => "comment",
            Self::State => "state",
            Self::LastEventIdOfEvent => "lastEventId.event",
            Self::OriginOfEvent => "origin.event",
            Self::Pause => "pause",
            Self::Tls => "tls",
            Self::Http2 => "http2",
        }
    }
}

/// A call of the client to its user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    Open(Opened),
    Event(Event),
    Comment(String),
    Error(Failed),
    Closed(Opened),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opened {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<Ready>,
}

/// The `readyState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ready {
    Connecting,
    Open,
    Closed,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Event {
    #[serde(default = "message", rename = "type")]
    pub event_type: String,
    pub data: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_event_id: Option<String>,
    /// The origin of the stream's URL after redirects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
}

fn message() -> String {
    "message".to_owned()
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failed {
    #[serde(default)]
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<Ready>,
}

/// A line of an adapter as it stands on its standard output.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hello: Option<Hello>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    open: Option<Opened>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    event: Option<Event>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<Failed>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    closed: Option<Opened>,
}

impl Line {
    /// The message of the line.
    ///
    /// # Errors
    /// Why it is none, as a fragment.
    pub fn heard(self) -> Result<Heard, &'static str> {
        let Self { id, hello, open, event, comment, error, closed } = self;
        let calls = [
            open.map(Call::Open),
            event.map(Call::Event),
            comment.map(Call::Comment),
            error.map(Call::Error),
            closed.map(Call::Closed),
        ];
        let mut calls = calls.into_iter().flatten();
        match (id, hello, calls.next(), calls.next()) {
            (None, Some(hello), None, None) => Ok(Heard::Hello(hello)),
            (Some(id), None, Some(call), None) => Ok(Heard::Call { id, call }),
            (None, None, Some(_), None) => Err("it has no `id`"),
            (_, None, None, None) => Err("it has no message"),
            _ => Err("it has more than one message"),
        }
    }

    /// The line of a call.
    pub fn of(id: u64, call: Call) -> Self {
        let mut line = Self { id: Some(id), ..Self::default() };
        match call {
            Call::Open(opened) => line.open = Some(opened),
            Call::Event(event) => line.event = Some(event),
            Call::Comment(comment) => line.comment = Some(comment),
            Call::Error(failed) => line.error = Some(failed),
            Call::Closed(closed) => line.closed = Some(closed),
        }
        line
    }

    /// The first line of an adapter.
    pub fn hello(hello: Hello) -> Self {
        Self { hello: Some(hello), ..Self::default() }
    }
}

impl Connect {
    pub fn to(url: impl Into<String>) -> Self {
        Self { url: url.into(), ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(line: &str) -> Result<Heard, String> {
        let line: Line = serde_json::from_str(line).map_err(|error| error.to_string())?;
        line.heard().map_err(str::to_owned)
    }

    #[test]
    fn the_examples_of_the_protocol_are_read() {
        let page = include_str!("../../../specs/client-protocol.md");
        let lines: Vec<_> = page.lines().filter(|line| line.starts_with('{')).collect();
        assert!(lines.len() > 6, "{lines:?}");
        for line in lines {
            let is_command = serde_json::from_str::<Command>(line).is_ok();
            assert!(is_command || heard(line).is_ok(), "{line}: {:?}", heard(line));
        }
    }

    #[test]
    fn other_lines_are_refused_with_the_reason() {
        for (line, why) in [
            (r#"{"id":1}"#, "it has no message"),
            (r#"{"open":{}}"#, "it has no `id`"),
            (r#"{"id":1,"open":{},"closed":{}}"#, "it has more than one message"),
            (r#"{"id":1,"event":{}}"#, "missing field `data` at line 1 column 18"),
            (r#"{"id":1,"evnt":{}}"#, "unknown field `evnt`"),
            (r#"{"hello":{"name":"a","kind":"eventsource","can":["fly"]}}"#, "unknown variant"),
        ] {
            let refused = heard(line).expect_err(line);
            assert!(refused.contains(why), "{line}: {refused}");
        }
    }

    #[test]
    fn a_call_survives_its_line() {
        let calls = [
            Call::Open(Opened { state: Some(Ready::Open) }),
            Call::Event(Event {
                event_type: "x".into(),
                data: "a".into(),
                last_event_id: None,
                origin: Some("http://a".into()),
            }),
            Call::Comment("ping".into()),
            Call::Error(Failed { message: "no".into(), status: Some(503), state: None }),
            Call::Closed(Opened::default()),
        ];
        for call in calls {
            let line = serde_json::to_string(&Line::of(7, call.clone())).expect("a line");
            assert_eq!(heard(&line), Ok(Heard::Call { id: 7, call }), "{line}");
        }
    }
}
