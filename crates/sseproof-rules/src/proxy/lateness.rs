//! How late the events of a stream come through the proxy.

use std::collections::HashMap;
use std::time::Duration;

use sseproof_codec::Event;

use sseproof_record::{Role, Side};

use super::sides::{Pair, micros, time};
use crate::delivery::figures::{sent, together};
use crate::timing::{
    CLIENTS_APART, LATE_THROUGH_PROXY, LOST_BY_PROXY, OPEN_THROUGH_PROXY, SENT_APART, TOGETHER,
};
use crate::{Record, View};

/// Two clients of the server itself that differ by no more got an event at the same time.
const ALIKE: i64 = 50_000;

/// The reference for when an event is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clock {
    /// The time of day: the server sends an event to all at once.
    Time,
    /// The age of the stream: the server makes an event for each client.
    Age,
    /// Not known; the lesser of two delays counts.
    Unknown,
}

/// The reference that two clients of the server itself show, which came one after the other, and had some of the
/// same events.
pub(super) fn clock(record: &Record<'_>) -> Clock {
    let direct: Vec<_> = record
        .all()
        .filter(|view| !view.via && view.is_stream() && !view.is_encoded())
        .filter(|view| matches!(view.role, Some(Role::Compared(Side::Direct, _))))
        .filter(|view| view.request.last_event_id().is_none())
        .filter(|view| view.request.method == record.target().method)
        .collect();
    let (mut by_time, mut by_age) = (0, 0);
    for (index, first) in direct.iter().enumerate() {
        let early = unique(first);
        let apart = |second: &&View<'_>| sent(second).saturating_sub(sent(first)) >= CLIENTS_APART;
        for second in direct[index + 1..].iter().filter(apart) {
            let offset = micros(sent(second)) - micros(sent(first));
            for (key, (at, _)) in unique(second) {
                let Some((before, _)) = early.get(&key) else { continue };
                let later = micros(at) - micros(*before);
                by_time += usize::from(later.abs() <= ALIKE);
                by_age += usize::from((later - offset).abs() <= ALIKE);
            }
        }
    }
    match (by_time, by_age) {
        (2.., 0) => Clock::Time,
        (0, 2..) => Clock::Age,
        _ => Clock::Unknown,
    }
}

/// The delays of the events of one pair.
#[derive(Debug, Default)]
pub(super) struct Lateness {
    /// How many events could be compared.
    pub(super) compared: usize,
    /// The shortest time by which one was later, which is the length of the way.
    pub(super) way: Duration,
    /// How many came late.
    pub(super) late: usize,
    /// By how much the latest of them was late.
    pub(super) most: Duration,
    /// How many came together with the one before, which the server had sent some time before.
    pub(super) joined: usize,
    /// How many were not there at all when we left.
    pub(super) missing: usize,
    /// The offset of the first late one in the body that came through the proxy.
    pub(super) offset: u64,
}

/// An event as it can be known again.
type Key<'e> = (&'e str, &'e str, &'e str);
/// Events, each with its time and offset.
type Arrivals<'e> = HashMap<Key<'e>, (Duration, u64)>;

/// Compares the events that are the same on both sides. `control` is another stream of the server
/// itself: the server sends the events that it had, too, to every client.
pub(super) fn lateness(pair: &Pair<'_>, control: Option<&View<'_>>, clock: Clock) -> Lateness {
    let direct = unique(&pair.direct);
    let through = unique(&pair.through);
    let control = control.map(unique).unwrap_or_default();
    let mut behind: Vec<(i64, u64)> = Vec::new();
    let mut missing = Vec::new();
    for (key, (at, _)) in &direct {
        match through.get(key) {
            Some((came, offset)) => behind.push((pair.behind(clock, *came, *at), *offset)),
            None if control.contains_key(key) => missing.extend(gone(pair, clock, *at)),
            None => {}
        }
    }
    // An event that differs from client to client comes as another event, and is not missing.
    let begun = pair.direct.head.as_ref().map(|head| head.at);
    let others = through
        .iter()
        .filter(|(key, (at, _))| !direct.contains_key(*key) && Some(*at) >= begun)
        .count();
    missing.sort_unstable();
    missing.drain(..others.min(missing.len()));
    let way = behind.iter().map(|(behind, _)| *behind).min().unwrap_or_default().max(0);
    let late: Vec<_> =
        behind.iter().filter(|(behind, _)| behind - way >= micros(LATE_THROUGH_PROXY)).collect();
    Lateness {
        compared: behind.len() + missing.len(),
        way: time(way),
        late: late.len() + missing.len(),
        most: late
            .iter()
            .map(|(behind, _)| time(behind - way))
            .chain(missing.iter().copied())
            .max()
            .unwrap_or_default(),
        joined: joined(pair, clock, &direct, &through),
        missing: missing.len(),
        // A missing event would be the last.
        offset: late.iter().map(|(_, offset)| *offset).min().unwrap_or(pair.through.body_len()),
    }
}

/// How many events came together with the one before, while the server itself had sent them one
/// after the other: something waited for the second one.
fn joined(pair: &Pair<'_>, clock: Clock, direct: &Arrivals<'_>, through: &Arrivals<'_>) -> usize {
    let Some(head) = pair.through.head.as_ref() else { return 0 };
    // The events that come with the response headers may be a history.
    let mut times: Vec<_> = through
        .iter()
        .filter(|(_, (came, _))| *came >= head.at + OPEN_THROUGH_PROXY)
        .filter_map(|(key, (came, _))| Some((*came, direct.get(key)?.0)))
        .collect();
    times.sort_unstable();
    let is_joined = |both: &&[(Duration, Duration)]| {
        let [(came, sent), (next_came, next_sent)] = both else { return false };
        next_came.saturating_sub(*came) <= TOGETHER
            && next_sent.saturating_sub(*sent) >= SENT_APART
            && pair.behind(clock, *came, *sent) >= micros(SENT_APART)
    };
    times.windows(2).filter(is_joined).count()
}

/// How long an event had not come through the proxy when we left, where that is long, and the proxy
/// had the stream open when the server sent it.
fn gone(pair: &Pair<'_>, clock: Clock, at: Duration) -> Option<Duration> {
    let head = pair.through.head.as_ref()?.at;
    if pair.through.ended_by_server() || at < head + OPEN_THROUGH_PROXY {
        return None;
    }
    let since = time(pair.behind(clock, pair.through.end.at, at));
    // An event of a stream of its own may have been sent before the proxy had it open.
    let age = at.saturating_sub(sent(&pair.direct)) + sent(&pair.through);
    (since >= LOST_BY_PROXY && age >= head).then_some(since)
}

/// The events that are there once, with their times and offsets.
fn unique<'v>(view: &View<'v>) -> Arrivals<'v> {
    let mut known: HashMap<Key<'v>, Option<(Duration, u64)>> = HashMap::new();
    for (event, at) in view.events() {
        known
            .entry(key(event))
            .and_modify(|twice| *twice = None)
            .or_insert(Some((at, event.span.start)));
    }
    known.into_iter().filter_map(|(key, once)| Some((key, once?))).collect()
}

fn key<'e>(event: &'e Event<'static>) -> Key<'e> {
    (&event.last_event_id, &event.event_type, &event.data)
}

/// The events that arrived together: when, and how many.
pub(super) fn arrivals(view: &View<'_>) -> Vec<(Duration, usize)> {
    together(view.events().map(|(_, at)| at))
}
