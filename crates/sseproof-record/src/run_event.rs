//! The actions and readings of a run besides its exchanges.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};

use crate::{Part, PublishOutcome, Published};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunEvent {
    pub at: Duration,
    /// The scenario that did it: a probe's id, or the name of a user's file.
    pub scenario: String,
    /// The name from the step (`before`); empty if there is none.
    pub name: String,
    pub what: RunEventKind,
}

impl RunEvent {
    /// Adds to the numbers of the exchanges that it refers to.
    pub fn renumber(&mut self, by: usize) {
        let numbers = match &mut self.what {
            RunEventKind::Terminated { streams, .. } => streams.as_mut_slice(),
            RunEventKind::Churned { last: exchange, .. }
            | RunEventKind::LeftByReset { exchange }
            | RunEventKind::Stalled { exchange }
            | RunEventKind::ReadOn { exchange }
            | RunEventKind::Unread { exchange, .. } => std::slice::from_mut(exchange),
            RunEventKind::Reading(_)
            | RunEventKind::Published { .. }
            | RunEventKind::Restarted { .. }
            | RunEventKind::Poured { .. }
            | RunEventKind::LeftOut { .. }
            | RunEventKind::Crowded { .. }
            | RunEventKind::Lacking(_) => &mut [],
        };
        numbers.iter_mut().for_each(|number| *number += by);
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum RunEventKind {
    Reading(Reading),
    /// An event was published, not to one certain stream.
    Published {
        what: Published,
        answered_us: Option<u64>,
    },
    Restarted {
        /// When it accepted connections again; `None` if it did not.
        ready_us: Option<u64>,
        /// Why it did not, with the command or request.
        failed: Option<String>,
    },
    /// The server that the run has started was asked to end; it is started again after that.
    Terminated {
        /// The request to end: `SIGTERM`, or the command of the target file; empty if nothing could.
        by: String,
        /// The exchanges of the streams that were open.
        streams: Vec<usize>,
        /// How long it took to end; `None` if it still ran when the time was over.
        took_us: Option<u64>,
        /// How long that time was.
        within_us: u64,
        /// Why it could not be asked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failed: Option<String>,
    },
    Churned {
        /// How many connections were made since the step began.
        connections: u64,
        /// How many of them got an event stream.
        streams: u64,
        /// The exchange of the last one; the others are not in the record.
        last: usize,
    },
    /// Bytes were published only for their amount; no rule reads them.
    Poured {
        /// How many bytes of data were accepted since the step began.
        bytes: u64,
        /// The outcome of the last portion.
        #[serde(default, skip_serializing_if = "is_accepted", deserialize_with = "stopped")]
        stopped: PublishOutcome,
        /// The events, if each had a number.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        events: Option<Numbered>,
    },
    /// Not all dangerous payloads in this part were tried.
    LeftOut {
        part: Part,
        tried: usize,
        of_all: usize,
        why: String,
    },
    LeftByReset {
        exchange: usize,
    },
    /// A client stopped reading until it disconnected.
    Stalled {
        exchange: usize,
    },
    /// A client that had stopped reading reads on.
    ReadOn {
        exchange: usize,
    },
    /// Many streams were open at the same time.
    Crowded {
        /// How many requests for a stream were sent and not withdrawn.
        asked: u64,
        /// How many of them got a stream.
        streams: u64,
        /// How many of them got no response in time.
        waiting: u64,
        /// The status of one that got another response.
        refused: Option<u16>,
        /// How long the response headers of another request took meanwhile; `None` if they did not
        /// arrive in time, or no stream had to wait.
        beside_us: Option<u64>,
        /// Whether a new request got its response headers after the waiting ones and one stream
        /// were closed.
        freed: bool,
    },
    /// A client that had stopped reading disconnected, or began to read on.
    Unread {
        exchange: usize,
        /// The maximum of bytes sent and not read: they were in the buffers on the way. Or why it
        /// is not known.
        bytes: Result<u64, String>,
    },
    /// A step was skipped, since the target does not offer a capability that it needs.
    Lacking(Lack),
}

fn is_accepted(outcome: &PublishOutcome) -> bool {
    *outcome == PublishOutcome::Accepted
}

/// Also as it was recorded before: a text, or `null` if the server accepted everything.
fn stopped<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PublishOutcome, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Stopped {
        Outcome(PublishOutcome),
        Text(Option<String>),
    }
    Ok(match Stopped::deserialize(deserializer)? {
        Stopped::Outcome(outcome) => outcome,
        Stopped::Text(None) => PublishOutcome::Accepted,
        Stopped::Text(Some(said)) if said.contains("had no answer") => {
            PublishOutcome::Unanswered(said)
        }
        Stopped::Text(Some(said)) => PublishOutcome::Failed(said),
    })
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    pub gauge: Gauge,
    pub value: Result<u64, String>,
    /// The name of the earlier reading that the run waited for it to fall to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gauge {
    /// How many producers are alive, as the server reports.
    Active,
    /// How many connections of clients the server's processes hold, also of clients that
    /// disconnected.
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lack {
    Publish,
    /// A stream that carries what is published, besides the answer to the publication.
    Stream,
    /// A number of live producers or connections: from a gauge, or from a readable process.
    Active,
    Process,
    Restart,
    /// A server that the run has started.
    Start,
    /// The same stream through a proxy.
    Via,
    /// HTTP/2.
    Http2,
}

impl Lack {
    pub fn line(self) -> &'static str {
        match self {
            Self::Publish | Self::Stream => {
                "publish: { http: { path: /publish, body: \"${data}\" } }"
            }
            Self::Active => "active: { http: { path: /active }, pointer: /active }",
            Self::Process => "start: { run: ./server }",
            Self::Restart => "restart: { run: ./restart }",
            Self::Start => "start: ./server",
            Self::Via => "via: http://127.0.0.1:8081/events",
            Self::Http2 => "url: https://127.0.0.1:8443/events",
        }
    }
}

/// Events with a number and filler, so that each can be recognised, whole or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Numbered {
    /// The text before each number.
    pub mark: String,
    /// The number of the first event.
    pub first: u64,
    /// How many events were accepted.
    pub count: u64,
    /// The number of bytes of the data of each.
    pub size: usize,
}

impl Numbered {
    /// The data of the event of that number.
    pub fn data(&self, number: u64) -> String {
        let (start, end) = (format!("{}{number}:", self.mark), format!(":{number}"));
        let filler = self.size.saturating_sub(start.len() + end.len());
        [start, "x".repeat(filler), end].concat()
    }

    /// How many bytes of data all have.
    pub fn bytes(&self) -> u64 {
        self.count.saturating_mul(self.size as u64)
    }

    /// The number of the event with this data, whole or not.
    pub fn number(&self, data: &str) -> Option<u64> {
        let (_, rest) = data.split_once(&self.mark)?;
        let end = rest.find(|char: char| !char.is_ascii_digit())?;
        rest[..end].parse().ok()
    }
}
