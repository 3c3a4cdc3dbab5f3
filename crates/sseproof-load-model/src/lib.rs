//! What a load is, and what it cost: everything about load that needs no socket and no clock.
//!
//! A [`Plan`] says what is done to a server; [`schedule`] makes intended times of it, each a pure
//! function of the plan, the seed and the shard. Whoever plays a plan reports [`Interval`]s, and
//! everything else is a fold over them: a total is their sum, a merge of machines is their union.

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
mod saturation;
pub mod schedule;
mod sequence;
mod share;
pub mod threshold;

pub use cost::{
    Cost, Estimate, FEWEST_CONNECTIONS, FEWEST_EVENTS, LEAST_BYTES, SHORTEST_MS, Undecided,
};
pub use counter::{Counter, Counters};
pub use error_kind::{ErrorKind, LoadError};
pub use figure::Figure;
pub use histogram::{Histogram, HistogramError};
pub use interval::Interval;
pub use merge::{MergeError, merge};
pub use metric::Metric;
pub use offset::Offset;
pub use outcome::{Kernel, Outcome, Resources, Run, Sample, Shard, Usage};
pub use plan::{
    Arrivals, Http, Lifetime, Pace, Plan, Profile, Publishing, Rate, Reconnecting, Requests,
    Sequencing, Slow, Stage, Stamping, Subscribe, TimeUnit, Transport, Workload,
};
pub use sequence::{Seen, Sequence};
pub use share::Share;
pub use threshold::{Threshold, ThresholdError, objective};
