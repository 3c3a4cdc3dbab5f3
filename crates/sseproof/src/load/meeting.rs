//! The start of a run: at once, at a given time, or when all shards have met in the store of the results.
//!
//! Every shard writes a mark that it is ready, and then lists all marks: so the one that is last sees
//! all of them. It writes the time of the start, by a write that only succeeds once, and all others read
//! it. No shard is special, and none needs an address of another one.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, anyhow};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sseproof_load_model::Offset;
use sseproof_load_model::schedule::Part;
use sseproof_units::{Value, counted, parse_duration};
use tokio::time::{Instant, sleep};

use super::kept::{name, parse_name};
use super::store::Store;
use crate::exit::{Blame, Blamed as _};
use crate::screen;

/// `--start-at`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum StartAt {
    Time(Timestamp),
    /// After the start of this process.
    After(Duration),
}

pub(super) fn start_at(text: &str) -> Result<StartAt, String> {
    match text.strip_prefix('+') {
        Some(after) => parse_duration(after).map(StartAt::After).map_err(|error| error.to_string()),
        None => text.parse().map(StartAt::Time).map_err(|_| {
            "write a time with its zone, as in 2026-11-29T12:00:00Z, or +90s for 90 s after the start of this program"
                .to_owned()
        }),
    }
}

/// How the processes of a run begin together.
pub(super) enum Meeting<'a> {
    /// There is no other process.
    Alone,
    At(SystemTime),
    Store(Shards<'a>),
}

pub(super) struct Shards<'a> {
    pub(super) store: &'a Store,
    pub(super) part: Part,
    /// Of the plan: the same in all shards.
    pub(super) fingerprint: &'a str,
    /// The start, if it is given: then no shard waits for others.
    pub(super) at: Option<SystemTime>,
    pub(super) within: Duration,
}

/// The start, if it is not now, and what is known of this machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Begin {
    pub(super) at: Option<SystemTime>,
    pub(super) clock: Option<Offset>,
}

/// The mark of a shard that is ready.
#[derive(Serialize, Deserialize)]
pub(super) struct Ready {
    /// RFC 3339, by its own clock.
    pub(super) at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) host: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    clock: Option<Offset>,
}

/// Written once for each round.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Start {
    /// RFC 3339.
    At(String),
    /// Why there is none: a shard has waited for too long. One that comes later must not begin alone.
    GivenUp(String),
}

/// Between two looks into the store.
const LOOK: Duration = Duration::from_secs(1);
/// As many looks later, the marks are listed again, in case the last shard died after its mark.
const LIST: u64 = 5;
/// From the decision to the start: every shard looks several times until then.
const LEAD: Duration = Duration::from_secs(5);

/// The folders of a place.
const READY: &str = "ready";
const START: &str = "start";
const CLOCK: &str = "clock";

impl Meeting<'_> {
    /// Waits for the others of this round, which has this name.
    pub(super) async fn begin(&self, round: &str) -> Result<Begin, Blame> {
        let begin = match self {
            Self::Alone => Begin::default(),
            Self::At(at) => Begin { at: Some(*at), clock: None },
            Self::Store(shards) => shards.meet(round).await?,
        };
        if let Some(left) = begin.at.and_then(|at| at.duration_since(SystemTime::now()).ok())
            && left > LOOK
        {
            let left = Value::time(left.as_nanos() as f64);
            screen::say(format_args!("the start is in {left}"));
        }
        Ok(begin)
    }
}

impl Shards<'_> {
    fn mark(&self, round: &str) -> String {
        format!("{READY}/{round}/{}-{}.json", name(self.part), self.fingerprint)
    }

    async fn meet(&self, round: &str) -> Result<Begin, Blame> {
        let (store, start) = (self.store, format!("{START}/{round}.json"));
        let deadline = Instant::now() + self.within;
        // The first use of the store: if it fails, the reason is a wrong place or credential.
        if let Some(begun) = store.get(&start).await.unreachable()? {
            let begun = begun_at(&begun, &start)?;
            if self.at.is_none_or(|at| at != SystemTime::from(begun)) {
                return Err(anyhow!(
                    "{} has a run that began at {begun}: a shard that was started again cannot join it, and another run needs another place",
                    store.place
                ))
                .usage();
            }
        }
        let clock = match self.part.of {
            1 => None,
            _ => Some(store.clock(&format!("{CLOCK}/{}", self.part.index)).await.unreachable()?),
        };
        let ready = Ready { at: format!("{:.0}", Timestamp::now()), host: host(), clock };
        let ready = serde_json::to_string(&ready).context("write a mark")?;
        store.put(&self.mark(round), ready).await.unreachable()?;
        if self.at.is_some() || self.part.of == 1 {
            let at = self.at.unwrap_or_else(SystemTime::now);
            self.decide(&start, at).await?;
            return Ok(Begin { at: self.at, clock });
        }
        let mut failed = None;
        for look in 0.. {
            let looked = self.look(round, &start, look % LIST == 0).await;
            match looked {
                Ok(Some(at)) => return Ok(Begin { at: Some(at), clock }),
                Ok(None) => failed = None,
                // Wrong usage does not pass by waiting; an error of the store may.
                Err(blame) if blame.exit == crate::exit::Exit::Usage => return Err(blame),
                Err(blame) => failed = Some(blame),
            }
            if Instant::now() >= deadline {
                break;
            }
            sleep(LOOK).await;
        }
        if let Some(failed) = failed {
            return Err(failed);
        }
        let there = self.there(round).await?;
        let missing = (0..self.part.of).filter(|index| !there.contains(index));
        let why = format!(
            "{} not ready within {}: {} (counted from 0), in {}",
            counted(self.part.of - there.len() as u64, "shard"),
            Value::time(self.within.as_nanos() as f64),
            listed(missing),
            store.place
        );
        let given_up = serde_json::to_string(&Start::GivenUp(why.clone()));
        let given_up = given_up.context("write the end of the wait")?;
        if !store.create(&start, given_up).await.unreachable()?
            && let Some(at) = self.look(round, &start, false).await?
        {
            // The last shard came meanwhile.
            return Ok(Begin { at: Some(at), clock });
        }
        Err(anyhow!(why)).unreachable()
    }

    /// The time of the start, if it is decided. It is decided here, if all are ready.
    async fn look(
        &self,
        round: &str,
        start: &str,
        lists: bool,
    ) -> Result<Option<SystemTime>, Blame> {
        if lists && self.there(round).await?.len() as u64 == self.part.of {
            self.decide(start, SystemTime::now() + LEAD).await?;
        }
        let Some(text) = self.store.get(start).await.unreachable()? else { return Ok(None) };
        begun_at(&text, start).map(|at| Some(SystemTime::from(at)))
    }

    /// Writes the time of the start; if another shard was faster, its time holds.
    async fn decide(&self, start: &str, at: SystemTime) -> Result<(), Blame> {
        let at = Timestamp::try_from(at).context("the time of the start")?;
        let text = serde_json::to_string(&Start::At(at.to_string())).context("write the start")?;
        self.store.create(start, text).await.unreachable()?;
        Ok(())
    }

    /// The indexes of the shards of this run that are ready.
    async fn there(&self, round: &str) -> Result<BTreeSet<u64>, Blame> {
        let marks = marks(self.store, round).await.unreachable()?;
        let mut there = BTreeSet::new();
        for mark in marks {
            let differs = |what: &str, own: &str, other: &str| {
                let (index, place) = (mark.part.index, &self.store.place);
                Err(anyhow!(
                    "shard {index} in {place} is of another run: {what} is {other} there and {own} here; give each run a place of its own"
                ))
                .usage()
            };
            if mark.part.of != self.part.of {
                let (own, other) = (self.part.of.to_string(), mark.part.of.to_string());
                return differs("the number of shards", &own, &other);
            }
            if mark.fingerprint != self.fingerprint {
                let what = "the fingerprint of plan and version";
                return differs(what, self.fingerprint, &mark.fingerprint);
            }
            there.insert(mark.part.index);
        }
        Ok(there)
    }
}

fn begun_at(text: &str, name: &str) -> Result<Timestamp, Blame> {
    match parsed(text, name).unreachable()? {
        Start::At(at) => at.parse().with_context(|| format!("cannot read {name}")).unreachable(),
        Start::GivenUp(why) => {
            Err(anyhow!("this run was given up; another one needs another place: {why}"))
                .unreachable()
        }
    }
}

/// A mark, by its name.
pub(super) struct Mark {
    pub(super) part: Part,
    fingerprint: String,
    pub(super) name: String,
}

/// All marks of a round; of all rounds, if `round` is empty.
pub(super) async fn marks(store: &Store, round: &str) -> anyhow::Result<Vec<Mark>> {
    let below = format!("{READY}/{round}");
    let names = store.list(below.trim_end_matches('/')).await?;
    let mark = |name: String| {
        let stem = name.rsplit('/').next()?.strip_suffix(".json")?;
        let (part, fingerprint) = stem.rsplit_once('-')?;
        let (part, fingerprint) = (parse_name(part)?, fingerprint.to_owned());
        Some(Mark { part, fingerprint, name })
    };
    Ok(names.into_iter().filter_map(mark).collect())
}

pub(super) fn parsed<T: for<'de> Deserialize<'de>>(text: &str, name: &str) -> anyhow::Result<T> {
    serde_json::from_str(text).with_context(|| format!("cannot read {name}"))
}

/// Numbers in one line: `2, 5 and 7 to 9`; of many, the first ones.
pub(super) fn listed(numbers: impl Iterator<Item = u64>) -> String {
    const MOST: usize = 20;
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for number in numbers {
        match ranges.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(number) => *last = number,
            _ => ranges.push((number, number)),
        }
    }
    let more = ranges.len().saturating_sub(MOST);
    let mut texts: Vec<_> = ranges
        .iter()
        .take(MOST)
        .map(|(first, last)| match last - first {
            0 => first.to_string(),
            _ => format!("{first} to {last}"),
        })
        .collect();
    if more > 0 {
        texts.push(format!("{more} more"));
    }
    match texts.pop() {
        Some(last) if !texts.is_empty() => format!("{} and {last}", texts.join(", ")),
        last => last.unwrap_or_default(),
    }
}

fn host() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    Some(name.trim().to_owned())
}

/// The start as the arguments say it.
pub(super) fn time(start: StartAt, process: SystemTime) -> SystemTime {
    match start {
        StartAt::Time(time) => SystemTime::from(time),
        StartAt::After(after) => process + after,
    }
}

/// How long ago that was; `None` if it is still to come.
pub(super) fn late(at: SystemTime) -> Option<Duration> {
    SystemTime::now().duration_since(at).ok()
}

/// The moment of this time, by the clock of timers: of a time in the past, too, so that a late process
/// plays the schedule of all others.
pub(super) fn instant(at: SystemTime) -> Instant {
    let now = Instant::now();
    match at.duration_since(SystemTime::now()) {
        Ok(left) => now + left,
        Err(late) => now.checked_sub(late.duration()).unwrap_or(now),
    }
}

pub(super) fn since_epoch(at: SystemTime) -> Duration {
    at.duration_since(UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_listed_as_ranges() {
        for (numbers, expected) in [
            (vec![], ""),
            (vec![3], "3"),
            (vec![0, 1, 2], "0 to 2"),
            (vec![1, 3, 4, 9], "1, 3 to 4 and 9"),
        ] {
            assert_eq!(listed(numbers.into_iter()), expected);
        }
        assert!(listed((0..50).map(|n| n * 2)).ends_with("38 and 30 more"));
    }

    #[test]
    fn a_start_is_a_time_with_a_zone_or_a_duration() {
        assert!(matches!(start_at("+90s"), Ok(StartAt::After(after)) if after.as_secs() == 90));
        assert!(matches!(start_at("2026-11-29T12:00:00+01:00"), Ok(StartAt::Time(_))));
        for wrong in ["2026-11-29T12:00:00", "12:00", "90s", "+", ""] {
            assert!(start_at(wrong).is_err(), "{wrong}");
        }
    }
}
