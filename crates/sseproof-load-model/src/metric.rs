//! What is measured as a time, each with its definition; `specs/metrics.md` is made from here.

use serde::{Deserialize, Serialize};

/// A distribution of times, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// TCP.
    Connect,
    /// TLS.
    Tls,
    /// Time to head.
    Head,
    /// Time to first event.
    FirstEvent,
    /// Delivery latency.
    Delivery,
    /// What the way and the generator add.
    Overhead,
    /// Inter-event gap.
    Gap,
    /// Reconnect time.
    Reconnect,
    /// Stream length.
    Stream,
    /// Time to first token.
    Ttft,
    /// Inter-token latency.
    Itl,
    /// Time per output token.
    Tpot,
    /// End to end.
    EndToEnd,
    /// Publish.
    Publish,
    /// Lateness of the generator's arrivals.
    Lateness,
    /// Loop lag of the generator.
    LoopLag,
}

/// What a metric means.
#[derive(Clone, Copy, Debug)]
pub struct Definition {
    /// The name in full.
    pub name: &'static str,
    /// The formula, with the events that it is taken between.
    pub formula: &'static str,
    /// The clock or clocks.
    pub clock: &'static str,
}

/// The clock of nearly all metrics.
const MONOTONIC: &str = "monotonic, of the generator";

impl Metric {
    /// All, in the order of reports.
    pub const ALL: [Self; 16] = [
        Self::Connect,
        Self::Tls,
        Self::Head,
        Self::FirstEvent,
        Self::Delivery,
        Self::Overhead,
        Self::Gap,
        Self::Reconnect,
        Self::Stream,
        Self::Ttft,
        Self::Itl,
        Self::Tpot,
        Self::EndToEnd,
        Self::Publish,
        Self::Lateness,
        Self::LoopLag,
    ];

    /// The name in thresholds and results.
    pub fn key(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Head => "head",
            Self::FirstEvent => "first-event",
            Self::Delivery => "delivery",
            Self::Overhead => "overhead",
            Self::Gap => "gap",
            Self::Reconnect => "reconnect",
            Self::Stream => "stream",
            Self::Ttft => "ttft",
            Self::Itl => "itl",
            Self::Tpot => "tpot",
            Self::EndToEnd => "end-to-end",
            Self::Publish => "publish",
            Self::Lateness => "lateness",
            Self::LoopLag => "loop-lag",
        }
    }

    /// The metric of that key.
    pub fn of(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.key() == key)
    }

    /// What it means.
    pub fn definition(self) -> Definition {
        let (name, formula, clock) = match self {
            Self::Connect => (
                "connect time",
                "TCP connection established − intended arrival of the client (of one that comes back: the end of its wait), so that a wait inside the generator counts; over HTTP/2, of each client that had to wait for it",
                MONOTONIC,
            ),
            Self::Tls => {
                ("TLS time", "end of the TLS handshake − TCP connection established", MONOTONIC)
            }
            Self::Head => (
                "time to head",
                "last byte of the response head read − first byte of the request written (WebSocket: of the answer to the opening handshake, and of its request; over HTTP/2, it could be written when the connection was there, so that a wait for the server's SETTINGS counts)",
                MONOTONIC,
            ),
            Self::FirstEvent => (
                "time to first event",
                "first event (WebSocket: first message) decoded − first byte of the request written",
                MONOTONIC,
            ),
            Self::Delivery => (
                "delivery latency",
                "event decoded − stamp in the event, which is the intended time of its publication where the generator publishes; a negative value is counted as `negative` and enters no histogram",
                "wall clock of whoever stamped, and wall clock of the generator; one clock where the generator publishes, or the server runs on the same machine; where clocks differ, a report says by how much and with which error, as far as the `Date` of all answers together tells",
            ),
            Self::Overhead => (
                "overhead",
                "delivery latency − the time for which the embedded server held the event on purpose; the error of what is measured",
                "wall clock, of one machine",
            ),
            Self::Gap => (
                "inter-event gap",
                "event decoded − the event before it on the same stream decoded",
                MONOTONIC,
            ),
            Self::Reconnect => (
                "reconnect time",
                "head of the next stream read − end of the stream before it; the wait that `retry` asks for, and attempts that failed, included",
                MONOTONIC,
            ),
            Self::Stream => (
                "stream length",
                "end of the stream, by whichever hand − head read; streams that are open at the end of the run have none",
                MONOTONIC,
            ),
            Self::Ttft => (
                "time to first token (TTFT)",
                "first event with a non-empty token decoded − intended arrival of the request (closed model: the end of its client's think time)",
                MONOTONIC,
            ),
            Self::Itl => (
                "inter-token latency (ITL)",
                "event with a token decoded − the event with a token before it decoded; one sample per gap, never a mean per request",
                MONOTONIC,
            ),
            Self::Tpot => (
                "time per output token (TPOT)",
                "(last token decoded − first token decoded) ÷ (events with tokens − 1), one sample for each request with two of them or more",
                MONOTONIC,
            ),
            Self::EndToEnd => (
                "end-to-end latency",
                "end of the stream (or its last event, such as `[DONE]`) − intended arrival of the request",
                MONOTONIC,
            ),
            Self::Publish => (
                "publish time",
                "answer to the publish request complete − intended time of the publish",
                MONOTONIC,
            ),
            Self::Lateness => {
                ("arrival lateness", "actual start of an arrival − intended start", MONOTONIC)
            }
            Self::LoopLag => (
                "loop lag",
                "actual wake of a timer of the generator − intended wake; timers have a resolution of 1 ms",
                MONOTONIC,
            ),
        };
        Definition { name, formula, clock }
    }
}
