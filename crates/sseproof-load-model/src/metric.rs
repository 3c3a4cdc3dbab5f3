//! The measured times, each with its definition; `specs/metrics.md` is generated from here.

use crate::table::table;
use serde::{Deserialize, Serialize};

table! {
    /// A distribution of times, in nanoseconds.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    pub enum Metric of &str { key: &'static str, definition: Definition }

    Connect = "connect",
        monotonic("connect time", "TCP connection (or unix socket, or the tunnel of a proxy) established − intended arrival of the client (of one that reconnects: the end of its wait), so that a wait inside the generator counts; over HTTP/2, of each client that had to wait for it");
    Tls = "tls",
        monotonic("TLS time", "end of the TLS handshake − TCP connection established");
    Head = "head",
        monotonic("time to response headers", "last byte of the response headers read − first byte of the request written (WebSocket: of the answer to the opening handshake, and of its request; over HTTP/2, the request counts as written when the connection was established, so that a wait for the server's SETTINGS counts)");
    Wait = "wait",
        monotonic("wait without response headers", "the client gives up or is disconnected, at the latest at the end of the run − first byte of its first request written; only clients that count as `unanswered`");
    FirstEvent = "first-event",
        monotonic("time to first event", "first event (WebSocket: first message) decoded − first byte of the request written");
    Delivery = "delivery",
        Definition {
            name: "delivery latency",
            formula: "event decoded − stamp in the event, which is the intended time of its publication if the generator publishes; a negative value counts as `negative` and is in no histogram; nor are the events of clients that the plan makes slow, here, in `first-event` and in `gap`",
            clock: "wall clock of the machine that stamped, and wall clock of the generator; one clock if the generator publishes, or the server runs on the same machine; if the server is on another machine, and the `Date` of all answers together shows that its clock is seconds off, a report says so",
        };
    Overhead = "overhead",
        Definition {
            name: "overhead",
            formula: "delivery latency − the time for which the embedded server held the event on purpose; the error of the measurement",
            clock: "wall clock, of one machine",
        };
    Gap = "gap",
        monotonic("inter-event gap", "event decoded − the event before it on the same stream decoded");
    Reconnect = "reconnect",
        monotonic("reconnect time", "response headers of the next stream read − end of the stream before it; includes the wait that `retry` sets, and failed attempts");
    Stream = "stream",
        monotonic("stream length", "end of the stream, by either side − response headers read; streams that are open at the end of the run have no value");
    Ttft = "ttft",
        monotonic("time to first token (TTFT)", "first event with a non-empty token decoded − intended arrival of the request (closed model: the end of its client's think time)");
    Itl = "itl",
        monotonic("inter-token latency (ITL)", "event with a token decoded − the event with a token before it decoded; one sample per gap, never a mean per request; tokens that came in one read have none between them, and count as `unresolved`");
    Tpot = "tpot",
        monotonic("time per output token (TPOT)", "(last token decoded − first token decoded) ÷ (events with tokens − 1), one sample for each request with two of them or more that came in more than one read");
    EndToEnd = "end-to-end",
        monotonic("end-to-end latency", "end of the stream (or its last event, such as `[DONE]`) − intended arrival of the request");
    Publish = "publish",
        monotonic("publish time", "answer to the publish request complete, or end of the command − intended time of the publish");
    Lateness = "lateness",
        monotonic("arrival lateness", "actual start of an arrival − intended start");
    LoopLag = "loop-lag",
        monotonic("loop lag", "actual wake of a timer of the generator − intended wake; timers have a resolution of 1 ms");
}

#[derive(Clone, Copy, Debug)]
pub struct Definition {
    pub name: &'static str,
    /// The formula, with the events that it is taken between.
    pub formula: &'static str,
    pub clock: &'static str,
}

fn monotonic(name: &'static str, formula: &'static str) -> Definition {
    Definition { name, formula, clock: "monotonic, of the generator" }
}
