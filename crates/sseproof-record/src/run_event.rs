//! The actions and readings of a run besides its exchanges.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Part, Published};

/// An action on the server, or a reading of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunEvent {
    pub at: Duration,
    /// The scenario that did it: a probe's id, or the name of a user's file.
    pub scenario: String,
    /// The name that the step gives it (`before`); empty if there is none.
    pub name: String,
    pub what: RunEventKind,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum RunEventKind {
    /// A gauge of the server was read.
    Reading(Reading),
    /// Something was published, for whichever stream carries it.
    Published { what: Published, answered_us: Option<u64> },
    Restarted {
        /// When it took connections again; `None` where it did not.
        ready_us: Option<u64>,
        /// Why it did not, with what was tried.
        failed: Option<String>,
    },
    /// Many clients came and left.
    Churned {
        /// How many connections were made since the step began.
        connections: u64,
        /// How many of them were given an event stream.
        streams: u64,
        /// The exchange of the last one; the others are not in the record.
        last: usize,
    },
    /// Bytes were published that no rule looks at, to see what becomes of much.
    Poured {
        /// How many bytes of data were taken since the step began.
        bytes: u64,
        /// Why no more were taken, where the server did not take them.
        stopped: Option<String>,
    },
    /// Not all dangerous payloads in this part were tried.
    LeftOut { part: Part, tried: usize, of_all: usize, why: String },
    /// A client left with a reset (RST).
    LeftByReset { exchange: usize },
    /// A client stopped to read, until it left.
    Stalled { exchange: usize },
    /// A client that had stopped to read left.
    Unread {
        exchange: usize,
        /// How many bytes the server had sent it that it had not read, at the most: they lay in the
        /// buffers on the way. Or why nobody can tell.
        bytes: Result<u64, String>,
    },
    /// A step was left out, since the target does not offer what it needs.
    Lacking(Lack),
}

/// A number that was read of the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    pub gauge: Gauge,
    /// What it showed, or why it could not be read.
    pub value: Result<u64, String>,
    /// The earlier reading that it was waited for to fall to, by its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<String>,
}

/// What can be read of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gauge {
    /// How many producers are alive, as the server tells itself.
    Active,
    /// How many connections of clients the server's processes hold, also of clients that left.
    Connections,
    /// How many descriptors the server's processes hold.
    Descriptors,
    /// How many threads the server's processes have.
    Threads,
    /// The private memory of the server's processes, in bytes.
    Memory,
}

impl fmt::Display for Gauge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Active => "producers",
            Self::Connections => "connections",
            Self::Descriptors => "descriptors",
            Self::Threads => "threads",
            Self::Memory => "bytes of memory",
        })
    }
}

/// What a target can offer beside its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lack {
    Publish,
    /// A number of what is alive: neither a gauge, nor a process that can be looked into.
    Active,
    /// A process that can be looked into.
    Process,
    Restart,
    /// The same stream through a proxy.
    Via,
    /// That HTTP/2 is spoken to it.
    Http2,
}

impl Lack {
    /// The line of the target file that offers it.
    pub fn line(self) -> &'static str {
        match self {
            Self::Publish => "publish: { http: { path: /publish, body: \"${data}\" } }",
            Self::Active => "active: { http: { path: /active }, pointer: /active }",
            Self::Process => "start: { run: ./server }",
            Self::Restart => "restart: { run: ./restart }",
            Self::Via => "via: http://127.0.0.1:8081/events",
            Self::Http2 => "url: https://127.0.0.1:8443/events",
        }
    }
}
