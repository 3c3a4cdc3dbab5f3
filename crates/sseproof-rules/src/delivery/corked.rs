//! Written bytes are sent at once, and do not wait in the kernel.
//!
//! A corked socket (`TCP_CORK`, `MSG_MORE`) holds back a packet that is not full for 200 ms.
//! A client recognises that: the response headers are 200 ms late on every connection, while whole
//! answers of the same server, which uncork the socket, come at once; and all bytes that were
//! written within 200 ms arrive as one piece, never sooner after the previous piece.
//! If events come one at a time, only the time of their publication shows the delay.

use std::collections::BTreeMap;
use std::time::Duration;

use sseproof_http::Action;

use super::arrivals::arrivals;
use super::figures::{Spread, shown, time_to_head};
use super::mutants::corked;
use super::sendings::{listeners, published, sendings};
use crate::outcome::count;
use crate::timing::{CORK, CORKED_EVENTS, CORKED_HEAD, TOGETHER, UNCORKED};
use crate::{Fault, Mutant, Record, Rule, Verdict, View, reference};

pub(super) const RULE: Rule = Rule {
    id: "delivery/corked",
    judge,
    mutants: &[Mutant::new(
        "corked-socket",
        "holds back each write for 200 ms, and sends it with the later ones",
        |visit| {
            let answer = reference::answer(visit);
            let follows = |action: &Action| matches!(action, Action::Follow { .. });
            let is_stream = visit.request.method == "GET"
                && answer.actions.contains(&Action::Flush)
                && !answer.actions.iter().any(follows);
            let is_held =
                |action: &Action| matches!(action, Action::Head { .. } | Action::Write(_));
            if is_stream { corked(answer, Duration::from_millis(200), is_held) } else { answer }
        },
    )],
};

/// So many streams, and so many pieces with several events, are not an accident.
const AGAIN: usize = 3;
/// One exception in so many is an accident.
const SELDOM: usize = 10;

const CONSEQUENCE: &str = "the last event before a pause waits for 200 ms, and so do the response headers of every stream";

/// The evidence that the socket of a resource is corked.
struct Cork<'r> {
    first: View<'r>,
    heads: Spread,
    /// How many pieces had more than one event.
    joined: usize,
    pieces: usize,
}

fn judge(record: &Record<'_>) -> Verdict {
    let corks = corks(record);
    if corks.is_empty() {
        if let Some(verdict) = late_after_publication(record) {
            return verdict;
        }
        let streams = record.streams().count();
        return match streams {
            0 => Verdict::Skip("there is no stream whose bytes can be read".to_owned()),
            _ => Verdict::Pass(format!("{} without that pattern", count(streams, "stream"))),
        };
    }
    let faults = corks.iter().map(|cork| {
        let message = format!(
            "the response headers of {} come {} to {} late, and {} of {} after them bring several events together, none sooner than {} after the previous one",
            count(cork.heads.count, "stream"),
            shown(cork.heads.min),
            shown(cork.heads.max),
            cork.joined,
            count(cork.pieces, "piece"),
            shown(UNCORKED),
        );
        Fault::whole(&cork.first, message)
            .so(CONSEQUENCE)
    });
    Verdict::Fail(faults.collect())
}

/// Whether a stream waits in the kernel, so that late or joined events have that cause.
pub(crate) fn is_corked(record: &Record<'_>) -> bool {
    !corks(record).is_empty()
}

/// The evidence for each resource: each may be served in another way.
fn corks<'r>(record: &'r Record<'_>) -> Vec<Cork<'r>> {
    let mut resources: BTreeMap<&str, Vec<View<'r>>> = BTreeMap::new();
    let subscriptions = record.subscriptions().filter(|view| view.is_stream());
    for view in subscriptions.filter(|view| !view.is_encoded()) {
        resources.entry(view.exchange().request.url.as_str()).or_default().push(view);
    }
    let corks = resources.values().filter_map(|views| cork(views));
    corks.filter(|cork| answers_at_once(record, cork.heads.min)).collect()
}

fn cork<'r>(views: &[View<'r>]) -> Option<Cork<'r>> {
    let heads = Spread::of(views.iter().filter_map(time_to_head))?;
    if !is_cork_time(heads) {
        return None;
    }
    let (mut joined, mut pieces, mut short) = (0, 0, 0);
    for view in views {
        let head = view.head.as_ref()?.at;
        let mut before = head;
        let arrivals = arrivals(view);
        let count = arrivals.len();
        for (place, arrival) in arrivals.iter().enumerate() {
            let gap = arrival.at.saturating_sub(before);
            before = arrival.at;
            let with_head = arrival.at.saturating_sub(head) <= TOGETHER;
            // The end of an answer uncorks its socket.
            if with_head || (place + 1 == count && view.ended_by_server()) {
                continue;
            }
            short += usize::from(gap < UNCORKED);
            pieces += 1;
            joined += usize::from(arrival.events > 1 && gap <= CORKED_EVENTS);
        }
    }
    // A busy machine reads a piece late, and the next one in time.
    let is_held = short * SELDOM <= pieces;
    let again = is_held && heads.count.min(joined) >= AGAIN && joined * 3 >= pieces;
    again.then_some(Cork { first: *views.first()?, heads, joined, pieces })
}

/// Whether these times are those of a cork, one of them on a busy machine aside.
fn is_cork_time(times: Spread) -> bool {
    times.min >= CORK && times.median <= CORKED_HEAD
}

/// The verdict if each published event is late by the time of a cork, also one that comes alone,
/// and its publication is answered at once.
fn late_after_publication(record: &Record<'_>) -> Option<Verdict> {
    let sendings = sendings(record);
    let mut first = None;
    let mut times = Vec::new();
    for sending in &sendings {
        for view in listeners(record, sending) {
            let Some((event, at)) = published(&view, &sending.what.data) else { continue };
            first.get_or_insert((view, event.span.start));
            times.push(at.saturating_sub(sending.at));
        }
    }
    let late = Spread::of(times)?;
    // Of several events in a row, the later ones wait for less.
    let is_constant = late.min >= UNCORKED && late.median >= CORK && late.max <= CORKED_HEAD;
    let answered = Spread::of(sendings.iter().filter_map(|sending| {
        Duration::from_micros(sending.answered_us?).checked_sub(sending.at)
    }))?;
    let (view, offset) = first?;
    if !is_constant || late.count < AGAIN || answered.median * 4 >= late.min {
        return None;
    }
    let message = format!(
        "each of {} arrives {} to {} after its publication, which is answered after {}",
        count(late.count, "published event"),
        shown(late.min),
        shown(late.max),
        shown(answered.median),
    );
    let heads = record.subscriptions().filter(|view| view.is_stream());
    let heads = Spread::of(heads.filter_map(|view| time_to_head(&view)))?;
    if !is_cork_time(heads) || !answers_at_once(record, heads.min) {
        return Some(Verdict::Inconclusive(format!(
            "{message}: a timer in the server, or something on the way that waits for more to send"
        )));
    }
    let message = format!("{message}; the response headers are {} late, too", shown(heads.median));
    Some(Verdict::Fail(vec![Fault::at(&view, offset, message).so(CONSEQUENCE)]))
}

/// Whether the server answers something else in a fraction of that time: it is neither far away
/// nor slow.
fn answers_at_once(record: &Record<'_>, late: Duration) -> bool {
    let others = record.all().filter(|view| !view.is_stream() || view.request.method == "HEAD");
    others.filter_map(|view| time_to_head(&view)).any(|took| took * 4 < late)
}
