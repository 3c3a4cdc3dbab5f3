//! Results of a load as CSV (RFC 4180): a row for each interval and each metric in it.

use sseproof_load_model::{Counter, Metric, Outcome};
use sseproof_units::inert;

use super::facts::{PERCENTILES, percentile};
use super::side::transport_key;

/// The columns and their meanings.
pub const COLUMNS: [(&str, &str); 16] = [
    ("transport", "the transport: `sse` or `web-socket`"),
    ("url", "the target"),
    ("round", "which round, from 1"),
    ("interval", "which interval of the round, from 0"),
    ("start_ms", "its start, in milliseconds since the start of the round"),
    ("length_ms", "its length, in milliseconds"),
    ("kind", "`open`, `counter`, `error` or `time`"),
    ("name", "the name in thresholds; for an error its kind"),
    (
        "count",
        "the number; for `open` the streams at the end of the interval; for a time its samples",
    ),
    ("p50_ns", "percentile of a time, in nanoseconds; empty if there are too few samples"),
    ("p90_ns", "the same"),
    ("p99_ns", "the same"),
    ("p99.9_ns", "the same"),
    ("p99.99_ns", "the same"),
    ("max_ns", "the maximum, in nanoseconds"),
    (
        "mean_ns",
        "the mean, in nanoseconds; means of intervals must not be averaged without `count`",
    ),
];

/// The cells of an interval, with which each of its rows begins.
type Opening = [String; 6];

/// # Errors
/// Never in practice: it writes to memory.
pub fn render(outcomes: &[Outcome]) -> Result<String, csv::Error> {
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record(COLUMNS.map(|(name, _)| name))?;
    for outcome in outcomes {
        for row in rows(outcome) {
            out.write_record(row)?;
        }
    }
    let bytes = out.into_inner().map_err(|error| error.into_error())?;
    Ok(inert(&String::from_utf8_lossy(&bytes)))
}

fn rows(outcome: &Outcome) -> Vec<Vec<String>> {
    let run = &outcome.run;
    let mut rows = Vec::new();
    for interval in &outcome.intervals {
        let opening: Opening = [
            transport_key(run.transport).to_owned(),
            run.url.clone(),
            run.round.to_string(),
            interval.index.to_string(),
            interval.index.saturating_mul(run.interval_ms).to_string(),
            run.interval_ms.to_string(),
        ];
        let mut push = |kind: &str, name: &str, count: u64, times: Vec<String>| {
            let row = opening.iter().cloned();
            let row = row.chain([kind.to_owned(), name.to_owned(), count.to_string()]).chain(times);
            let mut row: Vec<String> = row.collect();
            row.resize(COLUMNS.len(), String::new());
            rows.push(row);
        };
        push("open", "open", interval.open, Vec::new());
        for counter in Counter::ALL {
            let count = interval.counters.count(counter);
            if count > 0 {
                push("counter", counter.key(), count, Vec::new());
            }
        }
        for (kind, count) in interval.counters.errors() {
            push("error", kind, count, Vec::new());
        }
        for metric in Metric::ALL {
            let Some(histogram) = interval.histogram(metric) else { continue };
            let shown = |time: Option<u64>| time.map(|time| time.to_string()).unwrap_or_default();
            let mut times: Vec<_> =
                PERCENTILES.map(|(_, hundredths)| shown(percentile(histogram, hundredths))).into();
            times.extend([histogram.max().to_string(), format!("{:.0}", histogram.mean())]);
            push("time", metric.key(), histogram.count(), times);
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::super::examples::{broken, twice};
    use super::*;

    #[test]
    fn each_interval_has_a_row_for_each_thing() {
        let text = render(&broken().outcomes).unwrap();
        let some: Vec<_> = text.lines().take(12).collect();
        insta::assert_snapshot!(some.join("\n"));
    }

    #[test]
    fn it_is_read_back_and_adds_up() {
        let mut outcomes = twice().outcomes;
        outcomes[0].run.url = "http://127.0.0.1/a,\"b\"\nc".into();
        let text = render(&outcomes).unwrap();
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        assert_eq!(reader.headers().unwrap().len(), COLUMNS.len());
        let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
        assert_eq!(&rows[0][1], outcomes[0].run.url.as_str());
        let events = rows.iter().filter(|row| &row[6] == "counter" && &row[7] == "events");
        let sum: u64 = events.map(|row| row[8].parse::<u64>().unwrap()).sum();
        assert_eq!(sum, 600_000);
    }
}
