//! A running load as Prometheus reads it (text format 0.0.4).
//!
//! Times are summaries in seconds: quantiles of the last interval, but sum and count of the whole
//! run, as summaries require. Counters are those of the whole run.

use std::fmt::Write as _;

use sseproof_load_model::{Counter, Histogram, Interval, Metric, Transport};

use super::facts::percentile;
use super::side::transport_key;

pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The quantiles, as text and in hundredths of a percent.
const QUANTILES: [(&str, u16); 5] =
    [("0.5", 5000), ("0.9", 9000), ("0.99", 9900), ("0.999", 9990), ("0.9999", 9999)];

#[derive(Clone, Copy, Debug)]
pub struct Live<'a> {
    pub transport: Transport,
    pub last: &'a Interval,
    pub total: &'a Interval,
}

pub fn render(live: &[Live<'_>]) -> String {
    let mut out = String::new();
    family(&mut out, "open_streams", "gauge", "streams open at the end of the last interval");
    for live in live {
        let transport = transport_key(live.transport);
        line(&mut out, "open_streams", &format!("transport=\"{transport}\""), live.last.open);
    }
    for counter in Counter::ALL.into_iter().filter(|counter| *counter != Counter::Errors) {
        let name = format!("{}_total", counter.key().replace('-', "_"));
        family(&mut out, &name, "counter", counter.definition());
        for live in live {
            let transport = transport_key(live.transport);
            let count = live.total.counters.count(counter);
            line(&mut out, &name, &format!("transport=\"{transport}\""), count);
        }
    }
    family(&mut out, "errors_total", "counter", "errors by kind");
    for live in live {
        let transport = transport_key(live.transport);
        for (kind, count) in live.total.counters.errors() {
            let labels = format!("transport=\"{transport}\",kind=\"{}\"", escaped(kind));
            line(&mut out, "errors_total", &labels, count);
        }
    }
    for metric in Metric::ALL {
        summary(&mut out, metric, live);
    }
    out
}

fn summary(out: &mut String, metric: Metric, live: &[Live<'_>]) {
    if live.iter().all(|live| live.total.histogram(metric).is_none()) {
        return;
    }
    let name = format!("{}_seconds", metric.key().replace('-', "_"));
    family(out, &name, "summary", metric.definition().formula);
    for live in live {
        let Some(total) = live.total.histogram(metric) else { continue };
        let transport = transport_key(live.transport);
        let quantile = |last: &Histogram, hundredths| {
            percentile(last, hundredths).map_or("NaN".to_owned(), |time| seconds(time as f64))
        };
        if let Some(last) = live.last.histogram(metric) {
            for (name_of, hundredths) in QUANTILES {
                let labels = format!("transport=\"{transport}\",quantile=\"{name_of}\"");
                line(out, &name, &labels, quantile(last, hundredths));
            }
        }
        let labels = format!("transport=\"{transport}\"");
        let sum = total.mean() * total.count() as f64;
        line(out, &format!("{name}_sum"), &labels, seconds(sum));
        line(out, &format!("{name}_count"), &labels, total.count());
    }
}

fn seconds(nanoseconds: f64) -> String {
    format!("{}", nanoseconds / 1e9)
}

fn family(out: &mut String, name: &str, kind: &str, help: &str) {
    let help = help.replace('\\', "\\\\").replace('\n', "\\n");
    // Writing to memory does not fail.
    let _ = writeln!(out, "# HELP sseproof_load_{name} {help}\n# TYPE sseproof_load_{name} {kind}");
}

fn line(out: &mut String, name: &str, labels: &str, value: impl std::fmt::Display) {
    let _ = writeln!(out, "sseproof_load_{name}{{{labels}}} {value}");
}

fn escaped(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::super::examples::broken;
    use super::*;

    #[test]
    fn a_run_that_goes_on() {
        let outcome = broken().outcomes.remove(0);
        let total = outcome.total();
        let live = Live { transport: Transport::Sse, last: &outcome.intervals[3], total: &total };
        let text = render(&[live]);
        assert!(text.starts_with("# HELP sseproof_load_open_streams "));
        // Definitions stand where they are made.
        let without: Vec<_> = text.lines().filter(|line| !line.starts_with("# HELP")).collect();
        insta::assert_snapshot!(without.join("\n"));
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (name, value) = line.rsplit_once(' ').unwrap();
            assert!(name.ends_with('}') && value.parse::<f64>().is_ok(), "{line}");
        }
    }

    #[test]
    fn labels_are_escaped() {
        assert_eq!(escaped("a\"b\\c\nd"), "a\\\"b\\\\c\\nd");
    }
}
