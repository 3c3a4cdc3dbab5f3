//! Events get through the proxy as the server sends them.
//!
//! Where both sides carry the same events, each is compared with itself; where each client gets a
//! stream of its own, only how the events are spread over the time is.

use std::time::Duration;

use sseproof_http::Action;
use sseproof_record::{Sample, Side};

use super::head_at_once;
use super::lateness::{Lateness, arrivals, clock, lateness};
use super::no_transform;
use super::sides::{Pair, compared, on_streams, pairs, through};
use crate::delivery::figures::{PREAMBLE, came, shown, time_to_head, together};
use crate::delivery::mutants::{buffered, corked};
use crate::outcome::count;
use crate::timing::{LATE_THROUGH_PROXY, LONGER_WAY, PAUSE, SENT_APART};
use crate::{Fault, Mutant, Record, Rule, Verdict, View};

/// So many events make a comparison; so many late ones are not an accident.
const SEVERAL: usize = 3;
/// One late event in so many is not an accident.
const OFTEN: usize = 4;
/// So many events at once are a burst.
const BURST: usize = 5;

pub(super) const RULE: Rule = Rule {
    id: "proxy/events-at-once",
    judge: |record| on_streams(record, judge),
    mutants: &[
        Mutant::new(
            "proxy-buffers",
            "is behind a proxy that sends its bytes on whenever there are 512 of them",
            |visit| through(visit, |_| buffered(visit, Some(512))),
        ),
        Mutant::new(
            "proxy-corks",
            "is behind a proxy that waits 400 ms for more before it sends an event",
            |visit| {
                let is_held = |action: &Action| matches!(action, Action::Write(_));
                through(visit, |plan| corked(plan, Duration::from_millis(400), is_held))
            },
        ),
    ],
};

fn judge(record: &Record<'_>) -> Verdict {
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
            "each of {} comes at least {on_way} later than directly",
            count(lateness.compared, "event")
        );
        return Some(Verdict::Fail(vec![Fault::at(&pair.through, lateness.offset, message)]));
    }
    if lateness.late >= SEVERAL && lateness.late * OFTEN >= lateness.compared {
        return Some(Verdict::Fail(vec![held_back(pair, &lateness)]));
    }
    if let Some(quick) = quick_answer(record, lateness.way) {
        let message = format!(
            "each of {} events comes at least {on_way} later than directly, while the proxy passes on the answer to {} within {}",
            lateness.compared,
            quick.request.method,
            shown(time_to_head(&quick).unwrap_or_default()),
        );
        let fault = Fault::at(&pair.through, lateness.offset, message).so(WAITS);
        return Some(Verdict::Fail(vec![fault]));
    }
    if lateness.joined >= SEVERAL && lateness.joined * OFTEN >= lateness.compared {
        let message = format!(
            "{} of {} events come through the proxy together with the event before, which the server itself sends {} earlier or more",
            lateness.joined,
            lateness.compared,
            shown(SENT_APART),
        );
        let fault = Fault::at(&pair.through, lateness.offset, message).so(WAITS);
        return Some(Verdict::Fail(vec![fault]));
    }
    Some(Verdict::Pass(format!(
        "{}, {on_way} later than directly{}",
        count(lateness.compared, "event"),
        match lateness.late {
            0 => String::new(),
            late => format!(", {late} of them by up to {} more", shown(lateness.most)),
        }
    )))
}

const WAITS: &str = "something in the proxy waits for more before it sends a small piece, as a cork or Nagle's algorithm does";

/// An answer that came through the proxy in a fraction of this time, if that is late: the way is
/// not as long as that.
fn quick_answer<'r>(record: &'r Record<'_>, way: Duration) -> Option<View<'r>> {
    let others = record
        .all()
        .filter(|view| view.via && (!view.is_stream() || view.request.method == "HEAD"));
    let mut quick = others.filter(|view| time_to_head(view).is_some_and(|took| took * 4 < way));
    quick.next().filter(|_| way >= LATE_THROUGH_PROXY)
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
        "{} of the server itself come at {} over {}",
        count(sent, "event"),
        count(direct.len(), "moment"),
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
        "{} at {}; {paces}",
        count(events(&here), "event"),
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
    let pieces =
        |view, after| together(came(view, after).filter(|at| (begun..=until).contains(at))).len();
    let (sent, came) = (pieces(direct, 0), pieces(through, PREAMBLE));
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
