//! `sseproof load --calibrate`: the error of measured latencies.

use std::fmt::Write as _;

use sseproof_files::Template;
use sseproof_load_model::{Metric, Outcome, Sequencing, Stamping, Transport};
use sseproof_units::Value;

use super::options::{LoadOptions, Side};

/// The delays of the embedded server's events, in milliseconds.
pub(super) const DELAYS: [u64; 4] = [0, 1, 10, 100];

pub(super) fn sides(mut given: LoadOptions) -> LoadOptions {
    given.file.plan.stamping = Stamping::Own;
    given.file.plan.sequencing = Sequencing::Own;
    given.sides = DELAYS
        .iter()
        .map(|delay| {
            let url = format!("/events?every=1s&size=100&delay={delay}ms");
            Side { transport: Transport::Sse, url: Template::plain(url) }
        })
        .collect();
    given
}

pub(super) fn table(outcomes: &[Outcome]) -> String {
    let mut page = String::from(
        "delay       events  delivery p50        p99   error p50        p99       max\n",
    );
    for (delay, outcome) in DELAYS.iter().zip(outcomes) {
        let total = outcome.total();
        let time = |metric: Metric, share: f64| {
            total.histogram(metric).map_or_else(
                || "–".to_owned(),
                |seen| Value::time(seen.quantile(share) as f64).to_string(),
            )
        };
        let count = total.histogram(Metric::Delivery).map_or(0, |seen| seen.count());
        // Writing to a text does not fail.
        let _ = writeln!(
            page,
            "{:>6} ms {count:>8} {:>13} {:>10} {:>11} {:>10} {:>9}",
            delay,
            time(Metric::Delivery, 0.5),
            time(Metric::Delivery, 0.99),
            time(Metric::Overhead, 0.5),
            time(Metric::Overhead, 0.99),
            time(Metric::Overhead, 1.0),
        );
        for reason in &outcome.run.saturated {
            let _ = writeln!(page, "  ! the generator was the bottleneck: {reason}");
        }
    }
    page.push_str(
        "The error is the delivery latency minus the delay that the server reports for the event: the time over loopback, and the time that the generator adds.\n",
    );
    page
}
