//! What is counted, each with its definition; `specs/metrics.md` is made from here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{ErrorKind, LoadError};

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

/// A value for each counter that is not zero, and errors by their text, each with its kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub struct Counters {
    counts: BTreeMap<Counter, u64>,
    errors: BTreeMap<String, (ErrorKind, u64)>,
}

/// The form of [`Counters`] in a result.
#[derive(Serialize, Deserialize)]
struct Stored {
    counts: BTreeMap<Counter, u64>,
    errors: BTreeMap<String, u64>,
    /// The key of the kind of each; results of version 0.1.0 have none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    error_kinds: BTreeMap<String, String>,
}

impl From<Stored> for Counters {
    fn from(stored: Stored) -> Self {
        let Stored { counts, errors, error_kinds } = stored;
        let kind = |text: &str| match error_kinds.get(text) {
            Some(key) => ErrorKind::of(key).unwrap_or(ErrorKind::Other),
            None => ErrorKind::of_old_text(text),
        };
        let errors = errors.into_iter().map(|(text, count)| {
            let kind = kind(&text);
            (text, (kind, count))
        });
        Self { counts, errors: errors.collect() }
    }
}

impl From<Counters> for Stored {
    fn from(Counters { counts, errors }: Counters) -> Self {
        let kinds = errors.iter().map(|(text, (kind, _))| (text.clone(), kind.key().into_owned()));
        let error_kinds = kinds.collect();
        let errors = errors.into_iter().map(|(text, (_, count))| (text, count)).collect();
        Self { counts, errors, error_kinds }
    }
}

impl Counters {
    /// Adds so many.
    pub fn add(&mut self, counter: Counter, count: u64) {
        if count > 0 {
            *self.counts.entry(counter).or_default() += count;
        }
    }

    /// Adds an error, to [`Counter::Errors`] too.
    pub fn error(&mut self, error: &LoadError) {
        self.add(Counter::Errors, 1);
        match self.errors.get_mut(error.text()) {
            Some((_, count)) => *count += 1,
            None => {
                self.errors.insert(error.text().to_owned(), (error.kind(), 1));
            }
        }
    }

    pub fn count(&self, counter: Counter) -> u64 {
        self.counts.get(&counter).copied().unwrap_or_default()
    }

    /// The text of each error, and how often it occurred.
    pub fn errors(&self) -> impl Iterator<Item = (&str, u64)> {
        self.errors.iter().map(|(text, (_, count))| (text.as_str(), *count))
    }

    /// How often errors of that kind occurred.
    pub fn errors_of(&self, kind: ErrorKind) -> u64 {
        let of_it = self.errors.values().filter(|(other, _)| *other == kind);
        of_it.map(|(_, count)| count).sum()
    }

    /// Adds another one.
    pub fn absorb(&mut self, other: &Self) {
        for (counter, count) in &other.counts {
            self.add(*counter, *count);
        }
        for (text, (kind, count)) in &other.errors {
            self.errors.entry(text.clone()).or_insert((*kind, 0)).1 += count;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reworded_error_keeps_its_kind_in_a_result() {
        let mut counters = Counters::default();
        counters.error(&LoadError::new(ErrorKind::Refused, "any other words"));
        let json = serde_json::to_string(&counters).unwrap();
        let read: Counters = serde_json::from_str(&json).unwrap();
        assert_eq!(read, counters, "{json}");
        assert_eq!((read.errors_of(ErrorKind::Refused), read.errors_of(ErrorKind::Other)), (1, 0));
    }

    #[test]
    fn an_old_result_has_kinds_too() {
        let json = r#"{"counts":{"errors":3},"errors":{"connect: refused":2,"status 503":1}}"#;
        let read: Counters = serde_json::from_str(json).unwrap();
        assert_eq!(read.errors_of(ErrorKind::Refused), 2);
        assert_eq!(read.errors_of(ErrorKind::Status(503)), 1);
    }
}
