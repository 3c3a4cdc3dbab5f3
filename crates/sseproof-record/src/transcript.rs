//! The transcript: the ordered list of the exchanges of one run.
//!
//! Times are microseconds since the start of the run, also in memory, so that a replay cannot
//! differ from the run by precision that a recording loses.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{OnConnection, Published, Role, RunEvent, Transport};
use sseproof_http::{Bytes, CodingFault, EVENT_STREAM, Headers, Request, Version};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    pub url: String,
    pub method: String,
    /// The protocol on top that was chosen, as in `openai-chat`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
}

/// Where a transcript comes from, and so what is known of each exchange.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A run: every byte with its time.
    #[default]
    Run,
    /// A file with headers and a body, as `curl -isN` writes it: no times, no end, and the request
    /// is only guessed.
    HeadAndBody,
    /// A file with a body alone.
    BodyOnly,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transcript {
    pub target: Target,
    /// When the run started, RFC 3339; empty if not known.
    pub started: String,
    pub source: Source,
    /// The exchanges, scenario by scenario, each in the order in which they were begun;
    /// `exchanges[i].number == i + 1`. Scenarios may have been played at the same time.
    pub exchanges: Vec<Exchange>,
    /// The actions and readings of the run besides the exchanges; in order.
    pub run_events: Vec<RunEvent>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// Counts from 1, in the order of the transcript.
    pub number: usize,
    /// The scenario that made it: a probe's id, or the name of a user's file.
    pub scenario: String,
    pub name: String,
    /// The part that it plays for the rules that compare it with others.
    pub role: Option<Role>,
    pub follows: Option<Follows>,
    /// Whether the standing rules judge it: not for ordinary requests of a scenario, nor for those
    /// where a scenario expects something other than a stream.
    pub judged: bool,
    /// Whether it went to the proxy that the target names, and not to the server itself.
    pub via: bool,
    pub request: Request,
    pub started: Duration,
    pub transport: Transport,
    pub phases: Phases,
    /// The written bytes: the request with everything that the client adds to it.
    pub sent: Vec<Chunk>,
    /// Status line and headers of the final response.
    pub head: Option<Head>,
    /// The body, free of the transfer coding and of a known content coding, piece by
    /// piece as it could be read.
    pub body: Vec<Chunk>,
    /// The body as received, if a content coding was decoded.
    pub coded: Vec<Chunk>,
    /// The fault at which the decoding of a content coding stopped.
    pub coding_fault: Option<CodingFault>,
    /// The bytes that all of this is derived from; `None` if there are none.
    pub on: Option<OnConnection>,
    /// Everything that came over the connection, below HTTP and above TLS: over HTTP/1, headers
    /// and chunk sizes, too; over HTTP/2, the frames of all its streams from the first one on.
    pub wire: Vec<Chunk>,
    pub published: Vec<Published>,
    pub end: End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Follows {
    pub exchange: usize,
    pub reason: Reason,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    Redirect,
    /// The earlier connection ended, and the client reconnects as an `EventSource` does.
    Reconnect,
}

/// The times until the response headers; `None` for a step that was not reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Phases {
    pub resolved: Option<Duration>,
    pub connected: Option<Duration>,
    pub sent: Option<Duration>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub at: Duration,
    /// The version in the status line, or that of the connection.
    pub version: Version,
    pub status: u16,
    pub headers: Headers,
}

/// Bytes that crossed the wire together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    pub at: Duration,
    pub bytes: Bytes,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    pub at: Duration,
    pub how: Ending,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Ending {
    /// The server ended the response, whole by its own framing.
    Complete,
    /// The client disconnected; the stream was still open.
    #[serde(rename = "left")]
    Disconnected,
    /// The client disconnected because the body exceeded the recorder's limit, in bytes.
    OverLimit(u64),
    TimedOut(Phase),
    Unresolved(String),
    /// No connection: refused, unreachable.
    Unconnected(String),
    /// A connection whose handshake failed (TLS, or the version of HTTP), with the fault and its
    /// fix.
    Handshake(String),
    Reset,
    /// The connection was closed before the response was whole by its own framing.
    Truncated,
    /// The server ended the HTTP/2 stream with RST_STREAM and this error code, before END_STREAM.
    StreamReset(u32),
    /// The server ended the HTTP/2 connection with GOAWAY and this error code, before END_STREAM.
    GoneAway(u32),
    /// The response is not HTTP, with the message of the parser.
    Malformed(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    Connect,
    Head,
}

impl Chunk {
    /// The bytes at that time; `None` if there are none.
    pub fn of(at: Duration, bytes: impl Into<Bytes>) -> Option<Self> {
        Some(Self { at, bytes: bytes.into() }).filter(|chunk| !chunk.bytes.is_empty())
    }
}

impl fmt::Display for Ending {
    /// A fragment, as in `the server reset the connection (RST)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Complete => f.write_str("the response is complete"),
            Self::Disconnected => f.write_str("sseproof disconnected"),
            Self::OverLimit(bytes) => write!(f, "sseproof disconnected after {bytes} bytes"),
            Self::TimedOut(Phase::Connect) => f.write_str("timeout while connecting"),
            Self::TimedOut(Phase::Head) => f.write_str("timeout before the response headers"),
            Self::Unresolved(why) => write!(f, "the name cannot be resolved: {why}"),
            Self::Unconnected(why) => write!(f, "no connection: {why}"),
            Self::Handshake(why) => f.write_str(why),
            Self::Reset => f.write_str("the server reset the connection (RST)"),
            Self::Truncated => {
                f.write_str("the server closed the connection before the end of the response")
            }
            Self::StreamReset(code) => {
                write!(f, "the server reset the stream (RST_STREAM, error code {code})")
            }
            Self::GoneAway(code) => {
                write!(f, "the server closed the connection (GOAWAY, error code {code})")
            }
            Self::Malformed(why) => write!(f, "not valid HTTP: {why}"),
        }
    }
}

impl Ending {
    /// Whether the server, or a proxy in front of it, ended a response that had begun.
    pub fn is_servers(&self) -> bool {
        *self == Self::Complete || self.is_cut()
    }

    /// Whether the client ended it, so that the bytes of the connection do not show it.
    pub fn is_clients(&self) -> bool {
        !self.is_servers() && !matches!(self, Self::Malformed(_))
    }

    /// Whether the server, or a proxy in front of it, cut the response.
    pub fn is_cut(&self) -> bool {
        matches!(self, Self::Reset | Self::Truncated | Self::StreamReset(_) | Self::GoneAway(_))
    }
}

impl Exchange {
    pub fn begun(number: usize, request: Request, started: Duration) -> Self {
        Self {
            number,
            scenario: String::new(),
            name: String::new(),
            role: None,
            follows: None,
            judged: true,
            via: false,
            request,
            started,
            transport: Transport::default(),
            phases: Phases::default(),
            sent: Vec::new(),
            head: None,
            body: Vec::new(),
            coded: Vec::new(),
            coding_fault: None,
            on: None,
            wire: Vec::new(),
            published: Vec::new(),
            end: End { at: started, how: Ending::Disconnected },
        }
    }

    /// Adds to its number, and to those of the exchanges that it refers to.
    pub fn renumber(&mut self, by: usize) {
        let follows = self.follows.as_mut().map(|follows| &mut follows.exchange);
        let others = follows.into_iter().chain(&mut self.transport.shares);
        others.chain([&mut self.number]).for_each(|number| *number += by);
    }

    /// The body as received, in its content coding.
    pub fn came(&self) -> &[Chunk] {
        if self.coded.is_empty() { &self.body } else { &self.coded }
    }

    pub fn came_len(&self) -> u64 {
        self.came().iter().map(|chunk| chunk.bytes.len() as u64).sum()
    }

    pub fn body_bytes(&self) -> Vec<u8> {
        joined(&self.body)
    }

    pub fn wire_bytes(&self) -> Vec<u8> {
        joined(&self.wire)
    }

    pub fn body_len(&self) -> u64 {
        self.body.iter().map(|chunk| chunk.bytes.len() as u64).sum()
    }

    pub fn status(&self) -> Option<u16> {
        self.head.as_ref().map(|head| head.status)
    }

    /// Whether the response is a record of TLS, an alert or a part of the handshake, and not HTTP.
    pub fn is_answered_in_tls(&self) -> bool {
        let first: Vec<u8> =
            self.wire.iter().flat_map(|chunk| chunk.bytes.iter().copied()).take(2).collect();
        self.head.is_none() && matches!(first[..], [0x15 | 0x16, 0x03])
    }

    /// Whether a client reads the response as an event stream: 200 and `text/event-stream`.
    pub fn is_stream(&self) -> bool {
        self.head.as_ref().is_some_and(|head| head.status == 200 && head.is_event_stream())
    }
}

/// The bytes of all chunks.
pub(crate) fn joined(chunks: &[Chunk]) -> Vec<u8> {
    let mut out = Vec::with_capacity(chunks.iter().map(|chunk| chunk.bytes.len()).sum());
    chunks.iter().for_each(|chunk| out.extend_from_slice(&chunk.bytes));
    out
}

impl Head {
    /// The media type without parameters, in lower case.
    pub fn media_type(&self) -> Option<String> {
        let value = self.headers.first("content-type")?;
        Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
    }

    /// Whether the media type is `text/event-stream`, whatever its case and parameters.
    pub fn is_event_stream(&self) -> bool {
        self.media_type().as_deref() == Some(EVENT_STREAM)
    }
}
