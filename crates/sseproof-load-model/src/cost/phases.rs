//! Which of the samples of a run belong to its rise, its peak and its end.

use std::ops::Range;

use crate::Sample;

/// By which share of itself the number of open streams may change on a plateau: one client that is
/// disconnected and reconnects does not end it.
const STEADY: f64 = 0.001;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Phases<'a> {
    samples: &'a [Sample],
    /// The first period with the highest number of open streams.
    top: Range<usize>,
    pub(super) peak: u64,
}

impl<'a> Phases<'a> {
    pub(super) fn of(samples: &'a [Sample]) -> Option<Self> {
        let peak = samples.iter().map(|sample| sample.open).max()?;
        let top = stretches(samples).into_iter().find(|stretch| {
            samples[stretch.clone()].iter().any(|sample| steady(sample.open, peak))
        })?;
        Some(Self { samples, top, peak })
    }

    pub(super) fn top(&self) -> &'a [Sample] {
        &self.samples[self.top.clone()]
    }

    pub(super) fn idle_top(&self) -> &'a [Sample] {
        let top = self.top();
        &top[..top.iter().take_while(|sample| sample.events == 0).count()]
    }

    /// One sample for each number of open streams up to the peak, and whether these are plateaus.
    ///
    /// The last sample of a plateau is taken, when what the last connections caused has settled.
    /// Without three plateaus every number of open streams is taken once, so that a long pause does
    /// not weigh more than the ramp. If the peak was idle at first, so are all.
    pub(super) fn rise(&self) -> (Vec<&'a Sample>, bool) {
        let end = match self.idle_top().len() {
            0 => self.top.end,
            idle => self.top.start + idle,
        };
        let samples = &self.samples[..end];
        let stretches = stretches(samples);
        let last = |stretch: &Range<usize>| &samples[stretch.end - 1];
        let plateaus: Vec<_> =
            stretches.iter().filter(|stretch| stretch.len() > 1).map(last).collect();
        if plateaus.len() > 2 {
            return (plateaus, true);
        }
        (stretches.iter().map(last).collect(), false)
    }

    /// The last sample before the first client, and the last one after all had disconnected.
    pub(super) fn begin_and_end(&self) -> (Option<&'a Sample>, Option<&'a Sample>) {
        let before = self.samples.iter().take_while(|sample| sample.open == 0).last();
        let after = self.samples[self.top.end..].last().filter(|sample| sample.open == 0);
        (before.filter(|_| self.peak > 0), after)
    }

    /// The longest period with that many open at least in which no event arrived.
    pub(super) fn silence(&self, least: u64) -> Option<(&'a Sample, &'a Sample)> {
        let silent = |stretch: Range<usize>| {
            let samples = &self.samples[stretch];
            samples.chunk_by(|before, after| before.events == after.events)
        };
        stretches(self.samples)
            .into_iter()
            .filter(|stretch| self.samples[stretch.start].open >= least.max(1))
            .flat_map(silent)
            .filter_map(|run| Some((run.first()?, run.last()?)))
            .max_by_key(|(first, last)| last.at_ms.saturating_sub(first.at_ms))
    }
}

fn steady(open: u64, first: u64) -> bool {
    open.abs_diff(first) as f64 <= STEADY * first as f64
}

fn stretches(samples: &[Sample]) -> Vec<Range<usize>> {
    let mut stretches: Vec<Range<usize>> = Vec::new();
    for (at, sample) in samples.iter().enumerate() {
        match stretches.last_mut() {
            Some(stretch) if steady(sample.open, samples[stretch.start].open) => {
                stretch.end = at + 1
            }
            _ => stretches.push(at..at + 1),
        }
    }
    stretches
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Samples a second apart with so many open, and so many events.
    fn samples(of: &[(u64, u64)]) -> Vec<Sample> {
        let sample = |(at, &(open, events)): (usize, &(u64, u64))| Sample {
            at_ms: at as u64 * 1000,
            open,
            events,
            ..Sample::default()
        };
        of.iter().enumerate().map(sample).collect()
    }

    fn times(samples: &[&Sample]) -> Vec<u64> {
        samples.iter().map(|sample| sample.at_ms / 1000).collect()
    }

    #[test]
    fn the_last_sample_of_each_plateau_counts_up_to_the_peak() {
        let of = [(0, 0), (0, 0), (500, 0), (1000, 0), (1000, 0), (1700, 0), (2000, 0), (1999, 0)];
        let later = [(2000, 0), (2000, 9), (2000, 5000), (1000, 9000), (1000, 9000), (0, 9000)];
        let all = samples(&[&of[..], &later[..]].concat());
        let phases = Phases::of(&all).unwrap();
        let (points, plateaus) = phases.rise();
        assert_eq!((times(&points), plateaus, phases.peak), (vec![1, 4, 8], true, 2000));
        assert_eq!((phases.top().len(), phases.idle_top().len()), (5, 3));
        let (begin, end) = phases.begin_and_end();
        assert_eq!((begin.unwrap().at_ms, end.unwrap().at_ms), (1000, 13_000));
        let (from, to) = phases.silence(100).unwrap();
        assert_eq!((from.at_ms, to.at_ms), (6000, 8000));
    }

    #[test]
    fn without_plateaus_each_number_counts_once() {
        let all = samples(&[(0, 0), (400, 7), (800, 20), (1200, 30), (1200, 40), (0, 50)]);
        let phases = Phases::of(&all).unwrap();
        let (points, plateaus) = phases.rise();
        assert_eq!((times(&points), plateaus), (vec![0, 1, 2, 4], false));
        assert!(phases.idle_top().is_empty() && phases.silence(100).is_some());
    }

    #[test]
    fn what_there_never_was_is_not_found() {
        assert_eq!(Phases::of(&[]), None);
        let all = samples(&[(0, 0), (0, 0)]);
        let phases = Phases::of(&all).unwrap();
        assert_eq!(phases.begin_and_end(), (None, None));
        assert_eq!(phases.silence(0), None);
        let all = samples(&[(5, 0), (5, 0)]);
        assert_eq!(Phases::of(&all).unwrap().begin_and_end(), (None, None));
    }
}
