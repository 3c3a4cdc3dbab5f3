//! The progress of a round: one line that changes on a terminal; otherwise a line every ten seconds.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use sseproof_load_model::{Counter, Interval, Metric, Transport};
use sseproof_units::{Value, inert};

use super::prometheus::Prometheus;
use crate::screen;

/// The time between two lines if there is no terminal.
const LINE: Duration = Duration::from_secs(10);

pub(super) struct Live {
    bar: Option<ProgressBar>,
    name: String,
    parts: u64,
    seconds: f64,
    /// Intervals that not all parts have reported yet, with the number of parts that have.
    partial: BTreeMap<u64, (u64, Interval)>,
    written: Instant,
    page: Option<(Prometheus, Transport)>,
    total: Interval,
}

impl Live {
    pub(super) fn new(
        name: String,
        parts: u64,
        interval: Duration,
        length: Duration,
        page: Option<(Prometheus, Transport)>,
    ) -> Self {
        let bar = screen::shows_progress().then(|| {
            let bar = ProgressBar::new(length.as_secs().max(1));
            let template = "{prefix} {elapsed:>4} [{bar:20}] {msg}";
            bar.set_style(
                ProgressStyle::with_template(template)
                    .unwrap_or_else(|_| ProgressStyle::default_bar())
                    .progress_chars("=> "),
            );
            bar.set_prefix(inert(&name));
            bar
        });
        let (seconds, written) = (interval.as_secs_f64(), Instant::now());
        let (partial, total) = (BTreeMap::new(), Interval::default());
        Self { bar, name, parts, seconds, partial, written, page, total }
    }

    pub(super) fn interval(&mut self, interval: &Interval) {
        let index = interval.index;
        let (count, all) = self.partial.entry(index).or_default();
        *count += 1;
        all.absorb(interval);
        if *count < self.parts {
            return;
        }
        let Some((_, whole)) = self.partial.remove(&index) else { return };
        if let Some((page, transport)) = &self.page {
            self.total.total(&whole);
            page.show(*transport, &whole, &self.total);
        }
        let line = self.line(&whole);
        if let Some(bar) = &self.bar {
            let seconds = (index + 1) as f64 * self.seconds;
            bar.set_position((seconds as u64).min(bar.length().unwrap_or(u64::MAX)));
            bar.set_message(line);
        } else if self.written.elapsed() >= LINE {
            self.written = Instant::now();
            screen::say(format_args!(
                "{} {:.0}s: {line}",
                self.name,
                (index + 1) as f64 * self.seconds
            ));
        }
    }

    fn line(&self, interval: &Interval) -> String {
        let rate = interval.counters.count(Counter::Events) as f64 / self.seconds;
        let time = |nanoseconds: u64| Value::time(nanoseconds as f64).to_string();
        let latency = [Metric::Delivery, Metric::Ttft, Metric::Gap]
            .into_iter()
            .find_map(|metric| Some((metric, interval.histogram(metric)?)))
            .map(|(metric, seen)| {
                let (half, most) = (time(seen.quantile(0.5)), time(seen.quantile(0.99)));
                format!(", {} p50 {half} p99 {most}", metric.key())
            })
            .unwrap_or_default();
        let errors = interval.counters.count(Counter::Errors);
        let errors = if errors > 0 { format!(", {errors} errors") } else { String::new() };
        format!("{} open, {rate:.0} events/s{latency}{errors}", interval.open)
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
