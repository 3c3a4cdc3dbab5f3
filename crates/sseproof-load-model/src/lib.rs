//! The model of load and of its cost: everything about load that needs no socket and no clock, so
//! that reports and plans depend on it without a runtime.
//!
//! A [`Plan`] says what clients do to a server; [`schedule`] derives intended times from it, each a
//! pure function of the plan, the seed and the shard. An engine that plays a plan reports
//! [`Interval`]s, and everything else is a fold over them: a total and a merge are their sum.

pub mod compare;
mod cost;
mod counter;
mod error_kind;
mod figure;
mod histogram;
mod interval;
mod merge;
mod metric;
mod offset;
mod outcome;
mod plan;
mod result_file;
mod saturation;
pub mod schedule;
mod sequence;
mod share;
mod table;
pub mod threshold;

pub use cost::{
    Cost, Estimate, FEWEST_CONNECTIONS, FEWEST_EVENTS, LEAST_BYTES, SHORTEST_MS, Unmeasured, ramp,
};
pub use counter::{Counter, Counters};
pub use error_kind::{ErrorKind, LoadError};
pub use figure::Figure;
pub use histogram::{Histogram, HistogramError};
pub use interval::Interval;
pub use merge::{MergeError, Merger, merge};
pub use metric::Metric;
pub use offset::Offset;
pub use outcome::{Kernel, Outcome, Resources, Run, Sample, Shard, Steady, Usage};
pub use plan::{
    Arrivals, Http, Lifetime, Pace, Plan, Protocol, Publishing, Rate, Reconnecting, Requests,
    Sequencing, Slow, Stage, Stamping, Subscribe, TimeUnit, Transport, Workload,
};
pub use result_file::{ResultError, ResultFile};
pub use sequence::{Sequence, SequenceCheck};
pub use share::Share;
pub use threshold::{Threshold, ThresholdError, objective};
