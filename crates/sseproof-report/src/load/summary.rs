//! The answer on one screen: six rows, and one sentence.

use sseproof_load_model::compare::{FEWEST_ROUNDS, Finding, Ratio};
use sseproof_load_model::threshold::{Statistic, Subject};
use sseproof_load_model::{Counter, Figure, Histogram, Metric, Share, Unmeasured};
use sseproof_units::{self as units, Dimension, Value, counted, list};

use super::facts::{self, NONE, nanoseconds, percentile};
use super::grid::Grid;
use super::side::Side;
use super::sides_compared::{self, times_as_much};

#[derive(Clone, Copy)]
enum Kind {
    Times(Metric),
    Cost(Figure),
    Bytes,
    Lost,
    Completed,
}

type Row = (&'static str, Kind);

const OF_SUBSCRIBERS: [Row; 6] = [
    ("delivery latency", Kind::Times(Metric::Delivery)),
    ("first event", Kind::Times(Metric::FirstEvent)),
    ("memory per connection", Kind::Cost(Figure::MemoryServer)),
    ("processor time per event", Kind::Cost(Figure::CpuServer)),
    ("bytes per event", Kind::Bytes),
    ("lost", Kind::Lost),
];

const OF_REQUESTS: [Row; 6] = [
    ("first token", Kind::Times(Metric::Ttft)),
    ("between tokens", Kind::Times(Metric::Itl)),
    ("whole response", Kind::Times(Metric::EndToEnd)),
    ("processor time per event", Kind::Cost(Figure::CpuServer)),
    ("bytes per event", Kind::Bytes),
    ("completed", Kind::Completed),
];

fn rows<'a>(sides: impl IntoIterator<Item = &'a Side<'a>>) -> [Row; 6] {
    if sides.into_iter().any(has_requests) { OF_REQUESTS } else { OF_SUBSCRIBERS }
}

pub fn has_requests(side: &Side<'_>) -> bool {
    let has = |counter| side.total.counters.count(counter) > 0;
    has(Counter::Completed) || has(Counter::Tokens)
}

/// The rows of one side: what it is, and the value, or why there is none.
pub fn one(side: &Side<'_>) -> Vec<(&'static str, Result<String, String>)> {
    let times = |metric| {
        let histogram = times(side, metric)?;
        let mut shown = vec![format!("p50 {}", nanoseconds(histogram.quantile(0.5)))];
        let tail = percentile(histogram, 9900).map(|tail| format!("p99 {}", nanoseconds(tail)));
        shown.extend(tail);
        shown.push(format!("max {}", nanoseconds(histogram.max())));
        let unresolved = side.total.counters.count(Counter::Unresolved);
        if metric == Metric::Itl && unresolved > 0 {
            let all = unresolved + histogram.count();
            shown.push(format!("{} not resolvable", share(unresolved, all)));
        }
        Ok(shown.join(" · "))
    };
    let cell = |kind| match kind {
        Kind::Times(metric) => times(metric),
        // The generator has costs, too.
        Kind::Cost(_) => value(side, kind).map(|cost| format!("{cost} (server)")),
        kind => value(side, kind),
    };
    rows([side]).into_iter().map(|(label, kind)| (label, cell(kind))).collect()
}

fn share(part: u64, all: u64) -> String {
    Value::new(part as f64 / all.max(1) as f64, Dimension::Share).to_string()
}

fn value(side: &Side<'_>, kind: Kind) -> Result<String, String> {
    let counters = &side.total.counters;
    let none = || "not measured: no event arrived".to_owned();
    match kind {
        Kind::Times(metric) => {
            let histogram = times(side, metric)?;
            let half = nanoseconds(histogram.quantile(0.5));
            let tail = percentile(histogram, 9900).map_or(NONE.to_owned(), nanoseconds);
            Ok(format!("{half}, {tail}"))
        }
        Kind::Cost(figure) => match (side.figures.figure(figure), side.figures.why(figure)) {
            (Some(estimate), _) => Ok(estimate.to_string()),
            (None, Some(Unmeasured::NoServer)) => {
                Err("not measured (--server-pid or --server-cmd)".to_owned())
            }
            (None, Some(why)) => Err(format!("not measured: {why}")),
            (None, None) => Err("not measured".to_owned()),
        },
        Kind::Bytes => facts::per_event(side).map(|bytes| bytes.to_string()).ok_or_else(none),
        Kind::Lost if counters.count(Counter::Events) == 0 => Err(none()),
        Kind::Lost => {
            let lost = counters.count(Counter::Lost);
            let Some(part) = side.value(Subject::Share(Share::Lost)) else {
                return Err("not known: no event had a sequence number (--sequence)".to_owned());
            };
            let due = counters.count(Counter::Events) + lost
                - counters.count(Counter::Unsequenced)
                - counters.count(Counter::Duplicated);
            let of = format!("{} of {}", units::count(lost), units::count(due));
            Ok(if lost > 0 { format!("{of} ({part})") } else { of })
        }
        Kind::Completed => {
            let (done, asked) =
                (counters.count(Counter::Completed), counters.count(Counter::Arrivals));
            let [count, of] = [done, asked].map(units::count);
            Ok(format!("{count} of {of} ({})", share(done, asked)))
        }
    }
}

/// The times of a metric, or why it has none that say something.
fn times<'a>(side: &'a Side<'_>, metric: Metric) -> Result<&'a Histogram, String> {
    let histogram = side.total.histogram(metric).ok_or_else(|| why_no_times(side, metric))?;
    let unresolved = side.total.counters.count(Counter::Unresolved);
    // The others are the longer ones.
    if metric == Metric::Itl && unresolved > histogram.count() {
        let part = share(unresolved, unresolved + histogram.count());
        return Err(format!("not resolvable: {part} of the gaps are within one read"));
    }
    Ok(histogram)
}

fn why_no_times(side: &Side<'_>, metric: Metric) -> String {
    let counters = &side.total.counters;
    let why = match metric {
        _ if counters.count(Counter::Events) == 0 => "no event arrived",
        Metric::Delivery if counters.count(Counter::Negative) > 0 => {
            "all stamps are later than the arrivals, so the clocks differ"
        }
        Metric::Delivery => "no event had a stamp (--stamp)",
        Metric::Itl if counters.count(Counter::Unresolved) > 0 => {
            return "not resolvable: the tokens of each response came in one read".to_owned();
        }
        Metric::Itl | Metric::Ttft => "there were too few tokens",
        _ => "it did not happen",
    };
    format!("not measured: {why}")
}

/// The values of these rows that are compared: a name and the subject of each.
pub fn compared(sides: &[Side<'_>]) -> Vec<(String, Subject)> {
    let all = rows(sides).into_iter().flat_map(|(label, kind)| {
        subjects(kind).into_iter().map(move |subject| match subject {
            Subject::Time(_, statistic) => (format!("{label} {statistic}"), subject),
            _ => (label.to_owned(), subject),
        })
    });
    all.collect()
}

/// The rows of several sides, side by side, with their ratio.
pub fn several(sides: &[Side<'_>]) -> Grid {
    let row = |(label, kind): Row| {
        let label = match kind {
            Kind::Times(_) => format!("{label} p50, p99"),
            _ => label.to_owned(),
        };
        let cells = sides.iter().map(|side| value(side, kind).unwrap_or(NONE.to_owned()));
        [label].into_iter().chain(cells).chain(ratios(sides, kind)).collect()
    };
    let names = sides.iter().map(|side| side.name.clone());
    let ratio = (sides.len() == 2).then(|| "ratio".to_owned());
    Grid {
        head: [String::new()].into_iter().chain(names).chain(ratio).collect(),
        rows: rows(sides).into_iter().map(row).collect(),
    }
}

fn subjects(kind: Kind) -> Vec<Subject> {
    let shown = |subject: &Subject| match (kind, *subject) {
        (Kind::Times(metric), Subject::Time(of, Statistic::Percentile(percentile))) => {
            of == metric && [0.5, 0.99].contains(&percentile.share())
        }
        (Kind::Cost(figure), Subject::Figure(of)) => of == figure,
        (Kind::Bytes, Subject::BytesPerEvent) => true,
        _ => false,
    };
    Subject::all().filter(shown).collect()
}

/// The ratio of values that are shown: a percentile of too few samples is not.
fn ratio(sides: [&Side<'_>; 2], subject: Subject) -> Option<Ratio> {
    let is_shown = |side: &&Side<'_>| match subject {
        Subject::Time(metric, Statistic::Percentile(percentile)) => side
            .total
            .histogram(metric)
            .is_some_and(|histogram| facts::has_percentile(histogram, percentile.share())),
        _ => true,
    };
    sides_compared::ratio(sides, subject).filter(|_| sides.iter().all(is_shown))
}

fn ratios(sides: &[Side<'_>], kind: Kind) -> Option<String> {
    let [first, second] = sides else { return None };
    let ratios = subjects(kind).into_iter().map(|subject| {
        let ratio = ratio([first, second], subject);
        ratio.map_or(NONE.to_owned(), |ratio| times_as_much(ratio.value))
    });
    let ratios: Vec<_> = ratios.collect();
    Some(if ratios.is_empty() { NONE.to_owned() } else { ratios.join(", ") })
}

/// Why a side lacks a value that another one has.
pub fn reasons(sides: &[Side<'_>]) -> Vec<String> {
    let mut reasons: Vec<String> = Vec::new();
    for (label, kind) in rows(sides) {
        let whys: Vec<_> = sides.iter().map(|side| value(side, kind).err()).collect();
        let is_same = whys.windows(2).all(|pair| pair[0] == pair[1]);
        for (side, why) in sides.iter().zip(whys).take(if is_same { 1 } else { sides.len() }) {
            let of = if is_same { String::new() } else { format!("{}, ", side.name) };
            reasons.extend(why.map(|why| format!("{of}{label}: {why}")));
        }
    }
    reasons
}

/// The answer of the run in one sentence.
pub fn conclusion(sides: &[Side<'_>]) -> Option<String> {
    match sides {
        [] => None,
        [side] if has_requests(side) => Some(of_requests(side)),
        [side] => Some(of_subscribers(side)),
        [first, second] => Some(of_both([first, second])),
        _ => None,
    }
}

fn of_requests(side: &Side<'_>) -> String {
    let counters = &side.total.counters;
    let (done, asked) = (counters.count(Counter::Completed), counters.count(Counter::Arrivals));
    let mut text = format!("{} of {} completed", units::count(done), counted(asked, "request"));
    let objectives = side.rounds.first().map_or(&[][..], |round| &round.run.objectives);
    if !objectives.is_empty() {
        let good = counters.count(Counter::Good);
        let part = format!("{} ({})", units::count(good), share(good, asked));
        text.push_str(&format!(", {part} with {}", list(objectives)));
    }
    if let Some(rate) = facts::rate(side, Counter::Tokens) {
        text.push_str(&format!("; tokens came at {rate}"));
    }
    text + "."
}

fn of_subscribers(side: &Side<'_>) -> String {
    let mut text = format!("{} connected at once", counted(side.most_open(), "client"));
    let Some(rate) = facts::rate(side, Counter::Events) else {
        return text + "; no event arrived.";
    };
    text.push_str(&format!(" and got events at {rate}"));
    let mut clauses = vec![text];
    clauses.push(match side.total.histogram(Metric::Delivery) {
        None => "how long events took is not known".to_owned(),
        Some(delivery) => match percentile(delivery, 9900) {
            Some(tail) => format!("99% of them arrived within {}", nanoseconds(tail)),
            None => format!("all arrived within {}", nanoseconds(delivery.max())),
        },
    });
    if side.value(Subject::Count(Counter::Lost)).is_some() {
        let lost = side.total.counters.count(Counter::Lost);
        clauses.push(match lost {
            0 => "none was lost".to_owned(),
            1 => "1 was lost".to_owned(),
            lost => format!("{} were lost", units::count(lost)),
        });
    }
    clauses.join("; ") + "."
}

fn of_both(sides: [&Side<'_>; 2]) -> String {
    let [first, second] = sides;
    let rounds = first.compared.len().min(second.compared.len());
    if rounds < FEWEST_ROUNDS {
        return format!(
            "{} cannot show whether {} and {} differ, since rounds vary, too: use --rounds {FEWEST_ROUNDS} or more.",
            counted(rounds, "round"),
            first.name,
            second.name
        );
    }
    let (mut differs, mut same) = (Vec::new(), Vec::new());
    for (label, kind) in rows(sides) {
        for subject in subjects(kind) {
            let name = match subject {
                Subject::Time(_, statistic) => format!("{label} {statistic}"),
                _ => label.to_owned(),
            };
            let Some(ratio) = ratio(sides, subject) else { continue };
            match ratio.finding() {
                Finding::More | Finding::Less if !sides_compared::is_within_a_percent(&ratio) => {
                    differs.push(format!("{name} × {}", times_as_much(ratio.value)));
                }
                _ => same.push(name),
            }
        }
    }
    let (one, other) = (&second.name, &first.name);
    let rounds = counted(rounds, "round");
    match (differs.is_empty(), same.is_empty()) {
        (true, _) => format!("{rounds} show no difference of {one} to {other}."),
        (false, true) => format!("{one} compared with {other}: {}.", list(&differs)),
        (false, false) => format!(
            "{one} compared with {other}: {}; no difference was shown for {}.",
            list(&differs),
            list(&same)
        ),
    }
}
