//! What is counted, each with its definition; `specs/metrics.md` is made from here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A number of things that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Counter {
    /// Intended connections or requests.
    Arrivals,
    /// Connections established.
    Connected,
    /// Streams begun.
    Streams,
    /// Streams that ended by the server's hand.
    Ended,
    /// Streams that the generator closed.
    Closed,
    /// Streams begun again after an end.
    Reconnects,
    /// Events.
    Events,
    /// Bytes on the wire.
    Bytes,
    /// Lost.
    Lost,
    /// Duplicated.
    Duplicated,
    /// Reordered.
    Reordered,
    /// Stamps from the future.
    Negative,
    /// Events without the stamp that was expected.
    Unstamped,
    /// Events without the sequence number that was expected.
    Unsequenced,
    /// Published.
    Published,
    /// Publish requests that failed.
    PublishFailed,
    /// Requests that were answered whole.
    Completed,
    /// Events with tokens.
    Tokens,
    /// Requests within all objectives.
    Good,
    /// What went wrong, whatever it was.
    Errors,
}

impl Counter {
    /// All, in the order of reports.
    pub const ALL: [Self; 20] = [
        Self::Arrivals,
        Self::Connected,
        Self::Streams,
        Self::Ended,
        Self::Closed,
        Self::Reconnects,
        Self::Events,
        Self::Bytes,
        Self::Lost,
        Self::Duplicated,
        Self::Reordered,
        Self::Negative,
        Self::Unstamped,
        Self::Unsequenced,
        Self::Published,
        Self::PublishFailed,
        Self::Completed,
        Self::Tokens,
        Self::Good,
        Self::Errors,
    ];

    /// The name in thresholds and results.
    pub fn key(self) -> &'static str {
        match self {
            Self::Arrivals => "arrivals",
            Self::Connected => "connected",
            Self::Streams => "streams",
            Self::Ended => "ended",
            Self::Closed => "closed",
            Self::Reconnects => "reconnects",
            Self::Events => "events",
            Self::Bytes => "bytes",
            Self::Lost => "lost",
            Self::Duplicated => "duplicated",
            Self::Reordered => "reordered",
            Self::Negative => "negative",
            Self::Unstamped => "unstamped",
            Self::Unsequenced => "unsequenced",
            Self::Published => "published",
            Self::PublishFailed => "publish-failed",
            Self::Completed => "completed",
            Self::Tokens => "tokens",
            Self::Good => "good",
            Self::Errors => "errors",
        }
    }

    /// The counter of that key.
    pub fn of(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|counter| counter.key() == key)
    }

    /// What is counted.
    pub fn definition(self) -> &'static str {
        match self {
            Self::Arrivals => {
                "connections (or requests) that the schedule asked for; a reconnect is none"
            }
            Self::Connected => {
                "TCP connections established, with TLS where it is spoken; over HTTP/2, streams share them"
            }
            Self::Streams => {
                "answers with status 200 and a stream (WebSocket: handshakes that succeeded)"
            }
            Self::Ended => "streams whose end, or reset, came from the server",
            Self::Closed => "streams that the generator closed, as its plan says",
            Self::Reconnects => "streams begun by a client that had one before",
            Self::Events => "events dispatched as the standard says (WebSocket: messages)",
            Self::Bytes => {
                "bytes read from the connections: heads, framing and content, over HTTP/2 all frames; over TLS, what was decrypted"
            }
            Self::Lost => {
                "sequence numbers that never arrived between two that did, and, where the generator publishes, behind the last that did"
            }
            Self::Duplicated => {
                "sequence numbers that arrived again on the same client, reconnects included"
            }
            Self::Reordered => {
                "sequence numbers that arrived behind a higher one; they are not lost"
            }
            Self::Negative => {
                "events whose stamp is later than their arrival: the two clocks differ by more than the event took"
            }
            Self::Unstamped => "events in which no stamp stood where the plan says",
            Self::Unsequenced => {
                "events in which no sequence number was found; all, where the plan looks for none"
            }
            Self::Published => "publish requests that were answered with success",
            Self::PublishFailed => "publish requests that were not",
            Self::Completed => "requests whose stream came to its proper end",
            Self::Tokens => {
                "events that carried a non-empty token; a token of the model may be more or less"
            }
            Self::Good => "completed requests that met every objective of the plan (goodput)",
            Self::Errors => "everything that went wrong, also listed by kind",
        }
    }
}

/// A value for each counter that is not zero, and errors by kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    counts: BTreeMap<Counter, u64>,
    errors: BTreeMap<String, u64>,
}

impl Counters {
    /// Adds so many.
    pub fn add(&mut self, counter: Counter, count: u64) {
        if count > 0 {
            *self.counts.entry(counter).or_default() += count;
        }
    }

    /// Adds an error of that kind, to [`Counter::Errors`] too.
    pub fn error(&mut self, kind: &str) {
        self.add(Counter::Errors, 1);
        match self.errors.get_mut(kind) {
            Some(count) => *count += 1,
            None => {
                self.errors.insert(kind.to_owned(), 1);
            }
        }
    }

    /// How many.
    pub fn count(&self, counter: Counter) -> u64 {
        self.counts.get(&counter).copied().unwrap_or_default()
    }

    /// Each kind of error, and how often it was seen.
    pub fn errors(&self) -> impl Iterator<Item = (&str, u64)> {
        self.errors.iter().map(|(kind, count)| (kind.as_str(), *count))
    }

    /// Adds what another one counted.
    pub fn absorb(&mut self, other: &Self) {
        for (counter, count) in &other.counts {
            self.add(*counter, *count);
        }
        for (kind, count) in &other.errors {
            *self.errors.entry(kind.clone()).or_default() += count;
        }
    }
}
