//! The events of a run: all that a rule may look at.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use sseproof_http::Request;

use crate::{Call, Connect, Hello};

/// One client in all cases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientRecord {
    pub client: Hello,
    pub pace: Pace,
    /// Why the run ended early, if it did.
    pub cut: Option<String>,
    /// In the order of the registry.
    pub cases: Vec<CaseRecord>,
}

/// How quick the client is when nothing is wrong: waits for what should not happen are as long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pace {
    /// From the end of a stream that has sent `retry: 50` to the next request, in microseconds;
    /// `None` if none came.
    pub reconnects_us: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseRecord {
    /// The id of the case.
    pub case: String,
    pub entries: Vec<Entry>,
    pub end: CaseEnd,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseEnd {
    /// It was played to its end.
    Played,
    /// It was not played, for this reason (`the adapter has no \`headers\``).
    NotPlayed(String),
    /// The run ended before it did, for this reason.
    Cut(String),
    /// The client's process ended, hung or flooded while it was played alone.
    Died(String),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Microseconds since the start of the run.
    pub at_us: u64,
    pub what: What,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// The client was asked to connect.
    Connect { id: u64, connect: Connect },
    /// The client was asked to close the connection.
    Close { id: u64 },
    /// A request arrived.
    Asked(Asked),
    /// A response was over.
    Ended(Ended),
    /// A handshake of TLS was over: complete, or with this error.
    Handshake(Option<String>),
    /// The client called its user.
    Called { id: u64, call: Call },
    /// The server stopped to listen, and all its connections were closed.
    Away,
    /// The server listens again.
    Back,
    /// The private memory of the client's process, in bytes.
    Memory(u64),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// From 1, in the order of the requests of the case.
    pub number: u64,
    /// The number of the connection of the client, if the path of the request names it.
    pub request: Request,
    /// Whether it came over TLS.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub secure: bool,
    /// The answer of the server, step by step.
    pub answer: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ended {
    /// The number of the request.
    pub number: u64,
    pub how: How,
}

/// The end of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    Complete,
    /// The server closed the connection.
    Closed,
    /// The server reset the connection.
    Reset,
    /// The client disconnected.
    Disconnected,
}

impl Entry {
    pub fn at(&self) -> Duration {
        Duration::from_micros(self.at_us)
    }
}

impl Pace {
    /// How long a client that is about to reconnect takes at most.
    pub fn patience(self) -> Duration {
        /// The shortest and the longest time.
        const BOUNDS: (Duration, Duration) = (Duration::from_millis(1500), Duration::from_secs(12));
        let seen = self.reconnects_us.map_or(BOUNDS.0 * 2, Duration::from_micros);
        (seen * 2 + Duration::from_millis(500)).clamp(BOUNDS.0, BOUNDS.1)
    }
}
