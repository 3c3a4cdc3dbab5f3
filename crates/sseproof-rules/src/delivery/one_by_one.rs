//! Events arrive one by one, and not in bursts.
//!
//! To a client, a buffer on the way and a server that sends in batches look much alike.
//! Only a buffer does three things: it sends a part of a line, because it counts bytes and not
//! events; it sends a whole stream at the moment in which the stream ends; and it holds back even
//! the response headers until it is full.
//! All other bursts are inconclusive.

use std::time::Duration;

use sseproof_record::Ending;

use super::arrivals::{Arrival, arrivals};
use super::figures::{shown, time_to_head};
use super::mutants::{buffered, with_head};
use crate::timing::{ALL_AT_THE_END, HELD_REST, PAUSE, SHORT_PAUSE, TOGETHER, TOO_LATE, WITH_HEAD};
use crate::{Fault, Mutant, Record, Rule, Verdict, View, reference};
use sseproof_units::counted;

/// So many events at once are a burst.
const BURST: usize = 5;
/// So many bursts, or torn lines, are not an accident.
const AGAIN: usize = 2;

pub(super) const RULE: Rule = Rule {
    id: "delivery/one-by-one",
    judge,
    mutants: &[
        Mutant::new("buffer-of-512", "sends its bytes in pieces of 512", |visit| {
            buffered(visit, Some(512))
        }),
        Mutant::new(
            "buffer-until-end",
            "sends the response headers at once and all events when the stream ends",
            |visit| buffered(visit, None),
        ),
        Mutant::new(
            "buffer-holds-head",
            "holds back the response headers and the first 512 bytes for two seconds, and then the rest",
            |visit| match visit.request.method.as_str() {
                "GET" if visit.request.headers.has("accept") => {
                    with_head(buffered(visit, Some(512)))
                }
                _ => reference::answer(visit),
            },
        ),
    ],
};

fn judge(record: &Record<'_>) -> Verdict {
    // `delivery/compressed` judges the pace of compressed streams.
    let streams: Vec<_> = record.streams().filter(|view| !view.is_compressed()).collect();
    let mut torn = Vec::new();
    let mut at_the_end = Vec::new();
    let mut with_the_head = Vec::new();
    let mut bursts = None;
    let mut events = 0;
    let mut longest = Duration::ZERO;
    for view in &streams {
        let arrivals = arrivals(view);
        events += view.events().count();
        longest = longest.max(view.lasted());
        torn.extend(torn_lines(view, &arrivals));
        at_the_end.extend(all_at_the_end(view, &arrivals));
        with_the_head.extend(held_with_the_head(view, &arrivals));
        with_the_head.extend(whole_with_the_head(view, &arrivals));
        bursts = bursts.or_else(|| unclear_bursts(view, &arrivals));
    }
    // One cause has one finding, and a buffer that holds back the headers explains the rest.
    if !with_the_head.is_empty() {
        with_the_head.truncate(3);
        return Verdict::Fail(with_the_head);
    }
    if torn.len() >= AGAIN {
        torn.truncate(3);
        return Verdict::Fail(torn);
    }
    if !at_the_end.is_empty() {
        at_the_end.truncate(3);
        return Verdict::Fail(at_the_end);
    }
    if let Some(bursts) = bursts {
        return Verdict::Inconclusive(bursts);
    }
    match (streams.len(), events) {
        (0, _) => Verdict::Skip("there is no stream whose bytes can be read".to_owned()),
        (_, 0) => Verdict::Inconclusive(format!(
            "no event came within {}: a quiet stream, or one that is held back",
            shown(longest)
        )),
        (_, 1..BURST) => Verdict::Inconclusive(format!("only {} came", counted(events, "event"))),
        (streams, _) => Verdict::Pass(format!(
            "{} in {}, no bursts",
            counted(events, "event"),
            counted(streams, "exchange")
        )),
    }
}

/// Whether a buffer holds back even the response headers.
pub(crate) fn is_held_with_events(record: &Record<'_>) -> bool {
    record.streams().any(|view| held_with_the_head(&view, &arrivals(&view)).is_some())
}

/// The places where several events came at once, and a piece of the next one with them, whose rest
/// came only much later: a full buffer was let go.
fn torn_lines(view: &View<'_>, arrivals: &[Arrival]) -> Vec<Fault> {
    arrivals
        .windows(2)
        .filter(|pair| pair[0].torn && pair[0].events >= 2)
        .filter(|pair| pair[1].at.saturating_sub(pair[0].at) >= PAUSE)
        .map(|pair| {
            let message = format!(
                "{} events arrive together with a part of the next one, whose rest arrives {} later",
                pair[0].events,
                shown(pair[1].at.saturating_sub(pair[0].at))
            );
            Fault::at(view, pair[0].end, message)
                .so("a buffer on the way was full: later events wait until it is full again")
        })
        .collect()
}

/// The fault of late headers that came with several events and a part of the next one, whose rest
/// came much later, or not while the client was connected.
///
/// A server that wakes up and then sends its history at once tears no line for that long.
fn held_with_the_head(view: &View<'_>, arrivals: &[Arrival]) -> Option<Fault> {
    let took = time_to_head(view).filter(|took| *took >= TOO_LATE)?;
    let head = view.head.as_ref()?.at;
    let with = |arrival: &&Arrival| arrival.at.saturating_sub(head) <= WITH_HEAD;
    let together = arrivals.iter().take_while(with).count();
    let last = arrivals[..together].last().filter(|last| last.torn)?;
    let events: usize = arrivals[..together].iter().map(|arrival| arrival.events).sum();
    let (rest, is_there) = match arrivals.get(together) {
        Some(next) => (next.at, true),
        None if view.ended_by_server() => return None,
        None => (view.end.at, false),
    };
    let held = rest.saturating_sub(last.at);
    (events >= BURST && held >= HELD_REST).then(|| {
        let message = format!(
            "the response headers and {events} events arrive together, {} after the request, with a part of the next event, whose rest {} {}",
            shown(took),
            if is_there { "takes" } else { "does not come within" },
            shown(held)
        );
        Fault::at(view, last.end, message)
            .so("a buffer on the way holds back everything until it is full, also the response headers: until then the client is not connected")
    })
}

/// The fault of late headers that came with all events and the end of the response: something read
/// the whole response before it sent any of it.
fn whole_with_the_head(view: &View<'_>, arrivals: &[Arrival]) -> Option<Fault> {
    let took = time_to_head(view).filter(|took| *took >= TOO_LATE)?;
    let head = view.head.as_ref()?;
    let events: usize = arrivals.iter().map(|arrival| arrival.events).sum();
    let last = arrivals.last()?.at;
    let at_once = last.saturating_sub(head.at) <= WITH_HEAD
        && view.end.at.saturating_sub(last) <= TOGETHER * 10;
    (view.end.how == Ending::Complete && at_once && events >= BURST).then(|| {
        let sign = match ["etag", "content-length"].into_iter().find(|name| head.headers.has(name)) {
            Some("etag") => "; its ETag can only be computed from the whole response",
            Some(_) => "; its Content-Length is only known at the end",
            None => "",
        };
        let message = format!(
            "the response headers, all {events} events and the end of the response arrive together, {} after the request{sign}",
            shown(took)
        );
        Fault::new(view, crate::Place::Exchange, message)
            .so("something on the way reads the whole response before it sends any of it, so no event arrives while the stream is open")
    })
}

/// The fault of a stream that came whole at the moment in which it ended, long after its headers.
fn all_at_the_end(view: &View<'_>, arrivals: &[Arrival]) -> Option<Fault> {
    let head = view.head.as_ref()?.at;
    let [only] = arrivals else { return None };
    let held = only.at.saturating_sub(head);
    let ended = matches!(
        view.end.how,
        Ending::Complete | Ending::Truncated | Ending::StreamReset(_) | Ending::GoneAway(_)
    ) && view.end.at.saturating_sub(only.at) <= TOGETHER * 10;
    (ended && only.events >= BURST && held >= ALL_AT_THE_END).then(|| {
        let message = format!(
            "all {} events arrive together when the stream ends, {} after the response headers",
            only.events,
            shown(held)
        );
        Fault::at(view, 0, message).so("the client gets no event as long as the stream is open")
    })
}

/// Bursts without a visible reason.
fn unclear_bursts(view: &View<'_>, arrivals: &[Arrival]) -> Option<String> {
    // The first events may be a history or a snapshot.
    let live: Vec<_> = arrivals.windows(2).filter(|pair| pair[1].events > 0).collect();
    let total: usize = live.iter().map(|pair| pair[1].events).sum();
    let bursts: Vec<_> = live
        .iter()
        .filter(|pair| pair[1].events >= BURST)
        .filter(|pair| pair[1].at.saturating_sub(pair[0].at) >= SHORT_PAUSE)
        .collect();
    let within: usize = bursts.iter().map(|pair| pair[1].events).sum();
    (bursts.len() > AGAIN && within * 10 >= total * 9).then(|| {
        format!(
            "exchange {} comes in {} bursts of about {} events: a buffer on the way, or batches by design",
            view.number,
            bursts.len(),
            within / bursts.len()
        )
    })
}
