//! The result of a run, as it is written to a file and merged with others.

use std::collections::BTreeMap;
use std::ops::AddAssign;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Counter, Counters, Interval, Offset, Transport};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    pub run: Run,
    /// The sum of all is the total.
    pub intervals: Vec<Interval>,
    pub resources: Resources,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Run {
    pub plan: String,
    /// Equal for plans with the same contents; empty in results of earlier versions.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub fingerprint: String,
    pub url: String,
    pub transport: Transport,
    /// How many streams shared a connection at most, over HTTP/2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub streams_per_connection: Option<u32>,
    /// Whether clients offered to take compressed streams.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub compress: bool,
    /// The limits that a good request met: `ttft < 500ms`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objectives: Vec<String>,
    pub round: u32,
    /// When it began, RFC 3339.
    pub started: String,
    /// How long an interval is, in milliseconds.
    pub interval_ms: u64,
    pub shards: Vec<Shard>,
    /// Why this is not the whole run; empty if it is.
    pub partial: Vec<String>,
    /// Why the generator itself was the bottleneck, or its clocks were; empty if not.
    pub saturated: Vec<String>,
    /// Where events had their stamp, in the form of a plan: `/time:ms`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub stamp: String,
    /// Where events had their number, in the form of a plan: `id`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sequence: String,
    /// Sentences on these places in the first events, if the plan left them open.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub found: Vec<String>,
    /// Other things that two runs can differ in, by name: `plan.clients`, `machine.memory`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub conditions: BTreeMap<String, String>,
}

impl Run {
    pub fn spoken(&self) -> String {
        let name = self.transport.name();
        match self.streams_per_connection {
            None => name.to_owned(),
            Some(_) => format!("{name} over HTTP/2"),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    pub index: u64,
    pub of: u64,
    pub complete: bool,
    /// The clock of its machine less that of the store of the results, if both are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<Offset>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Resources {
    /// In the order of time.
    pub samples: Vec<Sample>,
}

/// Readings at one time. Bytes, and nanoseconds of processor time since the process began.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Milliseconds since the start of the run.
    pub at_ms: u64,
    pub open: u64,
    pub events: u64,
    pub server: Option<Usage>,
    pub generator: Option<Usage>,
    /// The kernel: memory of TCP, and of slabs, in bytes.
    pub kernel: Option<Kernel>,
    /// Bytes that had arrived and that the generator had not read yet, if that was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<u64>,
}

/// The sum of all processes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Proportional set size, in bytes: a page that several processes share counts in parts.
    pub pss: u64,
    /// Private memory, in bytes: pages that no other process shares, clean and dirty.
    pub private: u64,
    /// Memory that was swapped out, in bytes, which the two above lack.
    #[serde(default)]
    pub swapped: u64,
    pub cpu: u64,
    /// The first process, by which two readings are known to be of the same one; 0 if it is not
    /// known.
    #[serde(default)]
    pub root: u32,
    #[serde(default)]
    pub processes: u64,
    #[serde(default)]
    pub threads: u64,
    #[serde(default)]
    pub descriptors: u64,
}

/// The sum has the first process of the one that is added to.
impl AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        // Readings of a file may be any numbers.
        for (sum, one) in [
            (&mut self.pss, other.pss),
            (&mut self.private, other.private),
            (&mut self.swapped, other.swapped),
            (&mut self.cpu, other.cpu),
            (&mut self.processes, other.processes),
            (&mut self.threads, other.threads),
            (&mut self.descriptors, other.descriptors),
        ] {
            *sum = sum.saturating_add(one);
        }
    }
}

/// The memory of all sockets of this machine in the kernel.
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
    /// The slabs of TCP, sockets, files and epoll in `/sys/kernel/slab`, in bytes, if that may
    /// be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sockets: Option<u64>,
}

impl Outcome {
    pub fn lasting(&self) -> Duration {
        let indexes = || self.intervals.iter().map(|interval| interval.index);
        let count = match (indexes().min(), indexes().max()) {
            (Some(first), Some(last)) => (last - first).saturating_add(1),
            _ => 0,
        };
        Duration::from_millis(count.saturating_mul(self.run.interval_ms))
    }

    pub fn total(&self) -> Interval {
        let mut total = Interval::default();
        for interval in &self.intervals {
            total.total(interval);
        }
        total
    }

    /// The part of the run in which all clients were connected; it has no duration if there was none,
    /// as with requests, whose streams end.
    pub fn steady(&self) -> Steady {
        let mut steady = Steady::default();
        let peak = self.intervals.iter().map(|interval| interval.open).max().unwrap_or_default();
        let is_full = |interval: &Interval| peak > 0 && interval.open as f64 >= FULL * peak as f64;
        let has_requests =
            self.intervals.iter().any(|interval| interval.counters.count(Counter::Completed) > 0);
        for pair in self.intervals.windows(2).filter(|_| !has_requests) {
            if pair.iter().all(is_full) && pair[0].index.checked_add(1) == Some(pair[1].index) {
                steady.counters.absorb(&pair[1].counters);
                let lasting = Duration::from_millis(self.run.interval_ms);
                steady.lasting = steady.lasting.saturating_add(lasting);
            }
        }
        steady
    }
}

/// The share of the most clients that count as all of them: some may just be reconnecting.
const FULL: f64 = 0.99;

/// The counts of the time in which all clients were connected, and how long it was.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Steady {
    pub counters: Counters,
    pub lasting: Duration,
}

impl AddAssign<&Self> for Steady {
    fn add_assign(&mut self, other: &Self) {
        self.counters.absorb(&other.counters);
        self.lasting = self.lasting.saturating_add(other.lasting);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_intervals_with_all_clients_are_steady() {
        let interval = |(index, open): (u64, u64)| {
            let mut interval = Interval { index, open, ..Interval::default() };
            interval.counters.add(Counter::Events, 10 + index);
            interval
        };
        let of = |open: &[u64]| Outcome {
            run: Run { interval_ms: 1000, ..Run::default() },
            intervals: (0..).zip(open.iter().copied()).map(interval).collect(),
            ..Outcome::default()
        };
        let steady = of(&[40, 100, 100, 99, 97, 100, 0]).steady();
        assert_eq!(steady.lasting, Duration::from_secs(2));
        assert_eq!(steady.counters.count(Counter::Events), 12 + 13);
        assert_eq!(of(&[0, 0]).steady(), Steady::default());
        let mut requests = of(&[5, 5, 5]);
        requests.intervals[2].counters.add(Counter::Completed, 1);
        assert_eq!(requests.steady(), Steady::default());
    }
}
