//! Results that were made up, for the snapshots of reports.

use sseproof_load_model::{
    Counter, ErrorKind, Interval, Kernel, LoadError, Metric, Outcome, Resources, Run, Sample,
    Shard, Threshold, Transport, Usage,
};

use super::{LoadReport, judge};

type Errors = [(ErrorKind, u64)];

fn outcome(transport: Transport, slower: u64, errors: &Errors) -> Outcome {
    let path = if transport == Transport::Sse { "events" } else { "ws" };
    let open = [4000, 10_000, 10_000, 10_000, 10_000, 0];
    let intervals = open.into_iter().zip(0..).map(|(open, index)| interval(index, open, slower));
    let mut intervals: Vec<_> = intervals.collect();
    for (kind, count) in errors {
        (0..*count).for_each(|_| intervals[1].counters.error(&LoadError::new(*kind, kind.key())));
    }
    Outcome {
        run: Run {
            plan: "news feed".into(),
            url: format!("http://127.0.0.1:8080/{path}"),
            transport,
            round: 1,
            started: "2026-11-23T01:02:03.5Z".into(),
            interval_ms: 10_000,
            stamp: "own".into(),
            sequence: "own".into(),
            shards: vec![Shard { index: 0, of: 1, complete: true, clock: None }],
            ..Run::default()
        },
        intervals,
        resources: Resources { samples: samples(slower) },
    }
}

fn interval(index: u64, open: u64, slower: u64) -> Interval {
    let mut interval = Interval { index, open, ..Interval::default() };
    let mut times = |metric, count: u64, longest_us: u64| {
        let histogram = interval.histograms.entry(metric).or_default();
        // Most are short, and a few are long.
        (1..=count).for_each(|n| {
            let share = n as f64 / count as f64;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "in bounds"
            )]
            histogram.record((share.powi(4) * (longest_us * 1000) as f64) as u64 + 50_000);
        });
    };
    let counters = match index {
        0 | 1 => {
            times(Metric::Connect, 5000, 900);
            times(Metric::Head, 5000, 2000);
            times(Metric::FirstEvent, 5000, 1_002_000);
            vec![(Counter::Arrivals, 5000), (Counter::Connected, 5000), (Counter::Streams, 5000)]
        }
        2..=4 => {
            times(Metric::Delivery, 20_000, 31_000 * slower);
            times(Metric::Gap, 20_000, 1_031_000 * slower);
            vec![(Counter::Events, 100_000), (Counter::Bytes, 11_900_000), (Counter::Published, 10)]
        }
        _ => {
            times(Metric::Stream, 40, 51_000_000);
            vec![(Counter::Closed, 9960), (Counter::Ended, 40)]
        }
    };
    times(Metric::LoopLag, 9000, 1400);
    for (counter, count) in counters {
        interval.counters.add(counter, count);
    }
    interval
}

fn samples(slower: u64) -> Vec<Sample> {
    let plateaus = [0, 2500, 5000, 7500, 10_000].into_iter().flat_map(|open| [(open, 0); 2]);
    let events = (1..=10).map(|second| (10_000, second * 30_000));
    let all = plateaus.chain(events).chain([(0, 300_000); 2]);
    let usage = |base: u64, each: u64, cpu: u64| Usage {
        pss: base + each + 3_000_000,
        private: base + each,
        cpu,
        ..Usage::default()
    };
    let sample = |((open, events), at): ((u64, u64), u64)| {
        let wobble = at * 7919 % 5 * 4096;
        let behind = if events > 0 { open * 4096 } else { 0 };
        let server = usage(8_000_000 + wobble, open * 1460 * slower + behind, events * 2100);
        Sample {
            at_ms: at * 3000,
            open,
            events,
            server: Some(Usage { cpu: server.cpu + at * 3_000_000, ..server }),
            generator: Some(usage(5_000_000 + wobble, open * 990, events * 1300)),
            kernel: Some(Kernel {
                tcp: events / 50 * 4096,
                slab: 200_000_000 + open * 9700,
                unreclaimable: 100_000_000 + open * 9000,
                sockets: None,
            }),
            waiting: None,
        }
    };
    all.zip(0..).map(sample).collect()
}

pub(super) fn judged(outcomes: Vec<Outcome>, thresholds: &[&str]) -> LoadReport {
    let thresholds: Vec<_> =
        thresholds.iter().map(|text| Threshold::parse(text).expect("a threshold")).collect();
    let judged = judge(&outcomes, &thresholds);
    LoadReport { tool: "sseproof 0.1.0".into(), outcomes, judged }
}

const ASKED: [&str; 4] = ["delivery.p99 > 50ms", "lost > 0", "errors > 0", "memory.server > 20KiB"];

pub(super) fn good() -> LoadReport {
    judged(vec![outcome(Transport::Sse, 1, &[])], &ASKED)
}

pub(super) fn broken() -> LoadReport {
    let errors = [(ErrorKind::Refused, 30), (ErrorKind::Status(503), 7)];
    let mut outcome = outcome(Transport::Sse, 3, &errors);
    let counters = &mut outcome.intervals[1].counters;
    for (counter, count) in [
        (Counter::Arrivals, 37),
        (Counter::Lost, 12),
        (Counter::Duplicated, 3),
        (Counter::Negative, 2),
        (Counter::PublishFailed, 1),
    ] {
        counters.add(counter, count);
    }
    outcome.resources.samples.iter_mut().for_each(|sample| sample.server = None);
    judged(vec![outcome], &ASKED)
}

pub(super) fn saturated() -> LoadReport {
    let mut outcome = outcome(Transport::Sse, 1, &[]);
    outcome.run.saturated = vec![
        "thread 2 was busy for 98 % of the time from 20 s to 40 s".into(),
        "1,204 arrivals were more than 10 ms late".into(),
    ];
    judged(vec![outcome], &ASKED)
}

pub(super) fn partial() -> LoadReport {
    let mut outcome = outcome(Transport::Sse, 1, &[]);
    outcome.run.partial = vec!["it was interrupted after 41 s".into()];
    outcome.run.shards.push(Shard { index: 2, of: 4, complete: false, clock: None });
    judged(vec![outcome], &[])
}

/// A server that serves only so many streams at a time.
pub(super) fn hung() -> LoadReport {
    let errors = [(ErrorKind::Status(503), 200)];
    let mut outcome = outcome(Transport::Sse, 1, &errors);
    let first = &mut outcome.intervals[0];
    for (counter, count) in
        [(Counter::Arrivals, 1500), (Counter::Unanswered, 1300), (Counter::Rejected, 200)]
    {
        first.counters.add(counter, count);
    }
    let waits = first.histograms.entry(Metric::Wait).or_default();
    (0..1300).for_each(|n| waits.record(9_100_000_000 + n * 1_000_000));
    judged(vec![outcome], &["lost > 0"])
}

pub(super) fn twice() -> LoadReport {
    let outcomes = vec![outcome(Transport::Sse, 1, &[]), outcome(Transport::WebSocket, 2, &[])];
    judged(outcomes, &["delivery.p99 > 50ms", "lost > 0"])
}

pub(super) fn over_http2() -> LoadReport {
    let mut report = twice();
    report.outcomes[0].run.streams_per_connection = Some(100);
    report
}

/// The server compresses WebSockets, and no event streams.
pub(super) fn compressed() -> LoadReport {
    let mut report = twice();
    for outcome in &mut report.outcomes {
        outcome.run.compress = true;
    }
    let intervals = &mut report.outcomes[1].intervals;
    intervals.iter_mut().take(2).for_each(|it| it.counters.add(Counter::Compressed, 5000));
    report
}

pub(super) fn rounds() -> LoadReport {
    let round = |number| {
        [(Transport::Sse, 10), (Transport::WebSocket, 12)].map(|(transport, slower)| {
            let mut outcome = outcome(transport, slower + u64::from(number % 3), &[]);
            outcome.run.round = number;
            outcome
        })
    };
    judged((1..=4).flat_map(round).collect(), &[])
}

/// Two transports against the same process of a server, which keeps what the first one needed.
pub(super) fn warm() -> LoadReport {
    let mut outcomes = vec![outcome(Transport::Sse, 1, &[]), outcome(Transport::WebSocket, 1, &[])];
    for (outcome, kept) in outcomes.iter_mut().zip([0, 30_000_000]) {
        let servers = outcome.resources.samples.iter_mut();
        for server in servers.filter_map(|sample| sample.server.as_mut()) {
            server.root = 4711;
            server.private += kept;
        }
    }
    judged(outcomes, &["memory.server > 20KiB"])
}

/// Forty requests with twenty tokens each, of which so many came in one read with another.
pub(super) fn requests(in_one_read: u64) -> LoadReport {
    let mut outcome = outcome(Transport::Sse, 1, &[]);
    outcome.run.objectives = vec!["ttft < 500 ms".into()];
    let mut interval = Interval { open: 9, ..Interval::default() };
    for (counter, count) in [
        (Counter::Arrivals, 40),
        (Counter::Streams, 40),
        (Counter::Events, 840),
        (Counter::Unsequenced, 840),
        (Counter::Bytes, 90_000),
        (Counter::Completed, 39),
        (Counter::Good, 30),
        (Counter::Tokens, 800),
        (Counter::Unresolved, 40 * in_one_read),
    ] {
        interval.counters.add(counter, count);
    }
    for (metric, count, time) in [
        (Metric::Ttft, 40, 321_000_000),
        (Metric::Itl, 40 * (19 - in_one_read), 25_000_000),
        (Metric::EndToEnd, 39, 801_000_000),
    ] {
        let histogram = interval.histograms.entry(metric).or_default();
        (0..count).for_each(|n| histogram.record(time + n * 10_000));
    }
    outcome.intervals = vec![interval];
    outcome.resources.samples.clear();
    judged(vec![outcome], &[])
}

/// A server whose events have no stamp, and a number that was found.
pub(super) fn unstamped() -> LoadReport {
    let mut outcome = outcome(Transport::Sse, 1, &[]);
    outcome.run.stamp = "none".into();
    outcome.run.sequence = "id".into();
    outcome.run.found = vec![
        "latency not measured: `data.E` and `data.T` may each be the time of the event; choose one, as in --stamp /E:ms".into(),
        "loss counted by `id` (found in the first events)".into(),
    ];
    for interval in &mut outcome.intervals {
        interval.histograms.remove(&Metric::Delivery);
    }
    outcome.resources.samples.iter_mut().for_each(|sample| sample.server = None);
    judged(vec![outcome], &["delivery.p99 > 50ms", "lost > 0"])
}

pub(super) fn all() -> Vec<LoadReport> {
    let none = LoadReport::default();
    let most = [good(), broken(), saturated(), partial(), hung(), twice(), warm(), rounds()];
    let more = [over_http2(), compressed(), requests(0), requests(19), unstamped()];
    [none].into_iter().chain(most).chain(more).collect()
}
