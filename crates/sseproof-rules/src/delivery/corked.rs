//! Written bytes are sent at once, and do not wait in the kernel.
//!
//! A corked socket (`TCP_CORK`, `MSG_MORE`) holds back a packet that is not full for 200 ms.
//! A client recognises that: the response headers are 200 ms late on every connection, while whole
//! answers of the same server, which uncork the socket, come at once; and all bytes that were
//! written within 200 ms arrive as one piece, never sooner after the previous piece.

use std::collections::BTreeMap;
use std::time::Duration;

use sseproof_http::Action;

use super::arrivals::arrivals;
use super::figures::{Spread, shown, time_to_head};
use super::mutants::corked;
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
            .so("the last event before a pause waits for 200 ms, and so do the response headers of every stream")
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
    if heads.min < CORK || heads.max > CORKED_HEAD {
        return None;
    }
    let (mut joined, mut pieces) = (0, 0);
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
            if gap < UNCORKED {
                return None;
            }
            pieces += 1;
            joined += usize::from(arrival.events > 1 && gap <= CORKED_EVENTS);
        }
    }
    let again = heads.count.min(joined) >= AGAIN && joined * 3 >= pieces;
    again.then_some(Cork { first: *views.first()?, heads, joined, pieces })
}

/// Whether the server answers something else in a fraction of that time: it is neither far away
/// nor slow.
fn answers_at_once(record: &Record<'_>, late: Duration) -> bool {
    let others = record.all().filter(|view| !view.is_stream() || view.request.method == "HEAD");
    others.filter_map(|view| time_to_head(&view)).any(|took| took * 4 < late)
}
