//! Clients, rate and latencies over time.

use std::time::Duration;

use maud::{Markup, html};
use sseproof_load_model::{Counter, Interval, Metric, Outcome};
use sseproof_report::load::side::Side;
use sseproof_report::load::summary::has_requests;
use sseproof_units::{Dimension, Value, count, duration};

use crate::document::{Section, scroll};
use crate::quoted::line;
use crate::svg::{Axis, Chart, Scale, Series, Shade, legend};

/// Points of a line; a longer run has several intervals in each.
const POINTS: usize = 400;
/// Rows of the table.
const ROWS: usize = 60;
/// The share of the most clients that count as all of them.
const FULL: f64 = 0.99;

/// Intervals that follow each other, joined.
struct Point {
    /// Seconds since the start, at its end.
    at: f64,
    seconds: f64,
    interval: Interval,
}

impl Point {
    /// Events per second.
    fn rate(&self) -> f64 {
        self.interval.counters.count(Counter::Events) as f64 / self.seconds.max(1e-3)
    }
}

pub(super) fn section(sides: &[Side<'_>]) -> Option<Section> {
    let has_time = sides.iter().flat_map(|side| &side.rounds).any(|one| one.intervals.len() > 1);
    has_time.then(|| Section {
        id: "time",
        title: "Over time".to_owned(),
        short: "over time".to_owned(),
        body: html! { @for side in sides { (one(side, sides.len() > 1)) } },
    })
}

fn points(outcome: &Outcome, most: usize) -> Vec<Point> {
    let each = Duration::from_millis(outcome.run.interval_ms).as_secs_f64();
    let size = outcome.intervals.len().div_ceil(most).max(1);
    let joined = outcome.intervals.chunks(size).map(|chunk| {
        let mut interval = Interval::default();
        for one in chunk {
            interval.total(one);
            interval.open = one.open;
        }
        let last = chunk.last().map_or(0, |one| one.index);
        Point {
            at: last.saturating_add(1) as f64 * each,
            seconds: each * chunk.len() as f64,
            interval,
        }
    });
    joined.collect()
}

/// The state of the clients in a part of a run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Connecting,
    Connected,
    /// Some connect again after their connection was cut.
    Reconnecting,
    Disconnecting,
}

impl Phase {
    const fn words(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Connected => "all connected",
            Self::Reconnecting => "reconnecting",
            Self::Disconnecting => "disconnecting",
        }
    }
}

/// The phases of a run, from one to the next; the plan is not part of a result, so they are those that
/// happened.
fn phases(points: &[Point]) -> Vec<Shade> {
    let peak = points.iter().map(|point| point.interval.open).max().unwrap_or_default();
    let is_full = |point: &Point| peak > 0 && point.interval.open as f64 >= FULL * peak as f64;
    let first = points.iter().position(is_full).unwrap_or(points.len());
    let of = |at: usize| match &points[at] {
        point if point.interval.counters.count(Counter::Reconnects) > 0 => Phase::Reconnecting,
        point if is_full(point) => Phase::Connected,
        _ if at < first => Phase::Connecting,
        _ => Phase::Disconnecting,
    };
    let mut shades: Vec<Shade> = Vec::new();
    let mut last = None;
    for (at, point) in points.iter().enumerate() {
        let phase = of(at);
        match shades.last_mut() {
            Some(shade) if last == Some(phase) => shade.to = point.at,
            _ => {
                // All are connected at the end of the interval in which the last one connects.
                let from = match shades.last_mut() {
                    Some(before) if phase == Phase::Connected => {
                        before.to = point.at;
                        point.at
                    }
                    Some(before) => before.to,
                    None => 0.0,
                };
                let is_marked = matches!(phase, Phase::Connected | Phase::Reconnecting);
                shades.push(Shade { from, to: point.at, words: phase.words(), is_marked });
            }
        }
        last = Some(phase);
    }
    shades
}

fn one(side: &Side<'_>, is_named: bool) -> Markup {
    let rounds: Vec<Vec<Point>> = side.rounds.iter().map(|one| points(one, POINTS)).collect();
    let metric = if has_requests(side) { Metric::Ttft } else { Metric::Delivery };
    let end = rounds.iter().flatten().map(|point| point.at).fold(0.0, f64::max);
    let shaded = match has_requests(side) {
        true => Vec::new(),
        false => rounds.first().map(|first| phases(first)).unwrap_or_default(),
    };
    let time = || Axis {
        scale: Scale::to(end, Chart::ACROSS),
        name: "time",
        words: &|seconds| match seconds {
            0.0 => "0".to_owned(),
            _ => duration(Duration::from_secs_f64(seconds.max(0.0))),
        },
        ticks: 6,
        unit: if end > 180.0 { 60.0 } else { 1.0 },
    };
    let simple = |title: &str,
                  name: &'static str,
                  words: &dyn Fn(f64) -> String,
                  of: &dyn Fn(&Point) -> f64| {
        let most = rounds.iter().flatten().map(of).fold(0.0, f64::max);
        let series = rounds.iter().map(|round| Series {
            line: round.iter().map(|point| (point.at, of(point))).collect(),
            ..Series::default()
        });
        let chart = Chart {
            title: format!("{}: {title}", side.name),
            x: time(),
            y: Axis { scale: Scale::to(most * 1.05, Chart::UP), name, words, ticks: 4, unit: 1.0 },
            shaded: shaded.clone(),
            series: series.collect(),
        };
        chart.svg()
    };
    let latencies: Vec<u64> = rounds
        .iter()
        .flatten()
        .filter_map(|point| point.interval.histogram(metric))
        .flat_map(|all| [all.quantile(0.5), all.quantile(0.99)])
        .collect();
    let many = if rounds.len() > 1 { "; one line for each round" } else { "" };
    let shade = if shaded.is_empty() { "" } else { "; the phases of the first round are named" };
    html! {
        @if is_named { h3 { (line(&side.name)) } }
        h4 { "Streams that are open" }
        p.faint { "At the end of each interval" (many) (shade) "." }
        (simple("streams that are open, over time", "streams", &|value| count(value as u64), &|point| point.interval.open as f64))
        h4 { "Events per second" }
        (simple("events per second, over time", "events/s", &|value| Value::new(value, Dimension::Count).to_string(), &Point::rate))
        @if !latencies.is_empty() {
            h4 { (metric.definition().name) }
            (legend([(0, false, "p50"), (1, true, "p99")]))
            (latency(side, metric, &rounds, time(), &shaded, &latencies))
        }
        (table(side, metric))
    }
}

fn latency(
    side: &Side<'_>,
    metric: Metric,
    rounds: &[Vec<Point>],
    x: Axis<'_>,
    shaded: &[Shade],
    all: &[u64],
) -> Markup {
    let least = all.iter().copied().filter(|value| *value > 0).min().unwrap_or(1);
    let most = all.iter().copied().max().unwrap_or(1);
    let of = |round: &[Point], share: f64| {
        let value = |point: &Point| point.interval.histogram(metric).map(|all| all.quantile(share));
        round
            .iter()
            .map(|point| (point.at, value(point).map_or(f64::NAN, |value| value as f64)))
            .collect()
    };
    let series = rounds.iter().flat_map(|round| {
        [(0, 0.5), (1, 0.99)].map(|(colour, share)| Series {
            colour,
            is_dashed: colour == 1,
            line: of(round, share),
            ..Series::default()
        })
    });
    let chart = Chart {
        title: format!("{}: {}, p50 and p99 over time", side.name, metric.definition().name),
        x,
        y: Axis {
            scale: Scale::log(least as f64, most as f64, Chart::UP),
            name: "logarithmic",
            words: &|value| Value::time(value).to_string(),
            ticks: 4,
            unit: 1.0,
        },
        shaded: shaded.to_vec(),
        series: series.collect(),
    };
    chart.svg()
}

/// The values of the first round.
fn table(side: &Side<'_>, metric: Metric) -> Markup {
    let Some(first) = side.rounds.first() else { return html! {} };
    let time = |point: &Point, share: f64| {
        let value = point.interval.histogram(metric).map(|all| all.quantile(share));
        value.map_or("–".to_owned(), |value| duration(Duration::from_nanos(value)))
    };
    html! {
        details.more {
            summary { "Values over time" }
            (scroll("Values over time", &html! { table {
                caption { (line(&side.name)) ", round " (first.run.round) }
                thead { tr {
                    th.right scope="col" { "Until" } th.right scope="col" { "Open" }
                    th.right scope="col" { "Events/s" } th.right scope="col" { "p50" } th.right scope="col" { "p99" }
                } }
                tbody { @for point in points(first, ROWS) {
                    tr {
                        th.number.right scope="row" { (duration(Duration::from_secs_f64(point.at))) }
                        td.number { (count(point.interval.open)) }
                        td.number { (Value::new(point.rate(), Dimension::Count)) }
                        td.number { (time(&point, 0.5)) }
                        td.number { (time(&point, 0.99)) }
                    }
                } }
            } }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_has_phases() {
        let point = |at: u32, open: u64, reconnects: u64| {
            let mut interval = Interval { open, ..Interval::default() };
            interval.counters.add(Counter::Reconnects, reconnects);
            Point { at: f64::from(at), seconds: 1.0, interval }
        };
        let points = [
            point(1, 50, 0),
            point(2, 100, 0),
            point(3, 100, 0),
            point(4, 60, 5),
            point(5, 100, 35),
            point(6, 100, 0),
            point(7, 10, 0),
        ];
        let all: Vec<_> =
            phases(&points).into_iter().map(|one| (one.words, one.from, one.to)).collect();
        assert_eq!(
            all,
            [
                ("connecting", 0.0, 2.0),
                ("all connected", 2.0, 3.0),
                ("reconnecting", 3.0, 6.0),
                ("all connected", 6.0, 6.0),
                ("disconnecting", 6.0, 7.0),
            ]
        );
        assert!(phases(&[]).is_empty());
    }
}
