//! The readings of all parts: the use of the generators is added up at each moment that all of them
//! have been read at or before.
//!
//! There is one server, so its readings are those of the first part that has any. Kernels
//! cannot be distinguished: if several parts have read one, it is not known whether that
//! is one machine or several, and none is kept.

use std::collections::BTreeMap;

use crate::{Kernel, Sample, Usage};

/// Moments of several parts are rounded up to this, so that there are as many for a thousand parts as
/// for one.
const GRID_MS: u64 = 100;

#[derive(Debug, Default)]
pub(super) struct Readings {
    /// The only part so far that has any.
    only: Option<Vec<Sample>>,
    /// Of several parts: their sums by time. Before `begin`, parts are missing in them.
    sums: BTreeMap<u64, Sample>,
    begin: u64,
    server: Option<Series<Usage>>,
    kernel: Kernels,
}

/// Readings and their times, in the order of time; a reading may have failed.
type Series<T> = Vec<(u64, Option<T>)>;

#[derive(Debug, Default)]
enum Kernels {
    #[default]
    None,
    One(Series<Kernel>),
    Several,
}

impl Readings {
    pub(super) fn add(&mut self, samples: Vec<Sample>) {
        if samples.is_empty() {
            return;
        }
        match self.only.take() {
            None if self.sums.is_empty() => self.only = Some(samples),
            None => self.fold(samples),
            Some(first) => {
                self.fold(first);
                self.fold(samples);
            }
        }
    }

    fn fold(&mut self, mut samples: Vec<Sample>) {
        for sample in &mut samples {
            sample.at_ms = sample.at_ms.checked_next_multiple_of(GRID_MS).unwrap_or(u64::MAX);
        }
        // A file of others may have any order.
        samples.sort_by_key(|sample| sample.at_ms);
        if self.server.is_none() {
            self.server = series(&samples, |sample| sample.server);
        }
        match (&self.kernel, series(&samples, |sample| sample.kernel)) {
            (_, None) => {}
            (Kernels::None, Some(series)) => self.kernel = Kernels::One(series),
            (_, Some(_)) => self.kernel = Kernels::Several,
        }
        let first = samples[0].at_ms;
        // The sums of earlier parts go on unchanged where only this one was read.
        for at in samples.iter().map(|sample| sample.at_ms) {
            if !self.sums.contains_key(&at)
                && let Some((_, before)) = self.sums.range(..at).next_back()
            {
                let before = before.clone();
                self.sums.insert(at, before);
            }
        }
        for (at, sum) in self.sums.range_mut(first..) {
            let until = samples.partition_point(|sample| sample.at_ms <= *at);
            add(sum, &samples[until - 1]);
        }
        for sample in samples {
            self.sums.entry(sample.at_ms).or_insert(sample);
        }
        self.begin = self.begin.max(first);
    }

    pub(super) fn samples(self) -> Vec<Sample> {
        if let Some(only) = self.only {
            return only;
        }
        let kernel = match &self.kernel {
            Kernels::One(series) => Some(series),
            Kernels::None | Kernels::Several => None,
        };
        let (begin, server) = (self.begin, self.server.as_ref());
        let sums = self.sums.into_iter().filter(|(at, _)| *at >= begin);
        sums.map(|(at_ms, sum)| Sample {
            at_ms,
            server: last(server, at_ms),
            kernel: last(kernel, at_ms),
            ..sum
        })
        .collect()
    }
}

fn add(sum: &mut Sample, other: &Sample) {
    sum.open = sum.open.saturating_add(other.open);
    sum.events = sum.events.saturating_add(other.events);
    // Unknown if one of them is unknown.
    sum.generator = match (sum.generator, other.generator) {
        (Some(mut sum), Some(other)) => {
            sum += other;
            Some(sum)
        }
        _ => None,
    };
    // Parts on one machine each see what waits for all of them; on several, none sees all.
    sum.waiting = sum.waiting.max(other.waiting);
}

fn series<T>(samples: &[Sample], of: fn(&Sample) -> Option<T>) -> Option<Series<T>> {
    let series: Series<T> = samples.iter().map(|sample| (sample.at_ms, of(sample))).collect();
    series.iter().any(|(_, reading)| reading.is_some()).then_some(series)
}

fn last<T: Copy>(series: Option<&Series<T>>, at_ms: u64) -> Option<T> {
    let series = series?;
    let until = series.partition_point(|(at, _)| *at <= at_ms);
    series.get(until.checked_sub(1)?)?.1
}
