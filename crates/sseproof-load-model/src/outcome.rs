//! What a run gave, as it is written to a file and merged with others.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Interval, Transport};

/// One run of one transport against one target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// What was run.
    pub run: Run,
    /// What happened, interval by interval; the sum of all is the total.
    pub intervals: Vec<Interval>,
    /// What it cost.
    pub resources: Resources,
}

/// What was run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The plan's name.
    pub plan: String,
    /// The target.
    pub url: String,
    /// What clients spoke.
    pub transport: Transport,
    /// How many streams shared a connection at most, over HTTP/2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub streams_per_connection: Option<u32>,
    /// What a request had to meet to be good: `ttft < 500ms`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objectives: Vec<String>,
    /// Which round, from 1.
    pub round: u32,
    /// When it began, RFC 3339.
    pub started: String,
    /// How long an interval is, in milliseconds.
    pub interval_ms: u64,
    /// Who generated the load.
    pub shards: Vec<Shard>,
    /// Why this is not the whole run, where it is not.
    pub partial: Vec<String>,
    /// Why the generator itself was the bottleneck, where it was.
    pub saturated: Vec<String>,
}

impl Run {
    /// What clients spoke, for people.
    pub fn spoken(&self) -> String {
        let name = self.transport.name();
        match self.streams_per_connection {
            None => name.to_owned(),
            Some(_) => format!("{name} over HTTP/2"),
        }
    }
}

/// One part of the generator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// Which part, from 0.
    pub index: u64,
    /// Of how many.
    pub of: u64,
    /// Whether it came to its end.
    pub complete: bool,
}

/// What a run cost, read again and again.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Resources {
    /// In the order of time.
    pub samples: Vec<Sample>,
}

/// What was read at one time. Bytes, and nanoseconds of processor time since the process began.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Milliseconds since the start of the run.
    pub at_ms: u64,
    /// Streams that were open.
    pub open: u64,
    /// Events that had arrived.
    pub events: u64,
    /// The server's processes together.
    pub server: Option<Usage>,
    /// The generator's processes together.
    pub generator: Option<Usage>,
    /// The kernel: memory of TCP, and of slabs, in bytes.
    pub kernel: Option<Kernel>,
    /// What the generator had not read yet of what had arrived for it, in bytes, where that was
    /// looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<u64>,
}

/// What processes use, all of them together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Proportional set size, in bytes: a page that several processes share counts in parts.
    pub pss: u64,
    /// Private memory, in bytes: pages that nobody shares, clean and dirty.
    pub private: u64,
    /// Memory that was swapped out, in bytes, which the two above lack.
    #[serde(default)]
    pub swapped: u64,
    /// Processor time of user and system, in nanoseconds.
    pub cpu: u64,
    /// The first process, by which two readings are known to be of the same one; 0 where it is not
    /// known.
    #[serde(default)]
    pub root: u32,
    /// Processes.
    #[serde(default)]
    pub processes: u64,
    /// Threads.
    #[serde(default)]
    pub threads: u64,
    /// Descriptors.
    #[serde(default)]
    pub descriptors: u64,
}

/// What the kernel uses for all sockets of this machine.
///
/// The figures overlap: what TCP has charged lies in slabs for its smaller part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kernel {
    /// `mem` of TCP in `/proc/net/sockstat`, in bytes.
    pub tcp: u64,
    /// `Slab` in `/proc/meminfo`, in bytes.
    pub slab: u64,
    /// `SUnreclaim` in `/proc/meminfo`, in bytes.
    #[serde(default)]
    pub unreclaimable: u64,
    /// The slabs of TCP, sockets, files and epoll in `/sys/kernel/slab`, in bytes, where that may
    /// be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sockets: Option<u64>,
}

impl Outcome {
    /// How long was measured: from the first interval to the end of the last.
    pub fn lasting(&self) -> Duration {
        let indexes = || self.intervals.iter().map(|interval| interval.index);
        let count = match (indexes().min(), indexes().max()) {
            (Some(first), Some(last)) => last - first + 1,
            _ => 0,
        };
        Duration::from_millis(count * self.run.interval_ms)
    }

    /// All intervals together.
    pub fn total(&self) -> Interval {
        let mut total = Interval::default();
        for interval in &self.intervals {
            total.total(interval);
        }
        total
    }
}
