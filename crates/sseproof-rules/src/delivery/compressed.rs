//! A compressed stream flows as a plain one does.
//!
//! The times of the decoded events distinguish a compressor that is flushed after every event from
//! one that waits until its buffer is full; if the coding cannot be decoded, the times of the bytes.
//! Plain streams of the same record show the pace to expect.

use std::time::Duration;

use sseproof_http::Action;

use super::figures::{PREAMBLE, came, shown, together, waited_in_vain};
use super::mutants::{GZIP, compressed, until_end};
use crate::gzip::gzipped;
use crate::outcome::{count, is_hang};
use crate::timing::{LATE_AFTER_HEAD, TOGETHER};
use crate::{Fault, Mutant, Record, Rule, Verdict, View};

pub(super) const RULE: Rule = Rule {
    id: "delivery/compressed",
    judge,
    mutants: &[
        Mutant::new(
            "gzip-never-flushed",
            "sends only the header of gzip to a client that can decompress",
            |visit| {
                compressed(visit, |plan| {
                    let plan = plan.with_header("Content-Encoding", "gzip");
                    plan.cut(0, [Action::Write(GZIP.into()), Action::Hold])
                })
            },
        ),
        Mutant::new(
            "gzip-until-end",
            "sends a whole compressed stream at the moment in which it ends",
            |visit| compressed(visit, until_end),
        ),
        Mutant::new(
            "gzip-in-bursts",
            "flushes the compressor only with every thirtieth piece",
            |visit| compressed(visit, |plan| gzipped(plan, 30)),
        ),
        Mutant::new(
            "head-held-by-encoder",
            "sends no response headers to a client that can decompress",
            |visit| compressed(visit, |plan| plan.after([Action::Hold])),
        ),
    ],
};

/// So many events a plain stream must have carried in the time of a compressed one.
const SEVERAL: u32 = 3;
/// So many gaps between events make a pace.
const PACE: usize = 4;
/// So many events that come together are a burst.
const BURST: usize = 4;

/// How plain streams flow, at their slowest.
struct Pace {
    /// The longest time from the response headers to the first event.
    first: Duration,
    /// The longest time between two events.
    gap: Duration,
}

impl Pace {
    /// `None` where there are too few events to say.
    fn of(record: &Record<'_>) -> Option<Self> {
        let mut first = Duration::ZERO;
        let mut gaps = Vec::new();
        let is_plain = |view: &View<'_>| record.is_subscription(view) && !view.is_compressed();
        for view in record.streams().filter(is_plain) {
            let Some(head) = &view.head else { continue };
            let times: Vec<_> = view.events().map(|(_, at)| at).collect();
            let Some(begin) = times.first() else { continue };
            first = first.max(begin.saturating_sub(head.at));
            gaps.extend(times.windows(2).map(|pair| pair[1].saturating_sub(pair[0])));
        }
        let gap = *gaps.iter().max()?;
        (gaps.len() >= PACE).then_some(Self { first, gap })
    }

    /// How many events a plain stream carries within that time after its headers.
    fn events_within(&self, time: Duration) -> u32 {
        let Some(rest) = time.checked_sub(self.first) else { return 0 };
        let gap = self.gap.max(Duration::from_millis(1));
        u32::try_from(rest.as_micros() / gap.as_micros()).unwrap_or(u32::MAX).saturating_add(1)
    }
}

/// How the events reach a client that can decompress.
enum Flow {
    Plain,
    Flows(String),
    Held(Fault),
    Unclear(String),
}

fn judge(record: &Record<'_>) -> Verdict {
    let pace = Pace::of(record);
    let each: Vec<_> = record
        .subscriptions()
        .filter(offers)
        .filter_map(|view| flow(record, &view, pace.as_ref()))
        .collect();
    let mut faults = Vec::new();
    let mut flows = None;
    let mut doubt = None;
    for flow in &each {
        match flow {
            Flow::Plain => {}
            Flow::Held(fault) => faults.push(fault.clone()),
            Flow::Flows(how) => flows = flows.or(Some(how)),
            Flow::Unclear(why) => doubt = doubt.or(Some(why)),
        }
    }
    match (doubt, flows) {
        _ if each.is_empty() => {
            Verdict::Skip(match record.subscriptions().any(|view| offers(&view)) {
                true => "no client that offers to decompress got a stream".to_owned(),
                false => "no client offered to decompress".to_owned(),
            })
        }
        _ if !faults.is_empty() => Verdict::Fail(faults),
        (Some(why), _) => Verdict::Inconclusive(why.clone()),
        (None, Some(how)) => Verdict::Pass(how.clone()),
        (None, None) => Verdict::Pass("not compressed, although the client offers it".to_owned()),
    }
}

/// Whether the client offers to decode some coding.
fn offers(view: &View<'_>) -> bool {
    view.request.headers.list("accept-encoding").iter().any(|coding| {
        let name = coding.split(';').next().unwrap_or_default().trim();
        !matches!(name, "identity" | "")
    })
}

/// `None` if another exchange decides.
fn flow(record: &Record<'_>, view: &View<'_>, pace: Option<&Pace>) -> Option<Flow> {
    if let Some(waited) = waited_in_vain(view) {
        return Some(no_head(record, view, waited));
    }
    match view.status()? {
        300..400 => None,
        _ if view.is_stream() && !view.is_compressed() => Some(Flow::Plain),
        // Another rule names what is broken.
        _ if view.is_stream() && view.coding_fault.is_some() => {
            Some(Flow::Unclear("the compressed stream cannot be decompressed".to_owned()))
        }
        _ if view.is_stream() => Some(encoded(view, pace)),
        status => {
            Some(Flow::Unclear(format!("a client that offers to decompress is answered {status}")))
        }
    }
}

fn no_head(record: &Record<'_>, view: &View<'_>, waited: Duration) -> Flow {
    let message = format!(
        "no response headers came within {} to a client that can decompress, as every browser can",
        shown(waited)
    );
    if !is_hang(record, waited) {
        return Flow::Unclear(message);
    }
    Flow::Held(Fault::whole(view, message).so(
        "an encoder on the way holds back even the response headers until it has enough to compress: no browser gets an open stream",
    ))
}

/// How the events of a stream in a content coding come.
fn encoded(view: &View<'_>, pace: Option<&Pace>) -> Flow {
    let head = view.head.as_ref().map_or(view.started, |head| head.at);
    let watched = view.end.at.saturating_sub(head);
    let coding = view.head.as_ref().map(|head| head.headers.list("content-encoding").join(", "));
    let coding = coding.unwrap_or_default();
    let moments = if view.is_encoded() {
        together(came(view, PREAMBLE))
    } else {
        together(view.events().map(|(_, at)| at))
    };
    let arrivals: Vec<_> = moments.into_iter().map(|(at, _)| at).collect();
    let pieces = u32::try_from(arrivals.len()).unwrap_or(u32::MAX);
    let events = pace.map_or(0, |pace| pace.events_within(watched));
    let readable = view.events().count();
    let came = format!("{} came in {}", count(view.came_len(), "byte"), shown(watched));
    let came = if view.is_encoded() {
        came
    } else {
        format!("{came}, and {} could be read", count(readable, "event"))
    };
    let plain = pace.map_or_else(String::new, |pace| {
        format!(
            "while a plain stream has its first event after {} and then one every {} at the latest",
            shown(pace.first),
            shown(pace.gap)
        )
    });
    let whole = arrivals.first().filter(|at| {
        let ends = view.ended_by_server() && view.end.at.saturating_sub(**at) <= TOGETHER * 10;
        pieces == 1 && ends && at.saturating_sub(head) >= LATE_AFTER_HEAD
    });
    match (pieces, whole) {
        (0, _) if events >= SEVERAL => {
            let message = format!("compressed with {coding}, {came}, {plain}");
            let place = if view.coded.is_empty() { view.body_len() } else { 0 };
            Flow::Held(Fault::at(view, place, message).so(
                "a browser shows an open stream without a single event; a client that cannot decompress gets them all",
            ))
        }
        (_, Some(at)) if events >= SEVERAL => {
            let late = shown(at.saturating_sub(head));
            let message = format!(
                "compressed with {coding}, all events came together when the stream ended, {late} after the response headers, {plain}"
            );
            Flow::Held(Fault::at(view, 0, message))
        }
        _ if readable > 0
            && let Some((burst, gap)) = bursts(view, &arrivals, pace) =>
        {
            let message = format!(
                "compressed with {coding}, events come {burst} at a time, with up to {} of silence between, {plain}",
                shown(gap)
            );
            Flow::Held(Fault::at(view, 0, message).so(
                "the compressor is flushed, but not after every event: a browser shows events late",
            ))
        }
        (0, _) => Flow::Unclear(format!(
            "compressed with {coding}, {came}, and the plain streams are too slow to compare"
        )),
        _ if pieces.saturating_mul(4) < events => Flow::Unclear(format!(
            "compressed with {coding}, {came} in {}, {plain}",
            count(arrivals.len(), "piece")
        )),
        _ => Flow::Flows(format!(
            "compressed with {coding}, {came} in {}",
            count(arrivals.len(), "piece")
        )),
    }
}

/// How many events came together, and the longest time between two such bursts, where both are
/// clearly more than plain streams have.
fn bursts(
    view: &View<'_>,
    arrivals: &[Duration],
    pace: Option<&Pace>,
) -> Option<(usize, Duration)> {
    let pace = pace?;
    let head = view.head.as_ref()?.at;
    let begin = [head].into_iter().chain(arrivals.iter().copied());
    let gap = begin.zip(arrivals).map(|(before, at)| at.saturating_sub(before)).max()?;
    let burst = view.events().count() / arrivals.len().max(1);
    let is_long = gap >= LATE_AFTER_HEAD && gap >= pace.gap * 4 && gap >= pace.first * 2;
    (burst >= BURST && is_long).then_some((burst, gap))
}
