//! The curve of percentiles, on the axis of HdrHistogram's plotter: each further nine is as wide as
//! the one before.

use maud::{Markup, html};
use sseproof_load_model::{Histogram, Metric};
use sseproof_report::load::facts;
use sseproof_report::load::side::Side;
use sseproof_report::load::summary::has_requests;
use sseproof_units::Value;

use super::grid;
use crate::document::Section;
use crate::quoted::line;
use crate::svg::{Axis, Chart, Scale, Series, Shade, legend};

/// Points of a line for each nine.
const STEPS: u32 = 20;
/// The most nines.
const NINES: f64 = 6.0;
/// With fewer samples above it, a percentile is chance.
const FEWEST: f64 = 10.0;

pub(super) fn section(sides: &[Side<'_>]) -> Option<Section> {
    let metrics: &[Metric] = match sides.iter().any(has_requests) {
        true => &[Metric::Ttft, Metric::Itl, Metric::EndToEnd],
        false => &[Metric::Delivery, Metric::FirstEvent, Metric::Connect],
    };
    let charts: Vec<Markup> = metrics.iter().filter_map(|metric| curve(sides, *metric)).collect();
    (!charts.is_empty()).then(|| Section {
        id: "percentiles",
        title: "Percentiles".to_owned(),
        short: "percentiles".to_owned(),
        body: html! {
            p.faint { "A curve ends where no sample is left; where it is shaded, fewer than " (FEWEST) " samples lie above, so it is chance." }
            @for chart in charts { (chart) }
            @for side in sides { (grid(&side.name, &facts::times(side))) }
        },
    })
}

fn curve(sides: &[Side<'_>], metric: Metric) -> Option<Markup> {
    let all: Vec<(usize, &Side<'_>, &Histogram)> = sides
        .iter()
        .enumerate()
        .filter_map(|(at, side)| Some((at, side, side.total.histogram(metric)?)))
        .collect();
    let least = all.iter().map(|(.., histogram)| histogram.min()).filter(|min| *min > 0).min();
    let most = all.iter().map(|(.., histogram)| histogram.max()).max()?;
    let samples = all.iter().map(|(.., histogram)| histogram.count()).max()? as f64;
    let nines = samples.log10().ceil().clamp(1.0, NINES);
    let few = all.iter().map(|(.., histogram)| histogram.count()).min()? as f64;
    let series = all.iter().map(|(at, _, histogram)| Series {
        colour: *at,
        line: line_of(histogram, nines),
        ..Series::default()
    });
    let name = metric.definition().name;
    let names: Vec<&str> = all.iter().map(|(_, side, _)| &*side.name).collect();
    let chart = Chart {
        title: format!("{name} by percentile: {}", names.join(", ")),
        x: Axis {
            scale: Scale::Percentile { nines, pixels: Chart::ACROSS },
            name: "percentile",
            words: &|share| percent(share),
            ticks: 0,
            unit: 1.0,
        },
        y: Axis {
            scale: Scale::log(least.unwrap_or(1) as f64, most as f64, Chart::UP),
            name: "logarithmic",
            words: &|value| Value::time(value).to_string(),
            ticks: 4,
            unit: 1.0,
        },
        shaded: vec![Shade {
            from: (1.0 - FEWEST / few).max(0.0),
            to: 1.0,
            words: "",
            is_marked: true,
        }],
        series: series.collect(),
    };
    Some(html! {
        h3 { (line(name)) }
        @if sides.len() > 1 { (legend(all.iter().map(|(at, side, _)| (*at, false, &*side.name)))) }
        (chart.svg())
    })
}

/// Up to the last sample.
fn line_of(histogram: &Histogram, nines: f64) -> Vec<(f64, f64)> {
    let last = 1.0 - 1.0 / (histogram.count().max(1) as f64);
    let steps = (nines * f64::from(STEPS)) as u32;
    let shares = (0..=steps).map(|step| 1.0 - 10f64.powf(-f64::from(step) / f64::from(STEPS)));
    let shares = shares.take_while(|share| *share < last).chain([last]);
    shares.map(|share| (share, histogram.quantile(share).max(1) as f64)).collect()
}

/// `99.9 %`.
fn percent(share: f64) -> String {
    let digits = (-(1.0 - share).log10()).round() as usize;
    format!("{:.*} %", digits.saturating_sub(2), share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_a_percentage_without_rounding() {
        let all = [0.0, 0.5, 0.9, 0.99, 0.999, 0.9999].map(percent);
        assert_eq!(all, ["0 %", "50 %", "90 %", "99 %", "99.9 %", "99.99 %"]);
    }
}
