//! A plan: the load on a server, its times, and the limits of the result.

use std::fmt;
use std::time::Duration;

use serde::de::value::{Error as UnknownUnit, StrDeserializer};
use serde::{Deserialize, Serialize};
use sseproof_units::Value;

use crate::Threshold;

/// See [`Plan::new`] for the defaults.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub name: String,
    /// The seed of all random choices: the same seed gives the same schedule.
    pub seed: u64,
    pub workload: Workload,
    pub http: Http,
    /// Whether clients offer to take compressed streams: gzip, and permessage-deflate on WebSockets.
    pub compress: bool,
    pub publishing: Option<Publishing>,
    pub stamping: Stamping,
    pub sequencing: Sequencing,
    /// Whether the numbers are known to count within a stream only, and not across reconnects.
    pub restarts_numbers: bool,
    pub interval: Duration,
    /// How long a client waits for a connection, and for response headers.
    pub patience: Duration,
    /// How long the generator still reads after the last publish.
    pub drain: Duration,
    pub thresholds: Vec<Threshold>,
}

impl Plan {
    /// A plan with the default of everything that it may leave out.
    pub fn new(name: impl Into<String>, workload: Workload) -> Self {
        Self {
            name: name.into(),
            seed: 0,
            workload,
            http: Http::One,
            compress: false,
            publishing: None,
            stamping: Stamping::None,
            sequencing: Sequencing::None,
            restarts_numbers: false,
            interval: Duration::from_secs(1),
            patience: Duration::from_secs(10),
            drain: Duration::from_secs(1),
            thresholds: Vec::new(),
        }
    }
}

#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    #[default]
    Sse,
    WebSocket,
}

impl Transport {
    pub fn name(self) -> &'static str {
        match self {
            Self::Sse => "SSE",
            Self::WebSocket => "WebSocket",
        }
    }
}

/// The version of HTTP for event streams; WebSockets are opened by HTTP/1.1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Http {
    /// HTTP/1.1: a connection for each stream.
    #[default]
    One,
    Two {
        /// How many streams share a connection, unless the server permits fewer.
        streams_per_connection: u32,
    },
}

impl Http {
    /// The default number of streams that share a connection: most servers permit as many, and RFC
    /// 9113 section 6.5.2 recommends to permit at least as many.
    pub const USUAL_STREAMS: u32 = 100;
    /// With more, the sum of their windows would exceed the largest window of a connection.
    pub const MOST_STREAMS: u32 = 32_768;
}

#[derive(Clone, Debug, PartialEq)]
pub enum Workload {
    Subscribe(Subscribe),
    Request(Requests),
}

impl Workload {
    /// The planned duration; answers that are under way are waited for.
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

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Subscribe {
    pub stages: Vec<Stage>,
    pub arrivals: Arrivals,
    /// How long a client stays before another takes its place; all stay if nothing is said.
    pub lifetime: Option<Lifetime>,
    pub slow: Option<Slow>,
    pub reconnecting: Reconnecting,
}

impl Subscribe {
    pub fn most_clients(&self) -> u64 {
        let most = self.stages.iter().map(|stage| match stage {
            Stage::Ramp { to, .. } => *to,
            Stage::Hold { .. } | Stage::Storm { .. } => 0,
        });
        most.max().unwrap_or_default()
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Stage {
    /// The number of connections grows or shrinks to `to`, at once if `over` is zero.
    Ramp {
        to: u64,
        over: Duration,
        /// In how many steps of the same size, each with a pause in which memory is read.
        plateaus: u32,
    },
    Hold {
        lasting: Duration,
    },
    /// A share of all connections is cut at the same time; the clients reconnect as usual.
    Storm {
        /// Which share, 0 to 1.
        share: f64,
        lasting: Duration,
    },
}

impl Stage {
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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifetime {
    /// Each as long as the others.
    Fixed(Duration),
    /// Exponentially distributed, with this mean.
    Exponential(Duration),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slow {
    /// Which share of all, 0 to 1.
    pub share: f64,
    pub pace: Pace,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Not at all after the response headers.
    Never,
    /// So many bytes in a second.
    BytesPerSecond(u64),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reconnecting {
    pub back: bool,
    /// How long it waits if the server has announced no `retry`.
    pub wait: Duration,
    /// By which share of the wait (0 to 1) it is made longer by chance.
    pub jitter: f64,
    pub last_event_id: bool,
}

impl Default for Reconnecting {
    fn default() -> Self {
        Self { back: true, wait: Duration::from_secs(3), jitter: 0.5, last_event_id: true }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Requests {
    pub rate: Rate,
    pub lasting: Duration,
    pub protocol: Protocol,
    /// The limits that a good request meets: a metric, and nanoseconds.
    pub objectives: Vec<(crate::Metric, u64)>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rate {
    /// This many in a second, whatever their results (an open model).
    Open {
        from: f64,
        /// At the end; between them the rate changes evenly.
        to: f64,
        arrivals: Arrivals,
    },
    /// This many clients, each with one request at a time (a closed model).
    Closed {
        clients: u64,
        /// The think time of each between an answer and its next request.
        think: Duration,
    },
}

/// The protocol, which defines a token and the end of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Protocol {
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

impl Protocol {
    pub const ALL: [Self; 4] =
        [Self::Plain, Self::OpenaiChat, Self::OpenaiResponses, Self::AnthropicMessages];

    /// The name in plans, flags and results; also the id of the profile with its rules, except
    /// `plain`.
    pub fn id(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::OpenaiChat => "openai-chat",
            Self::OpenaiResponses => "openai-responses",
            Self::AnthropicMessages => "anthropic-messages",
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Publishing {
    /// So many in a second.
    pub rate: f64,
    pub arrivals: Arrivals,
    /// How long the data of each is, in bytes.
    pub size: usize,
    /// When the first one is published: after a ramp that is to be silent, for instance.
    pub after: Duration,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Stamping {
    #[default]
    None,
    /// Wherever the first events have it, which is looked for before the run.
    Auto,
    /// As the generator writes it when it publishes, and the embedded server too.
    Own,
    /// A number in the data, which is JSON.
    Json {
        /// The JSON pointer that leads to it.
        pointer: String,
        unit: TimeUnit,
    },
}

impl Stamping {
    /// Reads the short form: `own`, `none`, `auto`, or a JSON pointer with its unit, as in `/time:ms`.
    pub fn parse(text: &str) -> Option<Self> {
        let word =
            [Self::None, Self::Auto, Self::Own].into_iter().find(|word| word.to_string() == text);
        if word.is_some() {
            return word;
        }
        let (pointer, unit) = text.rsplit_once(':')?;
        let unit = TimeUnit::deserialize(StrDeserializer::<UnknownUnit>::new(unit)).ok()?;
        is_pointer(pointer).then(|| Self::Json { pointer: pointer.to_owned(), unit })
    }
}

impl fmt::Display for Stamping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Auto => f.write_str("auto"),
            Self::Own => f.write_str("own"),
            Self::Json { pointer, unit } => {
                write!(f, "{pointer}:")?;
                // The unit's name is that of files.
                unit.serialize(f)
            }
        }
    }
}

/// An empty JSON pointer stands for the whole data.
fn is_pointer(text: &str) -> bool {
    text.is_empty() || text.starts_with('/')
}

/// A unit of time since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "UnitOfStamp"))]
pub enum TimeUnit {
    /// Seconds, with an optional fraction.
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
    pub const ALL: [Self; 4] =
        [Self::Seconds, Self::Milliseconds, Self::Microseconds, Self::Nanoseconds];

    pub fn nanoseconds(self) -> f64 {
        match self {
            Self::Seconds => 1e9,
            Self::Milliseconds => 1e6,
            Self::Microseconds => 1e3,
            Self::Nanoseconds => 1.0,
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Sequencing {
    /// Nowhere, or a server may leave events out: nothing is counted as lost.
    #[default]
    None,
    /// Wherever the first events have it, which is looked for before the run. Numbers that were found
    /// count within a stream only: they may begin anew in the next.
    Auto,
    /// As the generator writes it when it publishes, and the embedded server too.
    Own,
    /// In the event's id: the digits at its end.
    Id,
    /// A whole number in the data, which is JSON, at this JSON pointer.
    Json(String),
}

impl Sequencing {
    /// Reads the short form: `own`, `id`, `none`, `auto`, or a JSON pointer, as in `/sequence`.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "auto" => Some(Self::Auto),
            "own" => Some(Self::Own),
            "id" => Some(Self::Id),
            "none" => Some(Self::None),
            pointer => pointer.starts_with('/').then(|| Self::Json(pointer.to_owned())),
        }
    }
}

impl fmt::Display for Sequencing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Auto => "auto",
            Self::Own => "own",
            Self::Id => "id",
            Self::Json(pointer) => pointer,
        })
    }
}
