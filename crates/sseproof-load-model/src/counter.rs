//! The counters, each with its definition; `specs/metrics.md` is generated from here.

use std::collections::BTreeMap;

use crate::table::table;
use serde::{Deserialize, Serialize};

use crate::{ErrorKind, LoadError};

table! {
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    pub enum Counter of &str { key: &'static str, definition: &'static str }

    Arrivals = "arrivals",
        "connections (or requests) that the schedule intended; a reconnect does not count";
    Connected = "connected",
        "TCP connections established, with TLS if it is used; over HTTP/2, streams share them";
    Streams = "streams",
        "answers with status 200 and a stream (WebSocket: handshakes that succeeded)";
    Compressed = "compressed",
        "streams that the server compressed, as the client had offered: gzip, or permessage-deflate on a WebSocket; `bytes` are counted as they arrive, compressed";
    Unanswered = "unanswered",
        "arrivals that never got a stream: connected, and no response headers within the plan's `patience` or until the end of the run (or for a second, if the plan disconnects them earlier); `wait` has their times";
    Rejected = "rejected",
        "arrivals that never got a stream: the last attempt gave a response without one, or an error before the response headers; `errors` has the kinds";
    Unconnected = "unconnected",
        "arrivals that never got a stream, since they got no connection (or no TLS on it, or were refused over HTTP/2); `errors` has the kinds";
    Ended = "ended",
        "streams whose end, or reset, came from the server";
    Closed = "closed",
        "streams that the generator closed, as its plan says";
    Reconnects = "reconnects",
        "streams begun by a client that had one before";
    Events = "events",
        "events dispatched as the standard says (WebSocket: messages)";
    Bytes = "bytes",
        "bytes read from the connections: headers, framing and content, over HTTP/2 all frames; over TLS, the decrypted bytes";
    Lost = "lost",
        "sequence numbers that never arrived between two that did, and, if the generator publishes, after the last that did; those that a client which the plan makes slow may still get count as `unread`";
    Unread = "unread",
        "published events that clients which the plan makes slow had not read at their end; at the end of the run they read on at full speed for `drain`, and what an open stream withholds even then is `lost`";
    Duplicated = "duplicated",
        "sequence numbers that arrived again on the same client, reconnects included";
    Reordered = "reordered",
        "sequence numbers that arrived after a higher one; they are not lost";
    Negative = "negative",
        "events whose stamp is later than their arrival: the two clocks differ by more than the event took";
    Unstamped = "unstamped",
        "events without a stamp at the place that the plan names";
    Unsequenced = "unsequenced",
        "events without a sequence number; all events if the plan has no `sequence`";
    Published = "published",
        "publish requests, or commands, that succeeded";
    PublishFailed = "publish-failed",
        "publish requests, or commands, that failed";
    Completed = "completed",
        "requests whose stream ended properly";
    Tokens = "tokens",
        "events that carried a non-empty token; a token of the model may be more or less";
    Unresolved = "unresolved",
        "tokens that came in one read with the token before them: there is a gap, but it is not resolvable, so it is not in `itl`";
    Good = "good",
        "completed requests that met every objective of the plan (goodput)";
    Errors = "errors",
        "all errors, also listed by kind";
}

impl Counter {
    /// Whether open streams cause it, so that its rate is the one of the time in which all clients
    /// were connected. Arrivals and errors happen before that.
    pub fn is_of_streams(self) -> bool {
        matches!(self, Self::Events | Self::Bytes | Self::Published | Self::PublishFailed)
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

/// The most texts of errors that are counted separately: a server may give each client another one.
const TEXTS: usize = 200;

impl Counters {
    pub fn add(&mut self, counter: Counter, count: u64) {
        if count > 0 {
            let sum = self.counts.entry(counter).or_default();
            *sum = sum.saturating_add(count);
        }
    }

    /// Adds an error, to [`Counter::Errors`] too.
    pub fn error(&mut self, error: &LoadError) {
        self.add(Counter::Errors, 1);
        self.error_times(error.text(), error.kind(), 1);
    }

    fn error_times(&mut self, text: &str, kind: ErrorKind, times: u64) {
        let is_apart = self.errors.len() < TEXTS || self.errors.contains_key(text);
        let text = match is_apart {
            true => text.to_owned(),
            false => format!("more errors of the kind {}", kind.key()),
        };
        let (_, sum) = self.errors.entry(text).or_insert((kind, 0));
        *sum = sum.saturating_add(times);
    }

    pub fn count(&self, counter: Counter) -> u64 {
        self.counts.get(&counter).copied().unwrap_or_default()
    }

    pub fn errors(&self) -> impl Iterator<Item = (&str, u64)> {
        self.errors.iter().map(|(text, (_, count))| (text.as_str(), *count))
    }

    pub fn errors_with_kinds(&self) -> impl Iterator<Item = (&str, ErrorKind)> {
        self.errors.iter().map(|(text, (kind, _))| (text.as_str(), *kind))
    }

    /// How often errors of that kind occurred.
    pub fn errors_of(&self, kind: ErrorKind) -> u64 {
        let of_it = self.errors.values().filter(|(other, _)| *other == kind);
        of_it.fold(0, |sum, (_, count)| sum.saturating_add(*count))
    }

    pub fn absorb(&mut self, other: &Self) {
        for (counter, count) in &other.counts {
            self.add(*counter, *count);
        }
        for (text, (kind, count)) in &other.errors {
            self.error_times(text, *kind, *count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_errors_are_bounded_and_all_are_counted() {
        let counters = |from: u64| {
            let mut counters = Counters::default();
            for number in from..from + 1_000 {
                counters.error(&LoadError::new(ErrorKind::Protocol, format!("head: {number}")));
            }
            counters
        };
        let mut all = counters(0);
        all.absorb(&counters(500));
        assert_eq!(all.errors().count(), TEXTS + 1);
        assert_eq!(all.errors_of(ErrorKind::Protocol), 2_000);
    }

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
