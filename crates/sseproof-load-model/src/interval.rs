//! What happened within one interval of a run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Counters, Histogram, Metric, Offset};

/// What happened from `index` times the interval's length after the start, for that length.
///
/// A total is the sum of all intervals, and what several machines saw is the sum of theirs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Which one, from 0.
    pub index: u64,
    /// Streams that were open at its end.
    pub open: u64,
    /// What was counted.
    pub counters: Counters,
    /// Times, in nanoseconds.
    pub histograms: BTreeMap<Metric, Histogram>,
    /// By how much the server's clock differs, as far as the answers of this interval tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<Offset>,
}

impl Interval {
    /// Adds it to what others saw in the same interval.
    pub fn join(&self, all: &mut BTreeMap<u64, Self>) {
        let empty = || Self { index: self.index, ..Self::default() };
        all.entry(self.index).or_insert_with(empty).absorb(self);
    }

    /// Adds what others saw in the same interval.
    pub fn absorb(&mut self, other: &Self) {
        self.open += other.open;
        self.total(other);
        // A run has many intervals, and looks into each only once.
        for histogram in self.histograms.values_mut() {
            *histogram = histogram.packed();
        }
    }

    /// Adds what was seen at another time: all but what was open.
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

    /// The times of a metric, where there are any.
    pub fn histogram(&self, metric: Metric) -> Option<&Histogram> {
        self.histograms.get(&metric).filter(|histogram| histogram.count() > 0)
    }
}
