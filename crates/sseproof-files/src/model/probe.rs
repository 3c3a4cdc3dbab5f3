//! What a probe says of itself besides its steps.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Pause;

/// How a scenario is played as a probe. It counts in the built-in pack alone: elsewhere the file is
/// an ordinary scenario.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ProbeOptions {
    /// Probes are played from the lowest to the highest.
    pub order: u32,
    /// What the run learns from it, besides what rules judge.
    #[serde(default)]
    pub purpose: Purpose,
    /// Whether events are published for it if the stream is silent without them.
    #[serde(default)]
    pub feed: bool,
    /// Whether no other probe may run at the same time: it reads or changes the state of the whole
    /// server, or needs a server that is otherwise quiet.
    #[serde(default)]
    pub alone: bool,
    /// How long it waits for response headers, if that is longer than the client's limit.
    pub patience: Option<Pause>,
    /// The profiles with which it is played, too; without a profile it always is.
    #[serde(default)]
    pub also_with: Vec<String>,
    /// The profiles that it belongs to: it is played with these alone.
    #[serde(default)]
    pub only_with: Vec<String>,
}

/// What the run learns from a probe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// Nothing: it provokes what rules judge.
    #[default]
    Provoke,
    /// Whether there is a stream, and whether it is silent: the others are left out without one.
    FindStream,
    /// Whether response headers come later than usual: it is played last, and only if none came.
    FindLateHeaders,
}
