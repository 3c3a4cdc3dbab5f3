//! The counters and times of one thread in the current interval.

use sseproof_load_model::{Counter, Counters, Histogram, Interval, LoadError, Metric, Offset};

/// Counts and times of one thread; it is emptied into an [`Interval`] at the end of each.
pub(crate) struct Recorder {
    histograms: [Option<Box<Histogram>>; Metric::ALL.len()],
    counts: [u64; Counter::ALL.len()],
    errors: Counters,
    /// The server's clock, from its `Date` headers.
    offset: Option<Offset>,
    pub(crate) open: u64,
    /// Events since the start.
    pub(crate) events: u64,
}

impl Recorder {
    pub(crate) fn new() -> Self {
        Self {
            histograms: [const { None }; Metric::ALL.len()],
            counts: [0; Counter::ALL.len()],
            errors: Counters::default(),
            offset: None,
            open: 0,
            events: 0,
        }
    }

    pub(crate) fn time(&mut self, metric: Metric, nanoseconds: u64) {
        self.histograms[metric as usize].get_or_insert_default().record(nanoseconds);
    }

    pub(crate) fn add(&mut self, counter: Counter, count: u64) {
        self.counts[counter as usize] += count;
    }

    pub(crate) fn count(&mut self, counter: Counter) {
        self.add(counter, 1);
    }

    pub(crate) fn error(&mut self, error: &LoadError) {
        self.errors.error(error);
    }

    pub(crate) fn offset(&mut self, bounds: Offset) {
        self.offset = Some(self.offset.map_or(bounds, |known| known.and(bounds)));
    }

    pub(crate) fn interval(&mut self, index: u64) -> Interval {
        let mut counters = std::mem::take(&mut self.errors);
        for counter in Counter::ALL {
            counters.add(counter, std::mem::take(&mut self.counts[counter as usize]));
        }
        let mut histograms = std::collections::BTreeMap::new();
        for metric in Metric::ALL {
            if let Some(histogram) = &mut self.histograms[metric as usize]
                && histogram.count() > 0
            {
                histograms.insert(metric, histogram.packed());
                histogram.clear();
            }
        }
        Interval { index, open: self.open, counters, histograms, offset: self.offset.take() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_its_own_place() {
        for (at, metric) in Metric::ALL.into_iter().enumerate() {
            assert_eq!(metric as usize, at);
        }
        for (at, counter) in Counter::ALL.into_iter().enumerate() {
            assert_eq!(counter as usize, at);
        }
    }

    #[test]
    fn an_interval_has_what_was_seen_in_it() {
        let mut recorder = Recorder::new();
        recorder.time(Metric::Gap, 5);
        recorder.count(Counter::Events);
        recorder.error(&LoadError::new(sseproof_load_model::ErrorKind::Reset, "reset"));
        let first = recorder.interval(0);
        recorder.time(Metric::Gap, 7);
        let second = recorder.interval(1);
        assert_eq!(first.histogram(Metric::Gap).map(Histogram::max), Some(5));
        assert_eq!(second.histogram(Metric::Gap).map(Histogram::max), Some(7));
        assert_eq!(
            (first.counters.count(Counter::Events), first.counters.count(Counter::Errors)),
            (1, 1)
        );
        assert_eq!(second.counters, Counters::default());
    }
}
