//! The findings of a case, and how they differ from what is expected.

use sseproof_load_model::{Counter, Interval, Metric};

use super::engines::Ended;
use super::plans::Plan;

#[derive(Default)]
pub(super) struct Findings {
    pub(super) measured: String,
    pub(super) wrong: Vec<String>,
}

const EXACT: [Counter; 9] = [
    Counter::Arrivals,
    Counter::Connected,
    Counter::Streams,
    Counter::Ended,
    Counter::Events,
    Counter::Lost,
    Counter::Duplicated,
    Counter::Reordered,
    Counter::Errors,
];
pub(super) const PERCENTILES: [(&str, f64); 3] = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99)];
impl Findings {
    pub(super) fn demand(&mut self, holds: bool, what: impl Into<String>) {
        if !holds {
            self.wrong.push(what.into());
        }
    }

    pub(super) fn codes(&mut self, tasks: &[Ended], codes: &[i32]) {
        let ended: Vec<_> = tasks.iter().map(|task| task.code).collect();
        self.demand(ended == codes, format!("the tasks ended with {ended:?}, and not {codes:?}"));
    }

    pub(super) fn says(&mut self, text: &str, part: &str) {
        let text = words(text);
        self.demand(text.contains(part), format!("`{part}` is not in: {text}"));
    }

    /// The counts that the plan fixes.
    pub(super) fn counts(&mut self, total: &Interval, plan: &Plan) {
        for counter in EXACT {
            let count = total.counters.count(counter);
            let expected = match counter {
                Counter::Events => plan.clients * plan.events,
                Counter::Arrivals | Counter::Connected | Counter::Streams | Counter::Ended => {
                    plan.clients
                }
                _ => 0,
            };
            self.demand(
                count == expected,
                format!("{} is {count}, and not {expected}", counter.key()),
            );
        }
    }

    /// The percentile of a sum lies between those of its parts, whatever the times are.
    pub(super) fn between(&mut self, merged: &Interval, parts: &[Interval]) {
        for metric in Metric::ALL {
            let Some(whole) = merged.histogram(metric) else { continue };
            let parts: Vec<_> = parts.iter().filter_map(|part| part.histogram(metric)).collect();
            let count: u64 = parts.iter().map(|part| part.count()).sum();
            let key = metric.key();
            self.demand(
                whole.count() == count,
                format!("{key}: {count} in all shards, {} merged", whole.count()),
            );
            for (name, share) in PERCENTILES {
                let of_parts = || parts.iter().map(|part| part.quantile(share));
                let (min, max) = (of_parts().min(), of_parts().max());
                let value = whole.quantile(share);
                self.demand(
                    min <= Some(value) && Some(value) <= max,
                    format!(
                        "{key}.{name} is {value} ns, and those of the shards {min:?} to {max:?}"
                    ),
                );
            }
        }
    }
}

/// Without the line ends of a report.
pub(super) fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
