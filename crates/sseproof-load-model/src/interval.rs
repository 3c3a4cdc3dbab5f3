//! The counters and times of one interval of a run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Counters, Histogram, Metric, Offset};

/// It begins `index` times its length after the start.
///
/// A total is the sum of all intervals, and so is a merge of several machines.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    pub index: u64,
    /// Streams that were open at its end.
    pub open: u64,
    pub counters: Counters,
    /// Times, in nanoseconds.
    pub histograms: BTreeMap<Metric, Histogram>,
    /// The difference of the server's clock, from the responses of this interval. Results of earlier
    /// versions have an `offset`, which took a `Date` for new in each response.
    #[serde(default, rename = "server-clock", skip_serializing_if = "Option::is_none")]
    pub offset: Option<Offset>,
}

impl Interval {
    /// Adds it to the same interval of other parts.
    pub fn join(&self, all: &mut BTreeMap<u64, Self>) {
        let empty = || Self { index: self.index, ..Self::default() };
        all.entry(self.index).or_insert_with(empty).absorb(self);
    }

    /// Adds the same interval of another part.
    pub fn absorb(&mut self, other: &Self) {
        self.open = self.open.saturating_add(other.open);
        self.total(other);
        // A run has many intervals, and looks into each only once.
        for histogram in self.histograms.values_mut() {
            *histogram = histogram.packed();
        }
    }

    /// Adds another interval: all but the number of open streams.
    pub fn total(&mut self, other: &Self) {
        self.counters.absorb(&other.counters);
        self.offset = match (self.offset, other.offset) {
            (Some(one), Some(other)) => Some(one.and(other)),
            (one, other) => one.or(other),
        };
        for (metric, histogram) in &other.histograms {
            self.histograms.entry(*metric).or_default().absorb(histogram);
        }
    }

    pub fn histogram(&self, metric: Metric) -> Option<&Histogram> {
        self.histograms.get(&metric).filter(|histogram| histogram.count() > 0)
    }
}
