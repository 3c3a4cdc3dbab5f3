//! The keys of a plan, as serde reads them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use sseproof_http::Version;
use sseproof_load_model::{Arrivals, Protocol, Sequencing, Stamping, TimeUnit};

use super::scalar::{Amount, Jitter, PerSecond, Percent};
use crate::mistake::Slip;
use crate::model::{At, Headers, Json, Method, Pause, Short, Shorthand, Text};
use crate::target::TargetRequest;
use crate::yaml::Kind;

/// The load on a server, and the limits at which the run fails.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "sseproof plan")]
pub(crate) struct Document {
    /// The situation that it stands for, in a few words.
    pub(super) plan: At<String>,
    /// The realistic parts of it, and why.
    pub(super) why: Option<String>,
    /// The URL of the stream, or its path on the embedded server, unless the command line gives one;
    /// `${n}` is the number of the client, from 0.
    pub(super) url: Option<At<Text>>,
    /// The URL (ws: or wss:) of the same as a WebSocket, or its path on the embedded server.
    pub(super) websocket: Option<At<Text>>,
    /// Values for `${name}` in this file; `--var` wins over them.
    #[serde(default)]
    pub(super) vars: BTreeMap<String, At<Text>>,
    /// Header fields of every request; `${n}` is the number of the client, from 0.
    pub(super) headers: Option<At<Headers>>,
    /// The unix socket that the server listens on, in place of the host and port of the URL.
    #[serde(rename = "unix-socket")]
    pub(super) unix_socket: Option<At<Text>>,
    /// The certificates (PEM) that are trusted besides those of the system: a path, from this file.
    pub(super) ca: Option<At<Text>>,
    /// Whether any certificate is trusted.
    pub(super) insecure: Option<At<bool>>,
    /// The version of HTTP that event streams are asked for with: `"1.1"` (if nothing is said), a
    /// connection for each, or `"2"`, by ALPN, and without TLS by prior knowledge.
    #[schemars(extend("enum" = ["1.1", "2", null]))]
    pub(super) http: Option<At<Version>>,
    /// How many streams of HTTP/2 share a connection, where the server permits as many (100 if nothing
    /// is said).
    #[serde(rename = "streams-per-connection")]
    pub(super) streams_per_connection: Option<At<u32>>,
    /// Whether clients offer to take compressed streams: gzip, and permessage-deflate on WebSockets.
    pub(super) compress: Option<bool>,
    /// Clients that open a stream and stay: what happens, one after the other.
    pub(super) clients: Option<At<Vec<At<Stage>>>>,
    /// Requests whose streams end, as answers of a language model do.
    pub(super) requests: Option<At<Requests>>,
    /// How arrivals are spread: `constant` (if nothing is said) or `poisson`, as independent clients
    /// arrive.
    pub(super) arrivals: Option<Arrivals>,
    /// How long a client stays before another takes its place; without it, all stay.
    pub(super) lifetime: Option<At<Short<Lifetime>>>,
    /// Clients that read slowly.
    pub(super) slow: Option<At<Slow>>,
    /// How a client reconnects when its stream ends; `never` if it does not.
    pub(super) reconnect: Option<At<Short<Reconnect>>>,
    /// The events that the generator publishes meanwhile.
    pub(super) publish: Option<At<Publish>>,
    /// Where an event says when it was made: `own`, `none`, or `{ json: /at, unit: ms }`. It is `own`
    /// where the plan publishes, and `none` elsewhere.
    pub(super) stamp: Option<At<Short<Stamp>>>,
    /// Where an event says which one it is: `own`, `id`, `none`, or `{ json: /n }`. It is `own` where
    /// the plan publishes, and `none` elsewhere.
    pub(super) sequence: Option<At<Short<Sequence>>>,
    /// How long an interval of the result is (1s if nothing is said).
    pub(super) interval: Option<At<Pause>>,
    /// How long a client waits for a connection, and for response headers (default: 10s).
    pub(super) patience: Option<At<Pause>>,
    /// How long is still read when nothing is published any more (1s if nothing is said).
    pub(super) drain: Option<At<Pause>>,
    /// Where all chance begins: the same number gives the same schedule (0 if nothing is said).
    pub(super) seed: Option<u64>,
    /// The limits at which the run fails, such as `delivery.p99 > 50ms`: see specs/metrics.md.
    #[serde(default, rename = "fail-if")]
    pub(super) fail_if: Vec<At<String>>,
}

impl Kind for Document {
    const NOUN: &'static str = "plan";
    const BEGIN: &'static str = "begin the file with `plan: what it stands for`, then `clients:` and the list of what they do";
}

/// A part of a run.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Stage {
    /// The number of clients grows or shrinks: `ramp: { to: 1000, over: 10s }`, or `ramp: 1000` at
    /// once.
    Ramp(Short<Ramp>),
    /// Nothing changes: `hold: 30s`.
    Hold(At<Pause>),
    /// A share of all connections is cut at once, and the clients reconnect:
    /// `storm: { drop: 50%, watch: 20s }`.
    Storm(Storm),
}

/// The number of clients grows or shrinks.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Ramp {
    /// How many there are at its end.
    pub(super) to: u64,
    /// How long it takes; at once, if nothing is said.
    pub(super) over: Option<At<Pause>>,
    /// In how many steps of the same size, each with a pause in which memory is read (1 if nothing is
    /// said).
    pub(super) plateaus: Option<At<u32>>,
}

impl Shorthand for Ramp {
    const EXPECTED: &'static str = "a number of clients";
    const WRITTEN: &'static str = "`ramp: 1000`, or `ramp: { to: 1000, over: 10s }`";

    fn short(text: &str) -> Result<Self, Slip> {
        let to = text.parse().map_err(|_| {
            Slip::instead(
                format!("`{text}` is not a number of clients"),
                format!("write {}", Self::WRITTEN),
            )
        })?;
        Ok(Self { to, over: None, plateaus: None })
    }
}

/// A share of all connections is cut at once.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Storm {
    /// Which share.
    pub(super) drop: Percent,
    /// How long the reconnecting clients are watched.
    pub(super) watch: At<Pause>,
}

/// How long a client stays.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Lifetime")]
pub(super) struct Lifetime {
    /// By chance, exponentially distributed, so long on average.
    pub(super) mean: Pause,
    /// Each as long as the others: written `lifetime: 60s`.
    #[serde(skip)]
    pub(super) fixed: bool,
}

impl Shorthand for Lifetime {
    const EXPECTED: &'static str = "a time";
    const WRITTEN: &'static str =
        "`lifetime: 60s` where all stay as long, or `lifetime: { mean: 60s }` where chance decides";

    fn short(text: &str) -> Result<Self, Slip> {
        Ok(Self { mean: Pause::parse(text)?, fixed: true })
    }
}

/// Clients that read slowly.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Slow {
    /// Which share of all.
    pub(super) share: Percent,
    /// How slowly: `never`, or as in `1KiB/s`.
    pub(super) pace: At<String>,
}

/// How a client reconnects when its stream ends.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ReconnectOfPlan")]
pub(super) struct Reconnect {
    /// How long it waits where the server has announced no `retry` (3s if nothing is said).
    pub(super) wait: Option<At<Pause>>,
    /// By which share the wait is made longer by chance (50% if nothing is said).
    pub(super) jitter: Option<Jitter>,
    /// Whether it sends `Last-Event-ID` (it does if nothing is said).
    #[serde(rename = "last-event-id")]
    pub(super) last_event_id: Option<bool>,
    /// It does not reconnect: written `reconnect: never`.
    #[serde(skip)]
    pub(super) never: bool,
}

impl Shorthand for Reconnect {
    const EXPECTED: &'static str = "`never`, or how";
    const WRITTEN: &'static str = "`reconnect: never`, or `reconnect: { wait: 3s, jitter: 50% }`";

    fn short(text: &str) -> Result<Self, Slip> {
        match text {
            "never" | "false" => Ok(Self { never: true, ..Self::default() }),
            _ => Err(Slip::instead(
                format!("`{text}` is not a way to reconnect"),
                format!("write {}", Self::WRITTEN),
            )),
        }
    }
}

/// The events that the generator publishes.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "PublishOfPlan")]
pub(super) struct Publish {
    /// How often: `10/s`, `6/min`.
    pub(super) rate: PerSecond,
    /// How long the data of each is (200 bytes if nothing is said).
    pub(super) size: Option<At<Amount>>,
    /// How long after the start the first is (at once if nothing is said).
    pub(super) after: Option<At<Pause>>,
    /// The request; the data is its body, if it does not say where it goes.
    pub(super) http: Option<At<TargetRequest>>,
    /// The command, with the data as `${data}`; it runs without a shell.
    pub(super) run: Option<At<Text>>,
}

/// Where an event says when it was made.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Stamp {
    /// At this JSON pointer of the data.
    pub(super) json: At<String>,
    /// The unit of the number there, which counts from the Unix epoch.
    pub(super) unit: TimeUnit,
    /// Not in JSON: a word.
    #[serde(skip)]
    pub(super) word: Option<Stamping>,
}

impl Shorthand for Stamp {
    const EXPECTED: &'static str = "where the stamp stands";
    const WRITTEN: &'static str =
        "`stamp: own`, `stamp: auto`, `stamp: none`, or `stamp: { json: /at, unit: ms }`";

    fn short(text: &str) -> Result<Self, Slip> {
        let word = if text == "false" { Some(Stamping::None) } else { Stamping::parse(text) };
        if word.is_none() {
            return Err(Slip::instead(
                format!("`{text}` does not say where the stamp stands"),
                format!("write {}", Self::WRITTEN),
            ));
        }
        Ok(Self { json: At::unplaced(String::new()), unit: TimeUnit::Nanoseconds, word })
    }
}

/// Where an event says which one it is.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Sequence {
    /// At this JSON pointer of the data: a whole number.
    pub(super) json: At<String>,
    /// Not in JSON: a word.
    #[serde(skip)]
    pub(super) word: Option<Sequencing>,
}

impl Shorthand for Sequence {
    const EXPECTED: &'static str = "where the number of an event stands";
    const WRITTEN: &'static str = "`sequence: own`, `sequence: id`, `sequence: auto`, `sequence: none`, or `sequence: { json: /n }`";

    fn short(text: &str) -> Result<Self, Slip> {
        let word = if text == "false" { Some(Sequencing::None) } else { Sequencing::parse(text) };
        if word.is_none() {
            return Err(Slip::instead(
                format!("`{text}` does not say where the number of an event stands"),
                format!("write {}", Self::WRITTEN),
            ));
        }
        Ok(Self { json: At::unplaced(String::new()), word })
    }
}

/// Requests whose streams end.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Requests {
    /// How many in a second, whatever becomes of them (an open model): `50/s`, or
    /// `{ from: 1/s, to: 50/s }`.
    pub(super) rate: Option<At<Short<Rate>>>,
    /// How many clients, each with one request at a time (a closed model).
    pub(super) clients: Option<At<u64>>,
    /// How long a client thinks between an answer and its next request.
    pub(super) think: Option<At<Pause>>,
    /// How long requests are made.
    #[serde(rename = "for")]
    pub(super) lasting: At<Pause>,
    /// The protocol that marks tokens and the end of a response (default: `plain`).
    #[serde(default)]
    pub(super) profile: Protocol,
    /// POST where there is a body, GET elsewhere.
    pub(super) method: Option<Method>,
    /// The body; `${n}` is the number of the request, from 0.
    pub(super) body: Option<At<Text>>,
    /// The body as JSON, with its content type.
    pub(super) json: Option<At<Json>>,
    /// A file with the body, beside this one.
    pub(super) file: Option<At<String>>,
    /// The limits within which a request is good: `ttft < 500ms`.
    #[serde(default)]
    pub(super) objectives: Vec<At<String>>,
}

/// How many requests in a second.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Rate {
    /// At the begin.
    pub(super) from: PerSecond,
    /// At the end; between them it changes evenly.
    pub(super) to: PerSecond,
}

impl Shorthand for Rate {
    const EXPECTED: &'static str = "a rate";
    const WRITTEN: &'static str = "`rate: 50/s`, or `rate: { from: 1/s, to: 50/s }`";

    fn short(text: &str) -> Result<Self, Slip> {
        let rate = PerSecond::parse(text)?;
        Ok(Self { from: rate, to: rate })
    }
}
