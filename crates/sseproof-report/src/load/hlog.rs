//! Results of a load as an interval log of HdrHistogram, which its tools plot and compare.
//!
//! Each line is one metric in one interval: `Tag=delivery,start,length,max,histogram`. Start and
//! length are in seconds, the start since `StartTime`; the maximum is in milliseconds, and the
//! histogram (V2, compressed, base64) in nanoseconds. With several transports or rounds, the tag
//! names them: `sse/delivery`, `sse/2/delivery`.

use std::io;
use std::time::{Duration, SystemTime};

use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{
    IntervalLogWriterBuilder, IntervalLogWriterError, Tag,
};
use sseproof_load_model::{Metric, Outcome};

use super::side::transport_key;

const MILLISECOND: f64 = 1e6;

/// # Errors
/// Never in practice: it writes to memory.
pub fn render(outcomes: &[Outcome]) -> io::Result<String> {
    let mut lines = Vec::new();
    let start = outcomes.iter().filter_map(started).min();
    for outcome in outcomes {
        let ahead = start.zip(started(outcome));
        let ahead = ahead.and_then(|(start, own)| own.duration_since(start).ok());
        let ahead = ahead.unwrap_or_default();
        let tags = Metric::ALL.map(|metric| (metric, tag(outcome, outcomes, metric)));
        let length = Duration::from_millis(outcome.run.interval_ms);
        for interval in &outcome.intervals {
            let since = interval.index.saturating_mul(outcome.run.interval_ms);
            let at = ahead.saturating_add(Duration::from_millis(since));
            for (metric, tag) in &tags {
                lines.extend(
                    interval.histogram(*metric).map(|times| (at, length, tag.clone(), times)),
                );
            }
        }
    }
    // Readers expect the lines in the order of time.
    lines.sort_by_key(|(at, ..)| *at);
    let (mut out, mut serializer) = (Vec::new(), V2DeflateSerializer::new());
    let mut builder = IntervalLogWriterBuilder::new();
    builder.add_comment("[Histogram log format version 1.3]");
    builder.add_comment("times in nanoseconds, Interval_Max in milliseconds");
    if let Some(start) = start {
        builder.with_start_time(start).with_base_time(start);
    }
    builder.with_max_value_divisor(MILLISECOND);
    let mut log = builder.begin_log_with(&mut out, &mut serializer)?;
    for (at, length, tag, times) in &lines {
        log.write_histogram(&times.places(), *at, *length, Tag::new(tag)).map_err(|error| {
            match error {
                IntervalLogWriterError::SerializeError(error) => io::Error::other(error),
                IntervalLogWriterError::IoError(error) => error,
            }
        })?;
    }
    drop(log);
    Ok(String::from_utf8_lossy(&out).into_owned())
}

fn started(outcome: &Outcome) -> Option<SystemTime> {
    outcome.run.started.parse::<jiff::Timestamp>().ok().map(SystemTime::from)
}

fn tag(outcome: &Outcome, outcomes: &[Outcome], metric: Metric) -> String {
    let run = &outcome.run;
    let is_one = |of: &dyn Fn(&Outcome) -> bool| outcomes.iter().all(of);
    let mut tag = String::new();
    if !is_one(&|other| other.run.transport == run.transport) {
        tag.push_str(transport_key(run.transport));
        tag.push('/');
    }
    if !is_one(&|other| other.run.round == run.round) {
        tag.push_str(&format!("{}/", run.round));
    }
    tag + metric.key()
}

#[cfg(test)]
mod tests {
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
    use sseproof_load_model::Histogram;

    use super::super::examples::{good, twice};
    use super::*;

    #[test]
    fn the_log_is_read_back_by_the_library() {
        let outcomes = good().outcomes;
        let text = render(&outcomes).unwrap();
        let mut found = 0;
        let mut total = Histogram::default();
        for entry in IntervalLogIterator::new(text.as_bytes()) {
            let LogEntry::Interval(line) = entry.unwrap() else { continue };
            found += 1;
            if line.tag().unwrap().as_str() == "delivery" {
                let times = Histogram::from_base64(line.encoded_histogram()).unwrap();
                assert!((line.max() - times.max() as f64 / 1e6).abs() < 0.1, "{}", line.max());
                total.absorb(&times);
            }
        }
        assert_eq!(Some(&total), outcomes[0].total().histogram(Metric::Delivery));
        let rows: usize =
            outcomes[0].intervals.iter().map(|interval| interval.histograms.len()).sum();
        assert_eq!(found, rows);
    }

    #[test]
    fn it_reads_as_other_tools_write_it() {
        let text = render(&twice().outcomes).unwrap();
        let lines: Vec<_> = text
            .lines()
            .take(9)
            .map(|line| line.find(",HIST").map_or(line, |at| &line[..at + 9]))
            .collect();
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn what_says_no_time_has_none() {
        let mut outcomes = good().outcomes;
        outcomes[0].run.started = "yesterday".into();
        assert!(!render(&outcomes).unwrap().contains("StartTime:"));
        assert!(render(&[]).unwrap().starts_with('#'));
    }
}
