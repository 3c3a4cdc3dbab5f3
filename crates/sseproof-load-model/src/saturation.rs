//! Whether the generator itself was the bottleneck: then a latency is its own, not the server's.

use crate::{Counter, Metric, Outcome};

/// How late the loop may wake. A timer has a resolution of 1 ms, and a shared machine takes
/// a thread from its core for some milliseconds.
const LAG: (f64, u64) = (0.99, 50_000_000);
/// How late arrivals may begin.
const LATENESS: (f64, u64) = (0.99, 100_000_000);
/// Which share of the time its threads may be busy. Beyond that, events wait for a thread more often
/// than not.
const BUSY: f64 = 0.9;
/// How many bytes may wait in the receive queues, in seconds of traffic.
const WAITING: f64 = 1.0;
/// How many readings in a row must show that: a single one may meet a burst.
const LOOKS: usize = 3;

impl Outcome {
    /// Why the generator was the bottleneck; empty if it was not.
    pub fn saturation(&self, threads: u64) -> Vec<String> {
        let total = self.total();
        let mut reasons = Vec::new();
        let milliseconds = |nanoseconds: u64| nanoseconds as f64 / 1e6;
        for (metric, (share, limit), name) in [
            (Metric::LoopLag, LAG, "event loop lag"),
            (Metric::Lateness, LATENESS, "late arrivals"),
        ] {
            if let Some(histogram) = total.histogram(metric) {
                let seen = histogram.quantile(share);
                if seen > limit {
                    reasons.push(format!(
                        "{name}: p99 {:.0} ms (limit {:.0} ms)",
                        milliseconds(seen),
                        milliseconds(limit)
                    ));
                }
            }
        }
        if let Some(busy) = self.busiest(threads)
            && busy > BUSY
        {
            reasons.push(format!(
                "its threads were busy for {:.0} % of the time (limit {:.0} %)",
                busy * 100.0,
                BUSY * 100.0
            ));
        }
        reasons.extend(self.behind());
        reasons
    }

    fn behind(&self) -> Option<String> {
        let bytes = self.total().counters.count(Counter::Bytes) as f64;
        let rate = bytes / self.lasting().as_secs_f64().max(f64::MIN_POSITIVE);
        let looks: Vec<u64> =
            self.resources.samples.iter().filter_map(|sample| sample.waiting).collect();
        let lasting = looks.windows(LOOKS).filter_map(|looks| looks.iter().min()).max()?;
        let seconds = *lasting as f64 / rate;
        (seconds > WAITING).then(|| {
            format!(
                "received data waited to be read: {:.1} MiB, repeatedly, which arrive in {seconds:.1} s",
                *lasting as f64 / f64::from(1 << 20)
            )
        })
    }

    /// The share of processor time that the threads used, in the busiest stretch of three seconds.
    fn busiest(&self, threads: u64) -> Option<f64> {
        /// A shorter one says nothing: opening connections is always work.
        const STRETCH_MS: u64 = 3000;
        let samples = &self.resources.samples;
        let mut busiest = None;
        for (at, from) in samples.iter().enumerate() {
            let Some(to) = samples[at..].iter().find(|to| to.at_ms >= from.at_ms + STRETCH_MS)
            else {
                break;
            };
            let (Some(before), Some(after)) = (from.generator, to.generator) else { continue };
            let used = after.cpu.saturating_sub(before.cpu) as f64;
            let had = (to.at_ms - from.at_ms) as f64 * 1e6 * threads.max(1) as f64;
            busiest = Some(f64::max(busiest.unwrap_or_default(), used / had));
        }
        busiest
    }
}

#[cfg(test)]
mod tests {
    use crate::{Interval, Resources, Run, Sample, Usage};

    use super::*;

    fn outcome(lag: u64, cpu: u64) -> Outcome {
        let mut interval = Interval::default();
        interval.histograms.entry(Metric::LoopLag).or_default().record(lag);
        let sample = |second: u64| Sample {
            at_ms: second * 1000,
            generator: Some(Usage { cpu: second * cpu, ..Usage::default() }),
            ..Sample::default()
        };
        Outcome {
            run: Run { interval_ms: 1000, ..Run::default() },
            intervals: vec![interval],
            resources: Resources { samples: (0..10).map(sample).collect() },
        }
    }

    #[test]
    fn a_generator_that_does_not_read_is_the_bottleneck() {
        let mut outcome = outcome(0, 0);
        outcome.intervals[0].counters.add(Counter::Bytes, 1000);
        let mut wait = |looks: [u64; 4]| {
            for (sample, waiting) in outcome.resources.samples.iter_mut().skip(2).zip(looks) {
                sample.waiting = Some(waiting);
            }
            outcome.saturation(1)
        };
        assert!(wait([0, 9000, 9000, 0]).is_empty(), "a burst");
        assert!(wait([999, 999, 999, 999]).is_empty());
        assert!(wait([3000, 2000, 5000, 0])[0].contains("which arrive in 2.0 s"));
    }

    #[test]
    fn a_generator_that_waits_for_itself_is_the_bottleneck() {
        assert!(outcome(1_000_000, 500_000_000).saturation(1).is_empty());
        assert!(outcome(90_000_000, 0).saturation(1)[0].contains("event loop lag"));
        let busy = outcome(0, 950_000_000);
        assert!(busy.saturation(1)[0].contains("95 %"));
        assert!(busy.saturation(2).is_empty());
    }
}
