//! Memory of the server against connections: the readings, the line, its slope and interval.

use maud::{Markup, html};
use sseproof_load_model::{Estimate, Figure, Outcome, Sample, ramp};
use sseproof_report::load::facts;
use sseproof_report::load::side::Side;
use sseproof_units::{Value, count};

use crate::document::Section;
use crate::quoted::line;
use crate::svg::{Axis, Chart, Scale, Series, unit_of_bytes};

/// Readings that have a dot.
const DOTS: usize = 200;

pub(super) fn section(sides: &[Side<'_>]) -> Option<Section> {
    let charts: Vec<Markup> = sides.iter().filter_map(one).collect();
    (!charts.is_empty()).then(|| Section {
        id: "memory",
        title: "Memory against connections".to_owned(),
        short: "memory".to_owned(),
        body: html! { @for chart in charts { (chart) } },
    })
}

/// Of the first round that has a line, as the figure is.
fn one(side: &Side<'_>) -> Option<Markup> {
    let figures = &side.figures;
    let slope = figures.figure(Figure::MemoryServer)?;
    let base = figures.figure(Figure::MemoryServerBase)?;
    let at =
        side.compared.iter().position(|round| round.cost.figure(Figure::MemoryServer).is_ok())?;
    let outcome: &Outcome = side.rounds.get(at)?;
    let points = points(&ramp(outcome));
    let most_open = points.iter().map(|(open, _)| *open).fold(0.0, f64::max);
    let most = points
        .iter()
        .map(|(_, bytes)| *bytes)
        .fold(base.value.amount + slope.value.amount * most_open, f64::max);
    let words = |(open, bytes): (f64, f64)| {
        format!("{} connections: {}", count(open as u64), Value::bytes(bytes))
    };
    let dots = points.iter().take(DOTS).map(|point| (point.0, point.1, words(*point)));
    let chart = Chart {
        title: format!("{}: private memory of the server against connections", side.name),
        x: Axis {
            scale: Scale::to(most_open * 1.02, Chart::ACROSS),
            name: "connections",
            words: &|open| count(open as u64),
            ticks: 6,
            unit: 1.0,
        },
        y: Axis {
            scale: Scale::to(most * 1.05, Chart::UP),
            name: "private memory",
            words: &|bytes| Value::bytes(bytes).to_string(),
            ticks: 4,
            unit: unit_of_bytes(most),
        },
        shaded: Vec::new(),
        series: vec![Series {
            colour: 0,
            line: [0.0, most_open]
                .map(|open| (open, base.value.amount + slope.value.amount * open))
                .into(),
            dots: dots.collect(),
            band: band(slope, base, &points),
            ..Series::default()
        }],
    };
    Some(html! {
        h3 { (line(&side.name)) ": " (slope.to_string()) " per connection, and " (base.to_string()) " without any" }
        @if let Some(method) = facts::method(side) { p.faint { (line(&method)) } }
        (chart.svg())
        details.more {
            summary { "Readings" }
            table {
                thead { tr { th.right scope="col" { "Connections" } th.right scope="col" { "Private memory" } } }
                tbody { @for (open, bytes) in points.iter().take(DOTS) {
                    tr { th.number.right scope="row" { (count(*open as u64)) } td.number { (Value::bytes(*bytes)) } }
                } }
            }
        }
    })
}

fn points(samples: &[&Sample]) -> Vec<(f64, f64)> {
    let points = samples
        .iter()
        .filter_map(|sample| Some((sample.open as f64, sample.server?.private as f64)));
    points.collect()
}

/// The lines of the least and of the greatest slope, which cross at the middle of the readings.
fn band(slope: &Estimate, base: &Estimate, points: &[(f64, f64)]) -> Vec<(f64, f64, f64)> {
    let Some((low, high)) = slope.interval else { return Vec::new() };
    let middle = points.iter().map(|(open, _)| open).sum::<f64>() / points.len().max(1) as f64;
    let height = base.value.amount + slope.value.amount * middle;
    let most = points.iter().map(|(open, _)| *open).fold(0.0, f64::max);
    let at = |open: f64, slope: f64| height + slope * (open - middle);
    let edges = [0.0, middle, most].map(|open| {
        let (one, other) = (at(open, low), at(open, high));
        (open, one.min(other), one.max(other))
    });
    edges.into()
}
