//! The sides of a load next to each other, and the ratio of the second to the first.

use sseproof_load_model::compare::{FEWEST_ROUNDS, Finding, Pairing, Ratio, compare};
use sseproof_load_model::threshold::Subject;
use sseproof_load_model::{Counter, Estimate, Figure, Metric};
use sseproof_units::{self as units, counted};

use super::facts::{NONE, PERCENTILES, is_of_generator, nanoseconds, per_event, percentile, rate};
use super::grid::Grid;
use super::side::Side;

/// Why a side lacks figures that another one has, each with their keys.
pub fn gaps(sides: &[Side<'_>]) -> Vec<String> {
    let is_elsewhere = |key: &str| sides.iter().any(|side| side.figures.value(key).is_some());
    let of = |side: &Side<'_>| -> Vec<String> {
        let reasons = side.figures.missing().into_iter().map(|(why, mut keys)| {
            keys.retain(|key| is_elsewhere(key));
            (why, keys)
        });
        let reasons = reasons.filter(|(_, keys)| !keys.is_empty());
        reasons.map(|(why, keys)| format!("{}: {}: {why}", side.name, keys.join(", "))).collect()
    };
    sides.iter().flat_map(of).collect()
}

/// The values that all sides have, side by side; costs with their error, if wanted.
pub fn comparison(sides: &[Side<'_>], off: bool) -> Grid {
    let cost = |estimate: &Estimate| {
        let is_noise = estimate.value.amount <= 0.0;
        if off || is_noise { estimate.to_string() } else { estimate.value.to_string() }
    };
    let mut rows = Vec::new();
    let mut push = |key: String, of: &dyn Fn(&Side<'_>) -> Option<String>| {
        let values: Vec<_> = sides.iter().map(of).collect();
        if values.iter().any(Option::is_some) {
            let values = values.into_iter().map(|value| value.unwrap_or(NONE.into()));
            rows.push([key].into_iter().chain(values).collect());
        }
    };
    for metric in Metric::ALL.into_iter().filter(|metric| !is_of_generator(*metric)) {
        for (name, hundredths) in PERCENTILES {
            if matches!(name, "p50" | "p99") || (metric == Metric::Delivery && name == "p99.9") {
                push(format!("{}.{name}", metric.key()), &|side| {
                    percentile(side.total.histogram(metric)?, hundredths).map(nanoseconds)
                });
            }
        }
        if metric == Metric::Delivery {
            push("delivery.max".to_owned(), &|side| {
                side.total.histogram(metric).map(|histogram| nanoseconds(histogram.max()))
            });
        }
    }
    for counter in [Counter::Lost, Counter::Duplicated, Counter::Reordered, Counter::Errors] {
        push(counter.key().to_owned(), &|side| {
            side.value(Subject::Count(counter)).map(|count| count.to_string())
        });
    }
    push("events.rate".to_owned(), &|side| {
        rate(side, Counter::Events).map(|rate| rate.to_string())
    });
    push("bytes.per-event".to_owned(), &|side| per_event(side).map(|each| each.to_string()));
    for figure in Figure::ALL {
        push(figure.key().to_owned(), &|side| side.figures.figure(figure).map(cost));
    }
    let names = sides.iter().map(|side| side.name.clone());
    let mut grid = Grid { head: [String::new()].into_iter().chain(names).collect(), rows };
    if let [first, second] = sides {
        add_ratios(&mut grid, first, second, off);
    }
    grid
}

/// A column with the ratio of the second side to the first.
fn add_ratios(grid: &mut Grid, first: &Side<'_>, second: &Side<'_>, off: bool) {
    let subjects: Vec<Subject> = Subject::all().collect();
    grid.head.push(if off { format!("{} ÷ {}", second.name, first.name) } else { "ratio".into() });
    for row in &mut grid.rows {
        let subject = subjects.iter().copied().find(|subject| subject.to_string() == row[0]);
        let ratio = subject.and_then(|subject| ratio([first, second], subject));
        row.push(ratio.map_or(NONE.into(), |ratio| ratio_words(&ratio, off)));
    }
}

fn ratio_words(ratio: &Ratio, off: bool) -> String {
    let value = times_as_much(ratio.value);
    let Some((low, high)) = ratio.interval.filter(|_| off) else { return value };
    let finding = match ratio.finding() {
        _ if is_within_a_percent(ratio) => ", within 1 %",
        Finding::More => ", more",
        Finding::Less => ", less",
        Finding::Inconclusive => ", inconclusive",
        Finding::TooFew => "",
    };
    format!("{value} ({} to {}){finding}", times_as_much(low), times_as_much(high))
}

/// Whether the interval leaves no more than a percent to both sides.
pub fn is_within_a_percent(ratio: &Ratio) -> bool {
    ratio.interval.is_some_and(|(low, high)| low > 0.99 && high < 1.01)
}

/// A ratio; a very small one is not nothing.
pub fn times_as_much(ratio: f64) -> String {
    match ratio {
        _ if ratio < 0.005 => "< 0.01".to_owned(),
        _ if ratio >= 99.5 => units::count(ratio.round() as u64),
        _ => format!("{ratio:.2}"),
    }
}

/// The ratio of the second side to the first; rounds of the sides alternate, so those of the same
/// number are paired.
pub fn ratio(sides: [&Side<'_>; 2], subject: Subject) -> Option<Ratio> {
    let [first, second] = sides;
    let compared = compare(&first.compared, &second.compared, Pairing::ByNumber, [subject]);
    compared.into_iter().next()?.ratio.ok()
}

pub fn ratio_method(sides: &[Side<'_>]) -> Option<String> {
    let [first, second] = sides else { return None };
    let rounds = first.compared.len().min(second.compared.len());
    Some(if rounds < FEWEST_ROUNDS {
        format!(
            "ratios of {}: inconclusive with fewer than {FEWEST_ROUNDS} rounds (--rounds), since they do not show the variation",
            counted(rounds, "round")
        )
    } else {
        format!(
            "ratios of {rounds} alternating rounds, with their 95 % confidence intervals; inconclusive if the interval contains 1"
        )
    })
}
