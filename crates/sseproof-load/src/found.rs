//! Where events have a stamp and a number, found in the first events of a stream.
//!
//! A wrong place makes a wrong latency or a false loss, so nothing is used that could be something
//! else: a stamp must be near the time of arrival and run as a clock does, a number must grow by one
//! each time, and there must be one such place only.

use std::collections::BTreeMap;

use serde_json::Value;
use sseproof_load_model::{Sequencing, Stamping, TimeUnit};
use sseproof_units::{counted, list};

use crate::stamp::{self, Own};

/// Fewer events in a row may have such numbers by chance.
pub(crate) const FEWEST: usize = 4;
/// How much later or earlier than its stamp an event may arrive, in nanoseconds: later stamps are the
/// end of something, earlier ones its beginning.
const LATE: f64 = 10e9;
const EARLY: f64 = 1e9;
/// How much the time between two stamps may differ from the time between the arrivals.
const DRIFT: f64 = 500e6;
/// The time between the first and the last event that shows whether stamps run as a clock does.
const SPAN: f64 = 20e6;
const SECOND: f64 = 1e9;
/// How deep and how far into the data it looks.
const DEPTH: usize = 4;
const MEMBERS: usize = 256;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstEvent {
    /// When it arrived, in nanoseconds since the Unix epoch.
    pub at: u64,
    pub id: String,
    pub data: String,
}

/// The places that were found, with a sentence for each that is used or is not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    pub stamping: Stamping,
    pub sequencing: Sequencing,
    pub notes: Vec<String>,
}

/// Looks for the places that the plan leaves open.
pub fn find(events: &[FirstEvent], stamping: &Stamping, sequencing: &Sequencing) -> Found {
    let mut found = Found {
        stamping: if *stamping == Stamping::Auto { Stamping::None } else { stamping.clone() },
        sequencing: match sequencing {
            Sequencing::Auto => Sequencing::None,
            said => said.clone(),
        },
        notes: Vec::new(),
    };
    let is_open = *stamping == Stamping::Auto || *sequencing == Sequencing::Auto;
    if events.len() < FEWEST {
        if is_open {
            let came = counted(events.len(), "event");
            found.notes.push(format!(
                "{came} came before the run, too few to find stamps and numbers (--stamp, --sequence)"
            ));
        }
        return found;
    }
    let live = live(events);
    let is_own = is_own(live);
    let stamps = stamps(live, &members(live));
    if *stamping == Stamping::Auto {
        if is_own {
            found.stamping = Stamping::Own;
            found
                .notes
                .push("latency from the stamps of sseproof (found in the first events)".into());
        } else {
            (found.stamping, found.notes) = stamps.choose();
        }
    }
    if *sequencing == Sequencing::Auto {
        let (chosen, note) = match is_own {
            true => (
                Sequencing::Own,
                Some("loss counted by the numbers of sseproof (found in the first events)".into()),
            ),
            false => sequence(events, &members(events)),
        };
        found.sequencing = chosen;
        found.notes.extend(note);
    }
    found
}

/// The events without the history that a server may send first, if enough are left: its stamps are old.
fn live(events: &[FirstEvent]) -> &[FirstEvent] {
    const HISTORY: u64 = 100_000_000;
    let first = events.first().map_or(0, |event| event.at);
    let live = &events[events.partition_point(|event| event.at <= first + HISTORY)..];
    if live.len() < FEWEST { events } else { live }
}

fn is_own(events: &[FirstEvent]) -> bool {
    let own = |event: &FirstEvent| serde_json::from_str::<Own>(&event.data).ok();
    let near =
        |event: &FirstEvent| own(event).is_some_and(|own| is_near(event.at as f64, own.at as f64));
    events.iter().all(near)
}

fn is_near(arrived: f64, stamped: f64) -> bool {
    (-EARLY..=LATE).contains(&(arrived - stamped))
}

/// The numbers at each place that all events have, by its JSON pointer.
type Members = BTreeMap<String, Vec<f64>>;

fn members(events: &[FirstEvent]) -> Members {
    let mut all = Members::new();
    for event in events {
        let Ok(value) = serde_json::from_str::<Value>(&event.data) else { return Members::new() };
        let mut found = BTreeMap::new();
        collect(&value, &mut String::new(), 0, &mut found);
        for (pointer, number) in found {
            all.entry(pointer).or_default().push(number);
        }
    }
    all.retain(|_, numbers| numbers.len() == events.len());
    all
}

fn collect(value: &Value, pointer: &mut String, depth: usize, found: &mut BTreeMap<String, f64>) {
    if found.len() >= MEMBERS || depth > DEPTH {
        return;
    }
    let mut under = |key: &str, value: &Value| {
        let length = pointer.len();
        pointer.push('/');
        pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
        collect(value, pointer, depth + 1, found);
        pointer.truncate(length);
    };
    match value {
        Value::Object(members) => members.iter().for_each(|(key, value)| under(key, value)),
        Value::Array(values) => {
            values.iter().enumerate().for_each(|(at, value)| under(&at.to_string(), value));
        }
        Value::Number(_) | Value::String(_) => {
            // As the run reads it.
            if let Some(number) = stamp::at("", &value.to_string()) {
                found.insert(pointer.clone(), number);
            }
        }
        Value::Null | Value::Bool(_) => {}
    }
}

#[derive(Default)]
struct Stamps {
    exact: Vec<(String, TimeUnit)>,
    /// In whole seconds, which is too coarse for a latency.
    coarse: Vec<(String, TimeUnit)>,
}

fn stamps(events: &[FirstEvent], members: &Members) -> Stamps {
    let mut stamps = Stamps::default();
    for (pointer, numbers) in members {
        for unit in TimeUnit::ALL {
            let times: Vec<f64> =
                numbers.iter().map(|number| number * unit.nanoseconds()).collect();
            if runs_as_a_clock(events, &times) {
                let is_coarse = times.iter().all(|time| (time % SECOND).abs() < 1.0);
                let of = if is_coarse { &mut stamps.coarse } else { &mut stamps.exact };
                of.push((pointer.clone(), unit));
            }
        }
    }
    stamps
}

fn runs_as_a_clock(events: &[FirstEvent], times: &[f64]) -> bool {
    let arrivals: Vec<f64> = events.iter().map(|event| event.at as f64).collect();
    let (Some(first), Some(last)) = (arrivals.first(), arrivals.last()) else { return false };
    let pairs = || times.windows(2).zip(arrivals.windows(2));
    let coarse = |time: &f64| time % SECOND == 0.0;
    let drift = if times.iter().all(coarse) { DRIFT + SECOND } else { DRIFT };
    last - first >= SPAN
        && times.first() < times.last()
        && times.iter().zip(&arrivals).all(|(time, arrival)| is_near(*arrival, *time))
        && pairs().all(|(times, arrivals)| {
            let (stamped, arrived) = (times[1] - times[0], arrivals[1] - arrivals[0]);
            stamped >= 0.0 && (stamped - arrived).abs() <= drift
        })
}

impl Stamps {
    fn choose(&self) -> (Stamping, Vec<String>) {
        let spoken = |all: &[(String, TimeUnit)]| {
            let each = all.iter().map(|(pointer, _)| format!("`{}`", spoken(pointer)));
            list(&each.collect::<Vec<_>>())
        };
        let written = |(pointer, unit): &(String, TimeUnit)| {
            Stamping::Json { pointer: pointer.clone(), unit: *unit }.to_string()
        };
        match (self.exact.as_slice(), self.coarse.as_slice()) {
            ([], []) => (Stamping::None, Vec::new()),
            ([], [first, ..]) => (
                Stamping::None,
                vec![format!(
                    "latency not measured: {} has whole seconds, which is too coarse (--stamp {} to use it)",
                    spoken(&self.coarse),
                    written(first)
                )],
            ),
            ([(pointer, unit)], []) => (
                Stamping::Json { pointer: pointer.clone(), unit: *unit },
                vec![format!("latency from {} (found in the first events)", spoken(&self.exact))],
            ),
            ([first, ..], coarse) => {
                let all = [self.exact.as_slice(), coarse].concat();
                (
                    Stamping::None,
                    vec![format!(
                        "latency not measured: {} may each be the time of the event; choose one, as in --stamp {}",
                        spoken(&all),
                        written(first)
                    )],
                )
            }
        }
    }
}

fn sequence(events: &[FirstEvent], members: &Members) -> (Sequencing, Option<String>) {
    let ids: Option<Vec<f64>> =
        events.iter().map(|event| stamp::digits(&event.id).map(|id| id as f64)).collect();
    // The place of the standard, by which clients resume.
    let counts = |numbers: &[f64]| grows_by_one(numbers) && !is_time(events, numbers);
    if ids.is_some_and(|ids| counts(&ids)) {
        let note = "loss counted by `id` (found in the first events)";
        return (Sequencing::Id, Some(note.into()));
    }
    let counters: Vec<_> =
        members.iter().filter(|(_, numbers)| counts(numbers)).map(|(at, _)| at).collect();
    match counters.as_slice() {
        [] => (Sequencing::None, None),
        [pointer] => {
            let note = format!("loss counted by `{}` (found in the first events)", spoken(pointer));
            (Sequencing::Json((*pointer).clone()), Some(note))
        }
        [first, ..] => {
            let all: Vec<_> = counters.iter().map(|at| format!("`{}`", spoken(at))).collect();
            let note = format!(
                "loss not counted: {} may each be the number of the event; choose one, as in --sequence {first}",
                list(&all)
            );
            (Sequencing::None, Some(note))
        }
    }
}

fn grows_by_one(numbers: &[f64]) -> bool {
    let is_whole = |number: &f64| *number >= 0.0 && number.fract() == 0.0;
    numbers.iter().all(is_whole) && numbers.windows(2).all(|pair| pair[1] - pair[0] == 1.0)
}

/// Whether they are times of about today: in whole seconds these may grow by one, too.
fn is_time(events: &[FirstEvent], numbers: &[f64]) -> bool {
    const DAY: f64 = 86_400e9;
    TimeUnit::ALL.iter().any(|unit| {
        let near = |(event, number): (&FirstEvent, &f64)| {
            (event.at as f64 - number * unit.nanoseconds()).abs() < DAY
        };
        events.iter().zip(numbers).all(near)
    })
}

/// `/meta/ts` as in a program: `data.meta.ts`.
fn spoken(pointer: &str) -> String {
    let keys = pointer.split('/').skip(1).map(|key| key.replace("~1", "/").replace("~0", "~"));
    ["data".to_owned()].into_iter().chain(keys).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    /// Events that arrive so many milliseconds after 1,700,000,000.25 s.
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Case {
        name: String,
        events: Vec<(u64, String, String)>,
        stamp: String,
        sequence: String,
        notes: Vec<String>,
    }

    #[test]
    fn only_what_can_be_nothing_else_is_found() {
        let cases: Vec<Case> = serde_json::from_str(include_str!("found/cases.json")).unwrap();
        for case in cases {
            let events = case.events.into_iter().map(|(after, id, data)| FirstEvent {
                at: 1_700_000_000_250_000_000 + after * 1_000_000,
                id,
                data,
            });
            let events: Vec<_> = events.collect();
            let found = find(&events, &Stamping::Auto, &Sequencing::Auto);
            let shown = (found.stamping.to_string(), found.sequencing.to_string(), found.notes);
            assert_eq!(shown, (case.stamp, case.sequence, case.notes), "{}", case.name);
            // The user's own words stay.
            let said = find(&events, &Stamping::None, &Sequencing::Id);
            assert_eq!((said.stamping, said.sequencing), (Stamping::None, Sequencing::Id));
        }
    }
}
