//! The options of a probe.
//!
//! A probe names the rules that need it (`for:`), and not a rule its probes: most rules judge every
//! stream of any probe, the rest depend on one or two probes. So `--only` is fast.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Pause;

/// The options of a probe. They have an effect only in the built-in pack; elsewhere the file is an
/// ordinary scenario.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ProbeOptions {
    /// Probes are played from the lowest to the highest.
    pub order: u32,
    /// A purpose beside the evidence for rules.
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
    /// How long it usually takes, if that is not about a second.
    pub takes: Option<Pause>,
    /// Profiles with which it is also played; without a profile it is always played.
    #[serde(default)]
    pub also_with: Vec<String>,
    /// The only profiles with which it is played.
    #[serde(default)]
    pub only_with: Vec<String>,
}

/// The purpose of a probe beside the evidence for rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// None: it only causes the traffic that rules judge.
    #[default]
    Provoke,
    /// Finds out if there is a stream (without one, other probes are left out), and if it is silent.
    FindStream,
    /// Finds out if response headers come later than usual; played last, and only if none came.
    FindLateHeaders,
}
