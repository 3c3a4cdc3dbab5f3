//! The results in rows and sentences: the same in every report for people.

use std::time::Duration;

use sseproof_load_model::threshold::Subject;
use sseproof_load_model::{
    Counter, Counters, ErrorKind, Estimate, Figure, Histogram, Metric, Offset, Share,
};
use sseproof_units::{self as units, Dimension, Value, counted};

use super::JudgedThreshold;
use super::grid::Grid;
use super::side::Side;

/// The percentiles in hundredths of a percent.
pub const PERCENTILES: [(&str, u16); 5] =
    [("p50", 5000), ("p90", 9000), ("p99", 9900), ("p99.9", 9990), ("p99.99", 9999)];

/// The columns that a narrow page lacks, in the order of removal.
pub const SPARE: [&str; 3] = ["p90", "p99.99", "p99.9"];

pub const NONE: &str = "–";

/// The percentile, if there are enough samples for one to lie above it: p99.99 of 500 times would
/// be their maximum under another name.
pub fn percentile(histogram: &Histogram, hundredths: u16) -> Option<u64> {
    let share = f64::from(hundredths) / 10_000.0;
    has_percentile(histogram, share).then(|| histogram.quantile(share))
}

pub fn has_percentile(histogram: &Histogram, share: f64) -> bool {
    // A share such as 0.9999 is rounded.
    histogram.count() as f64 * (1.0 - share) + 1e-6 >= 1.0
}

pub fn nanoseconds(time: u64) -> String {
    units::duration(Duration::from_nanos(time))
}

pub fn times(side: &Side<'_>) -> Grid {
    let head = ["", "count"].into_iter().chain(PERCENTILES.map(|(name, _)| name)).chain(["max"]);
    let row = |metric: Metric| {
        let histogram = side.total.histogram(metric)?;
        let time = |time: u64| match (metric, time) {
            // Events of one read have one time.
            (Metric::Gap, 0) => "one read".to_owned(),
            (_, time) => nanoseconds(time),
        };
        let shown = |hundredths| percentile(histogram, hundredths).map_or(NONE.into(), time);
        let mut row = vec![metric.key().to_owned(), units::count(histogram.count())];
        row.extend(PERCENTILES.map(|(_, hundredths)| shown(hundredths)));
        row.push(time(histogram.max()));
        Some(row)
    };
    Grid {
        head: head.map(str::to_owned).collect(),
        rows: Metric::ALL.into_iter().filter_map(row).collect(),
    }
}

pub struct Facts {
    pub label: &'static str,
    pub parts: Vec<String>,
    pub bad: Vec<String>,
}

impl Facts {
    fn new(label: &'static str) -> Self {
        Self { label, parts: Vec::new(), bad: Vec::new() }
    }

    fn part(&mut self, count: u64, text: impl FnOnce(String) -> String) {
        if count > 0 {
            self.parts.push(text(units::count(count)));
        }
    }

    fn bad(&mut self, count: u64, text: impl FnOnce(String) -> String) {
        if count > 0 {
            self.bad.push(text(units::count(count)));
        }
    }
}

pub fn facts(side: &Side<'_>) -> Vec<Facts> {
    let counters = &side.total.counters;
    let all = [
        connections(side, counters),
        requests(side, counters),
        compression(side, counters),
        events(side, counters),
        delivery(counters),
        clocks(side, counters),
        published(counters),
    ];
    all.into_iter().filter(|facts| !facts.parts.is_empty() || !facts.bad.is_empty()).collect()
}

fn connections(side: &Side<'_>, counters: &Counters) -> Facts {
    let count = |counter| counters.count(counter);
    let mut facts = Facts::new("connections");
    let (asked, reconnects) = (count(Counter::Arrivals), count(Counter::Reconnects));
    let got = count(Counter::Streams).saturating_sub(reconnects);
    if got < asked {
        let got = units::count(got);
        facts.bad.push(format!("{got} of {} got a stream", counted(asked, "arrival")));
        facts.bad.extend(
            unopened(side)
                .into_iter()
                .map(|(_, count, how)| format!("{} {how}", units::count(count))),
        );
    } else {
        facts.part(asked, |count| format!("{count} requested, and all got a stream"));
    }
    facts.part(side.most_open(), |count| format!("{count} open at most"));
    if let Some(streams) = side.streams_per_connection() {
        let streams = counted(streams, "stream");
        facts.part(count(Counter::Connected), |count| {
            format!("on {count} of HTTP/2, with up to {streams} each")
        });
    }
    facts.part(reconnects, |count| format!("{count} reconnected"));
    facts.part(count(Counter::Ended), |count| format!("{count} ended by the server"));
    facts.part(count(Counter::Closed), |count| format!("{count} closed by the plan"));
    facts
}

/// How the arrivals fared that never got a stream: how many, and in words.
pub fn unopened(side: &Side<'_>) -> Vec<(Counter, u64, String)> {
    let counters = &side.total.counters;
    let waited = side.total.histogram(Metric::Wait).map(|waits| {
        let [least, most] = [waits.min(), waits.max()].map(nanoseconds);
        if least == most { most } else { format!("{least} to {most}") }
    });
    let errors = |counter| {
        let of_it =
            counters.errors_with_kinds().filter(|(_, kind)| kind.ends_as() == Some(counter));
        let texts: Vec<_> = of_it.map(|(text, _)| text).take(3).collect();
        if texts.is_empty() { String::new() } else { format!(" ({})", texts.join(", ")) }
    };
    let all = [
        (
            Counter::Unanswered,
            format!(
                "connected, but got no response headers (waited {})",
                waited.unwrap_or_default()
            ),
        ),
        (
            Counter::Rejected,
            format!("got a response without a stream, or an error{}", errors(Counter::Rejected)),
        ),
        (Counter::Unconnected, format!("got no connection{}", errors(Counter::Unconnected))),
    ];
    let all = all.into_iter().map(|(counter, how)| (counter, counters.count(counter), how));
    all.filter(|(_, count, _)| *count > 0).collect()
}

fn requests(side: &Side<'_>, counters: &Counters) -> Facts {
    let count = |counter| counters.count(counter);
    let mut facts = Facts::new("requests");
    let share = |share: Share| match share.value(counters) {
        Some(share) => {
            format!(" ({})", (Value::new(share, Dimension::Share)))
        }
        None => String::new(),
    };
    facts.part(count(Counter::Completed), |count| {
        format!("{count} completed{}", share(Share::Completed))
    });
    let objectives = side.rounds.first().map_or(&[][..], |round| &round.run.objectives);
    if !objectives.is_empty() {
        let (good, objectives) = (count(Counter::Good), objectives.join(", "));
        let of = if good > 0 { &mut facts.parts } else { &mut facts.bad };
        of.push(format!("{} good{}: {objectives}", units::count(good), share(Share::Good)));
    }
    facts.part(count(Counter::Tokens), |count| match rate(side, Counter::Tokens) {
        Some(rate) => format!("{count} events with tokens, {}", rate),
        None => format!("{count} events with tokens"),
    });
    facts.part(count(Counter::Unresolved), |count| {
        format!("{count} of them in one read with the token before, so without a gap (itl)")
    });
    facts
}

pub const COMPRESSION: &str = "compression";

fn compression(side: &Side<'_>, counters: &Counters) -> Facts {
    let mut facts = Facts::new(COMPRESSION);
    let (streams, compressed) =
        (counters.count(Counter::Streams), counters.count(Counter::Compressed));
    if streams == 0 || !side.rounds.iter().any(|round| round.run.compress) {
        return facts;
    }
    let of = counted(streams, "stream");
    match compressed {
        0 => facts.bad.push(format!("the server compressed none of {of}, though all offered it")),
        all if all == streams => facts.parts.push(format!("all of {of}")),
        some => facts.bad.push(format!("only {} of {of}", units::count(some))),
    }
    facts
}

fn events(side: &Side<'_>, counters: &Counters) -> Facts {
    let mut facts = Facts::new("events");
    let (events, bytes) = (counters.count(Counter::Events), counters.count(Counter::Bytes));
    facts.part(events, |count| format!("{count} arrived"));
    if events == 0 {
        facts.bad.push("none arrived".to_owned());
    }
    facts.parts.extend(rate(side, Counter::Events).map(|rate| rate.to_string()));
    facts.parts.extend(
        per_event(side)
            .map(|each| format!("{} on the wire per event, including framing and headers", each)),
    );
    if bytes > 0 {
        facts.parts.push(format!("{} in total", (Value::bytes(bytes as f64))));
    }
    facts
}

fn delivery(counters: &Counters) -> Facts {
    let count = |counter| counters.count(counter);
    let (events, unsequenced) = (count(Counter::Events), count(Counter::Unsequenced));
    let mut facts = Facts::new("delivery");
    if events > 0 && events <= unsequenced {
        // A response to a request needs no sequence numbers.
        if count(Counter::Completed) == 0 {
            facts.parts.push(
                "lost, duplicated and reordered events are unknown: no event had a sequence number"
                    .to_owned(),
            );
        }
    } else if events > 0 {
        for (counter, word) in [
            (Counter::Lost, "lost"),
            (Counter::Duplicated, "duplicated"),
            (Counter::Reordered, "reordered"),
        ] {
            let of = if count(counter) > 0 { &mut facts.bad } else { &mut facts.parts };
            of.push(format!("{} {word}", units::count(count(counter))));
        }
        facts.bad(unsequenced, |count| format!("{count} without a sequence number"));
    }
    facts.part(count(Counter::Unread), |count| {
        format!("{count} not yet read by slow clients (not lost)")
    });
    facts.bad(count(Counter::Unstamped), |count| format!("{count} without a stamp"));
    facts.bad(count(Counter::Negative), |count| {
        format!("{count} stamped later than they arrived: the clocks differ")
    });
    facts
}

pub const CLOCKS: &str = "clocks";

/// The difference of the clocks, if there is one: it is part of each latency from a stamp of the
/// server.
fn clocks(side: &Side<'_>, counters: &Counters) -> Facts {
    let mut facts = Facts::new(CLOCKS);
    let latencies = side.total.histogram(Metric::Delivery);
    let negative = counters.count(Counter::Negative);
    // The stamps of what the generator publishes are of its own clock.
    let has_own = counters.count(Counter::Published) > 0
        && side.rounds.iter().any(|round| matches!(&*round.run.stamp, "" | "own"));
    let is_stamped = (latencies.is_some() || negative > 0) && !has_own;
    let Some(offset) = side.total.offset.filter(|_| is_stamped) else { return facts };
    // Events that came before their stamp show that the server's clock is fast, but not how much.
    let shortest = latencies.map(Histogram::min).filter(|_| negative == 0);
    let shortest = shortest.unwrap_or(if negative > 0 { 0 } else { u64::MAX });
    let offset = offset.and(Offset::of_latency(shortest));
    let [one, other] = [offset.least, offset.most].map(i64::unsigned_abs);
    if offset.difference().is_some() {
        let (word, effect) = if offset.least > 0 { ("fast", "short") } else { ("slow", "long") };
        facts.bad.push(format!(
            "the server's is {} to {} {word}, by the Date of its responses: latencies from its stamps are that much too {effect}",
            nanoseconds(one.min(other)),
            nanoseconds(one.max(other)),
        ));
    } else {
        let most = if offset.least > offset.most {
            String::new()
        } else {
            format!(" (by the Date of its responses at most {})", nanoseconds(one.max(other)))
        };
        facts.parts.push(format!(
            "the server is on another machine: latencies from its stamps include the unknown difference of the clocks{most}"
        ));
    }
    facts
}

fn published(counters: &Counters) -> Facts {
    let mut facts = Facts::new("published");
    facts.part(counters.count(Counter::Published), |count| format!("{count} by the generator"));
    facts.bad(counters.count(Counter::PublishFailed), |count| format!("{count} failed"));
    facts
}

/// The number per second of the run, if there are any.
pub fn rate(side: &Side<'_>, counter: Counter) -> Option<Value> {
    side.value(Subject::Rate(counter)).filter(|rate| rate.amount > 0.0)
}

pub fn per_event(side: &Side<'_>) -> Option<Value> {
    side.value(Subject::BytesPerEvent).filter(|bytes| bytes.amount > 0.0)
}

pub fn errors(side: &Side<'_>) -> Vec<(String, u64, String)> {
    let meaning = |key: &str| match ErrorKind::of(key) {
        Some(ErrorKind::Status(code)) => format!("the server answered with status {code}"),
        Some(kind) => kind.definition().to_owned(),
        None => String::new(),
    };
    let errors = side.total.counters.errors();
    let mut errors: Vec<_> =
        errors.map(|(key, count)| (key.to_owned(), count, meaning(key))).collect();
    errors.sort_by_key(|(_, count, _)| std::cmp::Reverse(*count));
    errors
}

/// A figure in a few words; its definition has the details.
fn words(figure: Figure) -> &'static str {
    match figure {
        Figure::MemoryServer | Figure::MemoryGenerator => "private memory per connection",
        Figure::MemoryServerBase | Figure::MemoryGeneratorBase => {
            "private memory without connections"
        }
        Figure::MemoryServerPss | Figure::MemoryGeneratorPss => {
            "proportional set size (PSS) per connection"
        }
        Figure::MemoryServerAllIn | Figure::MemoryGeneratorAllIn => {
            "total PSS ÷ connections at the peak"
        }
        Figure::MemoryServerFirstEvent | Figure::MemoryGeneratorFirstEvent => {
            "more per connection after its first event"
        }
        Figure::MemoryServerKept => "kept per stream after all had disconnected",
        Figure::MemoryKernel => "slabs per connection (both ends, if local)",
        Figure::MemoryKernelTcp => "charged by TCP; partly slabs, so do not add",
        Figure::MemoryKernelSockets => "slabs of sockets only, per connection",
        Figure::CpuServer | Figure::CpuGenerator => "processor time per event",
        Figure::CpuServerShare | Figure::CpuGeneratorShare => "of one core at the peak",
        Figure::CpuServerIdle | Figure::CpuGeneratorIdle => "per idle connection and second",
    }
}

pub fn costs(side: &Side<'_>) -> Vec<[String; 3]> {
    let row = |(figure, estimate): (Figure, &Estimate)| {
        let words = words(figure);
        let words = match side.streams_per_connection() {
            None => words.to_owned(),
            // On a shared connection, the costs are those of a stream.
            Some(_) => words.replace("connection", "stream"),
        };
        [figure.key().to_owned(), estimate.to_string(), words]
    };
    side.figures.measured().map(row).collect()
}

pub fn method(side: &Side<'_>) -> Option<String> {
    let is_measured =
        side.figures.measured().any(|(figure, _)| figure.key().starts_with("memory."));
    let cost = side.figures.first.as_ref().filter(|cost| cost.points > 1 && is_measured)?;
    let points = match (cost.plateaus, cost.points) {
        (true, points) => format!("{points} plateaus"),
        (false, points) => format!("{points} readings during the ramp"),
    };
    let idle = if cost.idle { ", before the first event" } else { "" };
    let each = if side.streams_per_connection().is_some() { "stream" } else { "connection" };
    let peak = counted(cost.peak, each);
    Some(format!("lines through {points}, up to {peak}{idle}; ± is 95 % confidence"))
}

pub fn missing(side: &Side<'_>) -> Vec<String> {
    let reasons = side.figures.missing().into_iter();
    reasons.map(|(why, keys)| format!("{}: {why}", keys.join(", "))).collect()
}

pub fn is_of_generator(metric: Metric) -> bool {
    matches!(metric, Metric::Lateness | Metric::LoopLag)
}

/// The definition of a threshold's subject, up to its first semicolon.
pub fn meaning(judged: &JudgedThreshold) -> Option<String> {
    let subject = judged.threshold.subject.to_string();
    let start = subject.split('.').next().unwrap_or_default();
    let text = if let Some(figure) = Figure::of(&subject) {
        figure.definition().to_owned()
    } else if let Some(metric) = Metric::of(start) {
        let definition = metric.definition();
        format!("{}: {}", definition.name, definition.formula)
    } else if let Some(kind) = subject.strip_prefix("errors.").and_then(ErrorKind::of) {
        kind.definition().to_owned()
    } else {
        Counter::of(start)?.definition().to_owned()
    };
    text.split(';').next().map(str::to_owned)
}
