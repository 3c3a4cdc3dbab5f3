//! Events get through the proxy as the server sends them.
//!
//! Where both sides carry the same events, each is compared with itself; where each client gets a
//! stream of its own, only how the events are spread over the time is.

use std::time::Duration;

use sseproof_record::{Action, Bytes, Plan, Sample, Side};

use super::head_at_once;
use super::lateness::{Lateness, arrivals, clock, lateness};
use super::no_transform;
use super::sides::{Pair, compared, no_stream, pairs, through};
use crate::delivery::figures::shown;
use crate::delivery::mutants::buffered;
use crate::outcome::count;
use crate::timing::{LONGER_WAY, PAUSE, TOGETHER};
use crate::{Fault, Mutant, Record, Rule, Verdict, View, reference};

/// So many events make a comparison; so many late ones are not an accident.
const SEVERAL: usize = 3;
/// One late event in so many is not an accident.
const OFTEN: usize = 4;
/// So many events at once are a burst.
const BURST: usize = 5;

pub(super) const RULE: Rule = Rule {
    id: "proxy/events-at-once",
    judge,
    mutants: &[
        Mutant::new(
            "proxy-buffers",
            "is behind a proxy that sends its bytes on whenever there are 512 of them",
            |visit| match reference::behind_proxy(visit.request) {
                Some(_) if visit.request.method == "GET" => buffered(visit, Some(512)),
                _ => reference::answer(visit),
            },
        ),
        Mutant::new(
            "proxy-corks",
            "is behind a proxy that waits 400 ms for more before it sends an event",
            |visit| through(visit, |plan| corked(plan, Duration::from_millis(400))),
        ),
    ],
};

/// The plan with each event kept until the first of those that are kept is that old; what comes with
/// the response headers are not.
fn corked(plan: Plan, time: Duration) -> Plan {
    let mut actions = Vec::new();
    let mut kept = Vec::new();
    let mut waited = Duration::ZERO;
    for action in plan.actions {
        match action {
            Action::Wait(pause) => {
                if !kept.is_empty() {
                    waited += pause;
                }
                actions.push(Action::Wait(pause));
                if waited >= time {
                    let bytes = std::mem::take(&mut kept);
                    actions.extend([Action::Write(Bytes::from(bytes)), Action::Flush]);
                    waited = Duration::ZERO;
                }
            }
            Action::Write(bytes) => kept.extend_from_slice(&bytes),
            Action::Flush => {}
            Action::Finish => {
                let bytes = std::mem::take(&mut kept);
                actions.extend([Action::Write(Bytes::from(bytes)), Action::Finish]);
            }
            other => actions.push(other),
        }
    }
    Plan { actions }
}

fn judge(record: &Record<'_>) -> Verdict {
    if let Some(verdict) = no_stream(record) {
        return verdict;
    }
    if head_at_once::holds_back(record) {
        return Verdict::Skip(
            "the response headers are held back, and the events with them: see proxy/head-at-once"
                .to_owned(),
        );
    }
    let mut verdicts: Vec<Verdict> = pairs(record, Sample::Stream)
        .iter()
        .filter(|pair| pair.flows())
        .filter_map(|pair| plain(record, pair))
        .collect();
    // Where plain events are held back, compressed ones have no cause of their own.
    let held = verdicts.iter().any(|verdict| matches!(verdict, Verdict::Fail(_)));
    if !held && !no_transform::transforms(record) {
        verdicts.extend(
            pairs(record, Sample::Compressed).iter().filter_map(|pair| coded(record, pair)),
        );
    }
    let rank = |verdict: &Verdict| match verdict {
        Verdict::Fail(_) => 0,
        Verdict::Pass(_) => 1,
        _ => 2,
    };
    let best = verdicts.into_iter().min_by_key(rank);
    best.unwrap_or_else(|| {
        Verdict::Inconclusive("no stream could be read on both sides at the same time".to_owned())
    })
}

/// The verdict on streams without a content coding; `None` where the two were not open together.
fn plain(record: &Record<'_>, pair: &Pair<'_>) -> Option<Verdict> {
    if !pair.direct.overlaps(&pair.through) {
        return None;
    }
    let control = match pair.sample {
        Sample::Stream => compared(record, &pair.direct.scenario, Side::Direct, Sample::Control),
        _ => None,
    };
    let lateness = lateness(pair, control.as_ref(), clock(record));
    let on_way = shown(lateness.way);
    if lateness.compared == 0 {
        return own_streams(pair, control.as_ref());
    }
    if lateness.compared < SEVERAL {
        let came = count(lateness.compared, "event");
        return Some(Verdict::Inconclusive(format!("only {came} came while both were open")));
    }
    if lateness.way >= LONGER_WAY {
        let message = format!(
            "each of {} events comes at least {on_way} later than directly",
            lateness.compared
        );
        return Some(Verdict::Fail(vec![Fault::at(&pair.through, lateness.offset, message)]));
    }
    if lateness.late >= SEVERAL && lateness.late * OFTEN >= lateness.compared {
        return Some(Verdict::Fail(vec![held_back(pair, &lateness)]));
    }
    Some(Verdict::Pass(format!(
        "{} events, {on_way} later than directly{}",
        lateness.compared,
        match lateness.late {
            0 => String::new(),
            late => format!(", {late} of them by up to {} more", shown(lateness.most)),
        }
    )))
}

fn held_back(pair: &Pair<'_>, lateness: &Lateness) -> Fault {
    let Lateness { compared, late, missing, .. } = *lateness;
    let at_a_time = |view| arrivals(view).into_iter().map(|(_, count)| count).max().unwrap_or(0);
    let not_there = match missing {
        0 => String::new(),
        missing => format!(" ({missing} of them had not come when we left)"),
    };
    let message = format!(
        "{late} of {compared} events come late through the proxy, by up to {}{not_there}; they come {} at a time at most, directly {}",
        shown(lateness.most),
        at_a_time(&pair.through),
        at_a_time(&pair.direct),
    );
    Fault::at(&pair.through, lateness.offset, message)
}

/// The verdict if no event is the same on both sides: whether those through the proxy come
/// in bursts, or not at all, while the server itself sends them one by one.
fn own_streams(pair: &Pair<'_>, control: Option<&View<'_>>) -> Option<Verdict> {
    let direct = arrivals(&pair.direct);
    let here = arrivals(&pair.through);
    let events =
        |arrivals: &[(Duration, usize)]| arrivals.iter().map(|(_, count)| count).sum::<usize>();
    let spread = |arrivals: &[(Duration, usize)]| {
        let (first, last) = (arrivals.first()?.0, arrivals.last()?.0);
        Some(last.saturating_sub(first))
    };
    let is_spread = direct.len() >= BURST && spread(&direct) >= Some(LONGER_WAY);
    let sent = events(&direct);
    if !is_spread {
        return Some(Verdict::Inconclusive(format!(
            "no event was the same on both sides, and {} from the server itself make no pace",
            count(sent, "event")
        )));
    }
    let paces = format!(
        "{sent} events of the server itself come at {} moments over {}",
        direct.len(),
        shown(spread(&direct).unwrap_or_default())
    );
    let watched = pair.through.end.at.saturating_sub(pair.through.head.as_ref()?.at);
    // A server may have served only so many clients at a time.
    let serves_all = control.is_none_or(|control| arrivals(control).len() >= SEVERAL);
    if here.is_empty() && watched >= LONGER_WAY * 2 && serves_all && !pair.through.ended_by_server()
    {
        let message =
            format!("no event comes through the proxy within {}; {paces}", shown(watched));
        return Some(Verdict::Fail(vec![Fault::at(&pair.through, 0, message)]));
    }
    let begun = pair.through.head.as_ref()?.at;
    let before = std::iter::once(begun).chain(here.iter().map(|(at, _)| *at));
    let bursts: usize = before
        .zip(&here)
        .filter(|(before, (at, events))| *events >= BURST && at.saturating_sub(*before) >= PAUSE)
        .map(|(_, (_, events))| events)
        .sum();
    let most = direct.iter().map(|(_, count)| *count).max().unwrap_or_default();
    let largest = here.iter().map(|(_, count)| *count).max().unwrap_or_default();
    if largest >= most * 4 && bursts * 10 >= events(&here) * 9 {
        let message = format!(
            "{} events come at {} through the proxy, up to {largest} at once; {paces}",
            events(&here),
            count(here.len(), "moment"),
        );
        return Some(Verdict::Fail(vec![Fault::at(&pair.through, 0, message)]));
    }
    Some(Verdict::Pass(format!(
        "{} events at {}; {paces}",
        events(&here),
        count(here.len(), "moment")
    )))
}

/// The verdict on streams whose client accepts compression; `None` where the proxy does not
/// compress, or nothing can be compared.
fn coded(record: &Record<'_>, pair: &Pair<'_>) -> Option<Verdict> {
    let Pair { direct, through, .. } = pair;
    if !through.is_compressed() {
        return if pair.flows() { plain(record, pair) } else { None };
    }
    let coding = through.head.as_ref()?.headers.list("content-encoding").join(", ");
    let until = direct.end.at.min(through.end.at);
    let begun = through.head.as_ref()?.at.max(direct.head.as_ref()?.at);
    let sent = pieces(direct, begun, until, 0);
    let came = pieces(through, begun, until, PREAMBLE);
    if sent < BURST || through.ended_by_server() {
        return None;
    }
    let figures = format!(
        "compressed with {coding} by the proxy, {} came in {} within {}; directly {sent} did",
        count(usize::try_from(through.came_len()).unwrap_or(usize::MAX), "byte"),
        count(came, "piece"),
        shown(until.saturating_sub(begun)),
    );
    Some(if came * 4 <= sent {
        Verdict::Fail(vec![Fault::at(through, through.body_len(), figures).so(
            "a browser, which accepts compression, gets an open stream without events; a client that does not accept it gets them all",
        )])
    } else {
        Verdict::Pass(figures)
    })
}

/// The longest preamble of a coding (zstd: magic number and frame header) has 18 bytes.
const PREAMBLE: u64 = 32;

/// At how many moments bytes came, after the first few.
fn pieces(view: &View<'_>, from: Duration, until: Duration, behind: u64) -> usize {
    let mut end = 0;
    let mut last: Option<Duration> = None;
    let mut pieces = 0;
    for chunk in view.came().iter().filter(|chunk| !chunk.bytes.is_empty()) {
        end += chunk.bytes.len() as u64;
        let is_new = last.is_none_or(|last| chunk.at > last + TOGETHER);
        if end > behind && is_new && chunk.at >= from && chunk.at <= until {
            pieces += 1;
            last = Some(chunk.at);
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proxy::testing::{beside, events, later};
    use sseproof_record::Bytes;

    const STAY: Duration = Duration::from_millis(1_900);

    const ONE_BY_ONE: [(u64, &str); 6] =
        [(200, "a"), (400, "b"), (600, "c"), (800, "d"), (1_000, "e"), (1_200, "f")];

    fn shifted(by: [u64; 6]) -> Vec<(u64, &'static str)> {
        ONE_BY_ONE.iter().zip(by).map(|((at, data), by)| (at + by, *data)).collect()
    }

    #[test]
    fn what_comes_at_once_passes() {
        beside(reference::answer, STAY).passes(&RULE);
        events(&ONE_BY_ONE, &ONE_BY_ONE).passes(&RULE);
    }

    #[test]
    fn each_mutant_fails_with_both_figures() {
        let message =
            |n: usize| beside(RULE.mutants[n].serve, STAY).faults(&RULE)[0].message.clone();
        assert!(message(0).contains("of 36 events come late through the proxy"), "{}", message(0));
        assert!(
            message(1).ends_with("they come 8 at a time at most, directly 1"),
            "{}",
            message(1)
        );
    }

    #[test]
    fn pairs_are_late_by_every_other_event() {
        let faults = events(&shifted([200, 0, 200, 0, 200, 0]), &ONE_BY_ONE).faults(&RULE);
        assert_eq!(
            faults[0].message,
            "3 of 6 events come late through the proxy, by up to 199 ms; they come 2 at a time at most, directly 1"
        );
    }

    #[test]
    fn a_long_way_is_no_fault_unless_it_is_very_long() {
        events(&shifted([400; 6]), &ONE_BY_ONE).passes(&RULE);
        let faults = events(&shifted([1_400; 6]), &ONE_BY_ONE).faults(&RULE);
        assert!(faults[0].message.starts_with("each of 6 events comes at least 1.40 s later"));
    }

    #[test]
    fn one_or_two_late_events_pass() {
        events(&shifted([0, 0, 300, 300, 0, 0]), &ONE_BY_ONE).passes(&RULE);
    }

    #[test]
    fn a_server_that_is_late_and_bursty_itself_is_not_blamed_on_the_proxy() {
        let bursts: Vec<_> = shifted([1_000, 800, 600, 400, 200, 0]);
        events(&bursts, &bursts).passes(&RULE);
        // And where it is later directly.
        events(&ONE_BY_ONE, &bursts).passes(&RULE);
    }

    #[test]
    fn what_never_comes_is_late_only_where_the_server_gives_it_to_everybody() {
        let run = || events(&ONE_BY_ONE[..2], &ONE_BY_ONE);
        let faults = run().faults(&RULE);
        assert!(faults[0].message.contains("(4 of them had not come when we left)"), "{faults:?}");
        // Another subscriber does not get them either: each may have its share.
        let shares = run().edit_at(3, |control| control.body.truncate(1));
        shares.is_inconclusive(&RULE);
    }

    #[test]
    fn streams_of_ones_own_are_compared_by_their_pace() {
        let own = |from: &[(u64, &str)], mark: &str| {
            let of: Vec<_> = from.iter().map(|(at, data)| (*at, format!("{mark}{data}"))).collect();
            of
        };
        let run = |through: &[(u64, &str)]| {
            let (through, direct) = (own(through, "x"), own(&ONE_BY_ONE, "y"));
            fn lent(of: &[(u64, String)]) -> Vec<(u64, &str)> {
                of.iter().map(|(at, data)| (*at, data.as_str())).collect()
            }
            events(&lent(&through), &lent(&direct))
        };
        run(&ONE_BY_ONE).passes(&RULE);
        let faults = run(&shifted([1_000, 800, 600, 400, 200, 0])).faults(&RULE);
        assert_eq!(
            faults[0].message,
            "6 events come at 1 moment through the proxy, up to 6 at once; 6 events of the server itself come at 6 moments over 1 s"
        );
        let control = own(&ONE_BY_ONE, "z");
        let none = run(&[]).edit_at(3, |third| {
            for (chunk, (_, data)) in third.body.iter_mut().zip(&control) {
                chunk.bytes = Bytes::from(format!("data: {data}\n\n"));
            }
        });
        let message = none.faults(&RULE)[0].message.clone();
        assert!(message.starts_with("no event comes through the proxy"), "{message}");
    }

    #[test]
    fn a_compressor_that_waits_is_a_fault_where_it_is_allowed() {
        let run = |flows: bool| {
            let run = events(&ONE_BY_ONE, &ONE_BY_ONE);
            let run = later(run, "through-coded", Duration::from_millis(10), STAY).edit(|last| {
                last.head.as_mut().unwrap().headers.set("Content-Encoding", "gzip");
                last.body.truncate(if flows { 40 } else { 1 });
            });
            later(run, "direct-coded", Duration::from_millis(20), STAY)
                .edit(|last| last.head.as_mut().unwrap().headers.set("Cache-Control", "no-store"))
        };
        let faults = run(false).faults(&RULE);
        assert!(faults[0].message.starts_with("compressed with gzip by the proxy"), "{faults:?}");
        run(true).passes(&RULE);
    }

    #[test]
    fn too_few_events_are_thin() {
        events(&ONE_BY_ONE[..1], &ONE_BY_ONE[..1]).is_inconclusive(&RULE);
        events(&[], &[]).is_inconclusive(&RULE);
    }

    #[test]
    fn what_the_server_makes_for_each_client_is_compared_by_its_age() {
        // The response headers were late, so the other streams began half a second after this one.
        let late = |run: crate::testing::Run| {
            let half = Duration::from_millis(500);
            let behind = |view: &mut sseproof_record::Exchange| {
                view.started += half;
                view.phases.sent = Some(view.started);
                view.end.at += half;
                view.body.iter_mut().for_each(|chunk| chunk.at += half);
                view.head.as_mut().unwrap().at += half;
            };
            run.edit_at(2, behind).edit_at(3, behind)
        };
        let run = || late(events(&shifted([400, 200, 400, 200, 400, 200]), &ONE_BY_ONE));
        // One sample does not show whether that is so.
        run().passes(&RULE);
        let (mut body, mut begun) = (Vec::new(), Duration::ZERO);
        let known = run().edit_at(2, |direct| {
            (body, begun) = (direct.body.clone(), direct.started);
        });
        let known = later(known, "direct-later", Duration::from_secs(2), STAY).edit(|last| {
            let since = last.started - begun;
            body.iter_mut().for_each(|chunk| chunk.at += since);
            last.body = body;
        });
        let faults = known.faults(&RULE);
        assert!(faults[0].message.starts_with("3 of 6 events come late"), "{faults:?}");
    }

    #[test]
    fn the_cork_lets_everything_go_in_the_end() {
        let run = beside(RULE.mutants[1].serve, Duration::from_secs(5));
        let lens: Vec<_> = run.transcript().exchanges.iter().map(|one| one.body_len()).collect();
        assert_eq!(lens[0], lens[1]);
    }
}
