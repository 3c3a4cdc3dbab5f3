//! The steps that drive the server itself. Editors show the comment above each field.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{At, Count, Name, Pause, Shorthand};
use crate::mistake::Slip;

/// Reads the gauges of the server.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gauge {
    /// The name of the reading for later steps.
    #[serde(rename = "as")]
    pub name: Name,
    /// Reads until the numbers have returned to an earlier reading.
    pub until: Option<Until>,
    /// Reads for this time, or until nothing is open any more: clients that disconnected before
    /// may still count.
    pub settle: Option<Pause>,
}

/// The condition that ends the readings.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Until {
    /// The name of an earlier reading: its numbers of producers and connections are the maximum.
    pub at_most: Name,
    /// The longest time (default: 5.1s).
    pub within: Option<Pause>,
    /// Reads only once if the numbers of this reading had not returned, either.
    pub unless: Option<Name>,
}

/// Connects and disconnects many times.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Churn {
    /// The number of connections (default: 200).
    pub times: Option<Count>,
    /// The number of connections at a time (default: 25).
    pub at_a_time: Option<Count>,
    /// The longest time (default: 15s).
    pub within: Option<Pause>,
    /// The name of the readings: one before, and one after each eighth of the connections.
    #[serde(rename = "as")]
    pub name: Name,
}

/// Opens many streams at the same time.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Crowd {
    /// The longest time for the response headers of 8, 16, 32 or 64 streams (default: 2s).
    pub within: Option<Pause>,
}

/// Publishes many bytes.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Pour {
    /// The number of bytes of data (default: 3.5 MiB).
    pub bytes: Option<Count>,
    /// The number of bytes of one event (default: 64 KiB).
    pub size: Option<Count>,
    /// A connection that reads: at most 16 events are published before it has received them.
    pub seen_by: Option<At<Name>>,
    /// A connection that reads nothing: after 2 s it is enough if 96 KiB more were published than
    /// are on the way to it, and after 3 s if it slows the server down.
    pub past: Option<At<Name>>,
    /// A factor for `bytes` (default: 1).
    pub times: Option<Count>,
    /// The fewest bytes that are of use: it ends after 1 s if at twice that
    /// pace they will not be published in time.
    pub at_least: Option<Count>,
    /// Only if the memory grew by that much between two readings.
    pub if_grown: Option<Grown>,
    /// The longest time (default: 5s).
    pub within: Option<Pause>,
}

/// Two readings of the memory.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Grown {
    /// The earlier reading.
    pub from: Name,
    /// The later reading.
    pub to: Name,
}

/// Stops reading.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stall {
    /// The connection (default: the one opened last).
    pub from: Option<At<Name>>,
}

impl Shorthand for Stall {
    const EXPECTED: &'static str = "the name of a connection";
    const WRITTEN: &'static str = "`stall: first`, or `stall: { from: first }`";

    fn short(text: &str) -> Result<Self, Slip> {
        let place = crate::mistake::Place { line: 0, column: 0 };
        Ok(Self { from: Some(At { value: Name::parse(text)?, place }) })
    }
}

/// Restarts the server.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Restart {
    /// The time limit until it accepts connections again (default: 20s).
    pub within: Option<Pause>,
}

/// Asks the server to end, and starts it again.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Terminate {
    /// How long it may take to end (default: 8s).
    pub within: Option<Pause>,
    /// Only if the server did not end at the `terminate` before: the same without open streams.
    #[serde(default)]
    pub control: bool,
}

/// A feature of the target beside its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Need {
    /// A way to publish.
    Publish,
    /// The number of open streams: from a gauge, or from a process on this machine.
    Active,
    /// The memory of the server: from a gauge, or from a process on this machine.
    Memory,
    /// A way to restart it.
    Restart,
    /// That the run has started it.
    Start,
    /// A proxy with the same stream.
    Via,
    /// HTTP/2.
    Http2,
}

/// Publishes every dangerous payload, each between two sentinels.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Payloads {
    /// How long to wait for each sentinel in the stream (default: 2s).
    pub within: Option<Pause>,
    /// Only the long ones: 10,000 lines, and 1 MiB in one line.
    #[serde(default)]
    pub long: bool,
}
