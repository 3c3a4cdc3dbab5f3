//! Written bytes are sent at once, and do not wait in the kernel.
//!
//! A corked socket (`TCP_CORK`, `MSG_MORE`) holds back a packet that is not full for 200 ms.
//! A client recognises that: the response headers are 200 ms late on every connection, while whole
//! answers of the same server, which uncork the socket, come at once; and all bytes that were
//! written within 200 ms arrive as one piece, never sooner after the previous piece.

use std::collections::BTreeMap;
use std::time::Duration;

use super::arrivals::arrivals;
use super::figures::{Spread, shown, time_to_head};
use super::mutants::corked;
use crate::outcome::count;
use crate::timing::{CORK, CORKED_EVENTS, CORKED_HEAD, TOGETHER, UNCORKED};
use crate::{Fault, Mutant, Record, Rule, Verdict, View};

pub(super) const RULE: Rule = Rule {
    id: "delivery/corked",
    judge,
    mutants: &[Mutant::new(
        "corked-socket",
        "holds back each write for 200 ms, and sends it with the later ones",
        corked,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference;
    use crate::testing::{Run, URL};
    use sseproof_record::{Bytes, Chunk, Request};

    /// Subscribes to a stream whose headers come after so many milliseconds, and then these events.
    fn timed(run: Run, head: u64, pieces: &[(u64, usize)]) -> Run {
        run.subscribe().edit(|last| {
            let at = |millis: u64| last.started + Duration::from_millis(millis);
            let (head, end) = (at(head), at(10_000));
            let piece = |(millis, events): &(u64, usize)| Chunk {
                at: at(*millis),
                bytes: Bytes::from(&"data: x\n\n".repeat(*events)),
            };
            last.body = pieces.iter().map(piece).collect();
            last.head.as_mut().unwrap().at = head;
            last.end.at = end;
        })
    }

    /// With an answer to HEAD, which comes after so many milliseconds.
    fn head(run: Run, millis: u64) -> Run {
        let mut head = Request::subscribe(URL);
        head.method = "HEAD".to_owned();
        run.visit(head, Duration::from_secs(1)).edit(|last| {
            last.head.as_mut().unwrap().at = last.started + Duration::from_millis(millis);
        })
    }

    fn run() -> Run {
        Run::against(reference::answer)
    }

    /// As Puma sends a stream with an event each 200 ms.
    fn puma() -> Run {
        let first = timed(run(), 228, &[(228, 1), (460, 2), (853, 2), (1_244, 2), (1_644, 2)]);
        timed(timed(first, 212, &[(212, 1), (418, 2), (822, 2)]), 211, &[(211, 2)])
    }

    #[test]
    fn the_reference_passes() {
        head(run().subscribe().subscribe().subscribe(), 1).passes(&RULE);
    }

    #[test]
    fn the_mutant_fails() {
        let stay = |run: Run| run.visit(Request::subscribe(URL), Duration::from_millis(1_500));
        let run = head(stay(stay(stay(Run::against(RULE.mutants[0].serve)))), 1);
        let faults = run.faults(&RULE);
        assert!(
            faults[0].message.starts_with("the response headers of 3 streams come 200 ms"),
            "{faults:?}"
        );
    }

    #[test]
    fn pairs_after_late_headers_are_a_cork() {
        let faults = head(puma(), 2).faults(&RULE);
        assert_eq!(
            faults[0].message,
            "the response headers of 3 streams come 211 ms to 228 ms late, and 6 of 6 pieces after them bring several events together, none sooner than 150 ms after the previous one"
        );
    }

    #[test]
    fn a_server_that_is_far_away_is_not_corked() {
        head(puma(), 205).passes(&RULE);
        puma().passes(&RULE);
    }

    #[test]
    fn one_thing_that_a_cork_does_not_do_disproves_it() {
        let three = |pieces: &[(u64, usize)]| {
            let twice = timed(timed(run(), 205, pieces), 205, pieces);
            head(timed(twice, 205, pieces), 1)
        };
        three(&[(205, 1), (605, 2), (1_005, 2)]).faults(&RULE);
        // An event that follows soon, events that come alone, batches with long pauses.
        three(&[(205, 1), (605, 2), (705, 2)]).passes(&RULE);
        three(&[(205, 1), (405, 1), (605, 1)]).passes(&RULE);
        three(&[(205, 1), (1_205, 2), (2_205, 2)]).passes(&RULE);
        // Response headers that were quick once.
        head(timed(puma(), 5, &[(205, 1), (605, 2)]), 1).passes(&RULE);
    }

    #[test]
    fn the_end_of_an_answer_uncorks_it() {
        let ended = puma().edit(|last| {
            last.body.push(Chunk {
                at: last.body[0].at + Duration::from_millis(20),
                bytes: "data: y\n\n".into(),
            });
            last.end.how = sseproof_record::Ending::Complete;
        });
        head(ended, 1).faults(&RULE);
    }

    #[test]
    fn without_a_stream_there_is_nothing_to_judge() {
        Run::against(|visit| reference::answer(visit).with_status(404)).subscribe().skips(&RULE);
    }
}
