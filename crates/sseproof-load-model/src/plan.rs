//! A plan: what is done to a server, when, and what is asked of the result.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use sseproof_units::Value;

use crate::Threshold;

/// What is done to a server.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// What it stands for.
    pub name: String,
    /// What all chance is drawn from: the same seed gives the same schedule.
    pub seed: u64,
    /// What clients do.
    pub workload: Workload,
    /// Which version of HTTP event streams are asked for with.
    pub http: Http,
    /// What the generator publishes meanwhile, if anything.
    pub publishing: Option<Publishing>,
    /// Where an event says when it was made.
    pub stamping: Stamping,
    /// Where an event says which one it is.
    pub sequencing: Sequencing,
    /// How long an interval of the result is.
    pub interval: Duration,
    /// How long a client waits for a connection, and for a head.
    pub patience: Duration,
    /// How long the generator still reads when nothing is published any more.
    pub drain: Duration,
    /// What makes the run fail.
    pub thresholds: Vec<Threshold>,
}

/// What clients speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// Server-Sent Events.
    Sse,
    /// WebSocket.
    WebSocket,
}

impl Transport {
    /// Its name, for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sse => "SSE",
            Self::WebSocket => "WebSocket",
        }
    }
}

/// Which version of HTTP event streams are asked for with; WebSockets are opened by HTTP/1.1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Http {
    /// HTTP/1.1: a connection for each stream.
    #[default]
    One,
    /// HTTP/2.
    Two {
        /// How many streams share a connection, where the server permits as many.
        streams_per_connection: u32,
    },
}

impl Http {
    /// How many streams of HTTP/2 share a connection where nobody says otherwise: what most servers
    /// permit, and RFC 9113 section 6.5.2 asks them to permit at least.
    pub const USUAL_STREAMS: u32 = 100;
    /// How many may: their windows together are no larger than that of a connection can be.
    pub const MOST_STREAMS: u32 = 32_768;
}

/// What clients do.
#[derive(Clone, Debug, PartialEq)]
pub enum Workload {
    /// They open connections and stay.
    Subscribe(Subscribe),
    /// Each asks for a stream that ends.
    Request(Requests),
}

impl Workload {
    /// How long it takes, as far as the plan says: an answer that is under way is waited for.
    pub fn lasting(&self) -> Duration {
        match self {
            Self::Subscribe(subscribe) => crate::schedule::length(&subscribe.stages),
            Self::Request(requests) => requests.lasting,
        }
    }
}

impl fmt::Display for Workload {
    /// In short: `up to 1000 clients, a storm, 38s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Subscribe(subscribe) => {
                write!(f, "up to {} clients", subscribe.most_clients())?;
                if subscribe.stages.iter().any(|stage| matches!(stage, Stage::Storm { .. })) {
                    f.write_str(", a storm")?;
                }
            }
            Self::Request(requests) => match requests.rate {
                Rate::Open { from, to, .. } if from.total_cmp(&to).is_ne() => {
                    write!(f, "{from}/s to {to}/s requests")?;
                }
                Rate::Open { from, .. } => write!(f, "{from}/s requests")?,
                Rate::Closed { clients, .. } => {
                    write!(f, "{clients} clients that ask one after the other")?;
                }
            },
        }
        write!(f, ", {}", Value::time(self.lasting().as_nanos() as f64))
    }
}

/// Clients that stay.
#[derive(Clone, Debug, PartialEq)]
pub struct Subscribe {
    /// What happens one after the other.
    pub stages: Vec<Stage>,
    /// How arrivals are spread over a ramp.
    pub arrivals: Arrivals,
    /// How long a client stays before another takes its place; all stay where nothing is said.
    pub lifetime: Option<Lifetime>,
    /// Those that read slowly.
    pub slow: Option<Slow>,
    /// What a client does when its stream ends.
    pub reconnecting: Reconnecting,
}

impl Subscribe {
    /// How many clients there are at most.
    pub fn most_clients(&self) -> u64 {
        let most = self.stages.iter().map(|stage| match stage {
            Stage::Ramp { to, .. } => *to,
            Stage::Hold { .. } | Stage::Storm { .. } => 0,
        });
        most.max().unwrap_or_default()
    }
}

/// A part of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Stage {
    /// The number of connections grows or shrinks to `to`, at once where `over` is zero.
    Ramp {
        /// How many there are at its end.
        to: u64,
        /// How long it takes, the pauses included.
        over: Duration,
        /// In how many steps of the same size, each with a pause in which memory is read.
        plateaus: u32,
    },
    /// Nothing changes.
    Hold {
        /// For how long.
        lasting: Duration,
    },
    /// A share of all connections is cut at once; the clients come back as clients do.
    Storm {
        /// Which share, 0 to 1.
        share: f64,
        /// How long the generator looks on.
        lasting: Duration,
    },
}

impl Stage {
    /// How long it takes.
    pub fn duration(&self) -> Duration {
        match self {
            Self::Ramp { over, .. } => *over,
            Self::Hold { lasting } | Self::Storm { lasting, .. } => *lasting,
        }
    }
}

/// How arrivals are spread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Arrivals {
    /// Evenly.
    #[default]
    Constant,
    /// As independent clients arrive: gaps are exponentially distributed.
    Poisson,
}

/// How long a client stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifetime {
    /// Each as long as the others.
    Fixed(Duration),
    /// Exponentially distributed, with this mean.
    Exponential(Duration),
}

/// Clients that read slowly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slow {
    /// Which share of all, 0 to 1.
    pub share: f64,
    /// How slowly.
    pub pace: Pace,
}

/// How fast somebody reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Not at all behind the head.
    Never,
    /// So many bytes in a second.
    BytesPerSecond(u64),
}

/// What a client does when its stream ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reconnecting {
    /// Whether it comes back.
    pub back: bool,
    /// How long it waits where the server has announced no `retry`.
    pub wait: Duration,
    /// By which share of the wait (0 to 1) it is made longer by chance.
    pub jitter: f64,
    /// Whether it sends `Last-Event-ID`.
    pub last_event_id: bool,
}

impl Default for Reconnecting {
    fn default() -> Self {
        Self { back: true, wait: Duration::from_secs(3), jitter: 0.5, last_event_id: true }
    }
}

/// Requests whose streams end.
#[derive(Clone, Debug, PartialEq)]
pub struct Requests {
    /// When they are made.
    pub rate: Rate,
    /// How long requests are made.
    pub lasting: Duration,
    /// What tells a token, and the end.
    pub profile: Profile,
    /// What a request must meet to be good: a metric and its limit in nanoseconds.
    pub objectives: Vec<(crate::Metric, u64)>,
}

/// When requests are made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rate {
    /// So many in a second, whatever becomes of them (an open model).
    Open {
        /// At the begin.
        from: f64,
        /// At the end; between them the rate changes evenly.
        to: f64,
        /// How they are spread.
        arrivals: Arrivals,
    },
    /// So many clients, each with one request at a time (a closed model).
    Closed {
        /// How many clients.
        clients: u64,
        /// How long each thinks between an answer and its next request.
        think: Duration,
    },
}

/// What tells a token and the end of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Profile {
    /// Every event is a token, and the end of the stream is the end.
    #[default]
    Plain,
    /// `choices[].delta.content`, and `[DONE]`.
    OpenaiChat,
    /// `response.output_text.delta`, and `response.completed`.
    OpenaiResponses,
    /// `content_block_delta`, and `message_stop`.
    AnthropicMessages,
}

impl Profile {
    pub const ALL: [Self; 4] =
        [Self::Plain, Self::OpenaiChat, Self::OpenaiResponses, Self::AnthropicMessages];

    /// As plans, flags and results write it; also the id of the profile whose rules judge it, which
    /// `plain` has none of.
    pub fn id(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::OpenaiChat => "openai-chat",
            Self::OpenaiResponses => "openai-responses",
            Self::AnthropicMessages => "anthropic-messages",
        }
    }
}

/// What the generator publishes.
#[derive(Clone, Debug, PartialEq)]
pub struct Publishing {
    /// So many in a second.
    pub rate: f64,
    /// How they are spread.
    pub arrivals: Arrivals,
    /// How long the data of each is, in bytes.
    pub size: usize,
    /// How long after the start the first one is: behind a ramp that is to be silent, for instance.
    pub after: Duration,
}

/// Where an event says when it was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Stamping {
    /// Nowhere.
    #[default]
    None,
    /// As the generator writes it when it publishes, and the embedded server too.
    Own,
    /// A number in the data, which is JSON.
    Json {
        /// The JSON pointer that leads to it.
        pointer: String,
        /// Its unit, since the Unix epoch.
        unit: TimeUnit,
    },
}

/// A unit of time since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "UnitOfStamp"))]
pub enum TimeUnit {
    /// Seconds; a fraction may stand behind them.
    #[serde(rename = "s")]
    Seconds,
    /// Milliseconds.
    #[serde(rename = "ms")]
    Milliseconds,
    /// Microseconds.
    #[serde(rename = "us")]
    Microseconds,
    /// Nanoseconds.
    #[serde(rename = "ns")]
    Nanoseconds,
}

impl TimeUnit {
    /// How many nanoseconds it has.
    pub fn nanoseconds(self) -> f64 {
        match self {
            Self::Seconds => 1e9,
            Self::Milliseconds => 1e6,
            Self::Microseconds => 1e3,
            Self::Nanoseconds => 1.0,
        }
    }
}

/// Where an event says which one it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Sequencing {
    /// Nowhere, or a server may leave events out: nothing is counted as lost.
    #[default]
    None,
    /// As the generator writes it when it publishes, and the embedded server too.
    Own,
    /// In the event's id: the digits at its end.
    Id,
    /// A whole number in the data, which is JSON, at this JSON pointer.
    Json(String),
}
