//! A quiet stream keeps its connection alive.

use std::time::Duration;

use sseproof_http::Action;
use sseproof_record::Ending;

use super::figures::{came, shown};
use super::sendings::restarts;
use crate::outcome::Outcome;
use crate::timing::{IDLE_TIMEOUT, QUIET_BEFORE_BREAK, QUIET_BEFORE_CUT};
use crate::{Fault, Mutant, Record, Rule, Verdict, View, reference};

pub(crate) const RULE: Rule = Rule {
    id: "delivery/heartbeat",
    judge,
    mutants: &[Mutant::new(
        "no-heartbeat",
        "writes nothing at all once its events have run out",
        |visit| match visit.request.method.as_str() {
            "GET" => reference::answer(visit).cut(31, [Action::Hold]),
            _ => reference::answer(visit),
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    if let Some(verdict) = regular_cut(record) {
        return verdict;
    }
    let mut faults = Vec::new();
    let mut doubts = Vec::new();
    let mut beats = Vec::new();
    let mut longest_quiet = Duration::ZERO;
    let mut longest_stay = Duration::ZERO;
    for view in record.streams() {
        let Some(head) = &view.head else { continue };
        // A body of a stated length ends, or has another fault.
        if head.headers.has("content-length") {
            continue;
        }
        let stay = view.end.at.saturating_sub(head.at);
        longest_stay = longest_stay.max(stay);
        let silence = longest_gap(head.at, came(&view, 0), view.end.at);
        let cut = after_silence(&view);
        if let Some((quiet, true)) = cut {
            let message = format!("the connection breaks after {} of silence", shown(quiet));
            let so =
                "the client reconnects after each quiet time, and misses what happens meanwhile";
            faults.push(Fault::whole(&view, message).so(so));
            continue;
        }
        if silence.length >= IDLE_TIMEOUT {
            let message = format!(
                "no byte for {}, beginning {} after the response headers",
                shown(silence.length),
                shown(silence.start.saturating_sub(head.at)),
            );
            faults.push(Fault::whole(&view, message));
            continue;
        }
        if let Some((quiet, false)) = cut {
            doubts.push(format!(
                "the server ends exchange {} after {} of silence: a timeout, or on purpose",
                view.number,
                shown(quiet)
            ));
        }
        let quiet = longest_gap(head.at, eventful(&view), view.end.at).length;
        longest_quiet = longest_quiet.max(quiet);
        if quiet >= IDLE_TIMEOUT {
            beats.push(silence.length);
        }
    }
    if !faults.is_empty() {
        return Verdict::Fail(faults);
    }
    if let Some(doubt) = doubts.into_iter().next() {
        return Verdict::Inconclusive(doubt);
    }
    if let Some(longest) = beats.into_iter().max() {
        return Verdict::Pass(format!("never silent for longer than {}", shown(longest)));
    }
    if longest_stay >= IDLE_TIMEOUT {
        let note = format!(
            "the stream was never without events for longer than {}: run against a quiet one",
            shown(longest_quiet)
        );
        return Verdict::Skip(note);
    }
    Verdict::Skip(format!("no stream was open for {}: {}", shown(IDLE_TIMEOUT), why(record)))
}

/// Why no stream was open for long: the probe that waits was not played, or what became of it.
fn why(record: &Record<'_>) -> String {
    let idle = record.all().filter(|view| view.scenario == "idle").last();
    let Some(view) = idle else { return "run with --idle".to_owned() };
    match Outcome::of(&view) {
        Outcome::Stream if view.head.iter().any(|head| head.headers.has("content-length")) => {
            "the answer has a length: see response/content-length".to_owned()
        }
        Outcome::Stream if view.ended_by_server() => {
            format!("the server ends it after {}", shown(view.lasted()))
        }
        Outcome::Stream => format!("the client disconnected after {}", shown(view.lasted())),
        other => format!("the client got {}", other.describe()),
    }
}

/// The cause that ends quiet streams after the same time.
enum Cause {
    Silence(Duration),
    Age,
    Unknown,
}

/// The verdict on a server that ends its quiet streams, more than one, after the same time.
fn regular_cut(record: &Record<'_>) -> Option<Verdict> {
    let is_open_ended = |view: &View<'_>| {
        view.head.as_ref().is_some_and(|head| !head.headers.has("content-length"))
            && !restarts(record, &view.scenario)
    };
    let streams: Vec<_> = record
        .all()
        .filter(|view| !view.via && view.is_stream() && !view.is_encoded())
        .filter(|view| view.request.method != "HEAD" && is_open_ended(view))
        .collect();
    let mut quiet: Vec<_> = streams
        .iter()
        .filter(|view| view.ended_by_server())
        .map(|view| (silence_at_end(view), view))
        .filter(|(length, _)| *length >= QUIET_BEFORE_CUT)
        .collect();
    quiet.sort_by_key(|(length, view)| (*length, view.number));
    let are_alike = |one: Duration, other: Duration| one.abs_diff(other) <= (other / 10).max(ALIKE);
    let like = |length: Duration| quiet.iter().filter(move |(other, _)| are_alike(*other, length));
    let most =
        quiet.iter().map(|(length, _)| like(*length).count()).max().filter(|most| *most > 1)?;
    let &(length, first) = quiet.iter().find(|(length, _)| like(*length).count() == most)?;
    let cut: Vec<_> = like(length).collect();
    if streams
        .iter()
        .any(|view| silence(view) > length + ALIKE && !are_alike(silence(view), length))
    {
        return None;
    }
    let age = open_for(first);
    let outlived = streams.iter().map(open_for).filter(|open| *open >= age + APART).max();
    let busy_and_cut = |view: &&View<'_>| {
        view.ended_by_server()
            && are_alike(open_for(view), age)
            && silence_at_end(view) + APART <= length
    };
    let cause = match (outlived, streams.iter().any(|view| busy_and_cut(&view))) {
        (Some(open), false) => Cause::Silence(open),
        (None, true) => Cause::Age,
        _ => Cause::Unknown,
    };
    let breaks = cut.iter().any(|(_, view)| view.end.how != Ending::Complete);
    let what = if breaks { "cuts" } else { "ends" };
    let count = cut.len();
    let (seen, consequence) = match cause {
        Cause::Silence(open) => (
            format!("; one with events was open for {}", shown(open)),
            "an idle timeout: a comment that comes sooner keeps the stream open",
        ),
        Cause::Age => (
            "; one with events ends at the same age".to_owned(),
            "heartbeats do not help: look for a limit on the time of a response, such as a write timeout",
        ),
        Cause::Unknown => (
            String::new(),
            "an idle timeout, or a limit on the time of a response, such as a write timeout: with `publish` in the file of --target, --idle distinguishes the two",
        ),
    };
    let message = format!(
        "the server {what} each quiet stream after {} ({count} of {count}){seen}",
        shown(length)
    );
    Some(match cause {
        Cause::Age | Cause::Unknown if !breaks => {
            Verdict::Inconclusive(format!("{message}: a timeout, or on purpose"))
        }
        _ => Verdict::Fail(vec![Fault::whole(first, message).so(consequence)]),
    })
}

/// Two times of a server's timer differ by no more.
const ALIKE: Duration = Duration::from_millis(300);
/// A stream that lasts so much longer than another was not ended by the same limit.
const APART: Duration = Duration::from_secs(1);

fn open_for(view: &View<'_>) -> Duration {
    let head = view.head.as_ref().map_or(view.started, |head| head.at);
    view.end.at.saturating_sub(head)
}

fn silence(view: &View<'_>) -> Duration {
    let head = view.head.as_ref().map_or(view.started, |head| head.at);
    longest_gap(head, came(view, 0), view.end.at).length
}

/// How long nothing came before the stream ended.
fn silence_at_end(view: &View<'_>) -> Duration {
    let head = view.head.as_ref().map_or(view.started, |head| head.at);
    view.end.at.saturating_sub(came(view, 0).max().unwrap_or(head))
}

pub(crate) struct Gap {
    start: Duration,
    pub(crate) length: Duration,
}

/// The longest time without one of the moments.
pub(crate) fn longest_gap(
    from: Duration,
    moments: impl Iterator<Item = Duration>,
    to: Duration,
) -> Gap {
    let mut last = from;
    let mut longest = Gap { start: from, length: Duration::ZERO };
    for moment in moments.chain([to]) {
        let length = moment.saturating_sub(last);
        if length > longest.length {
            longest = Gap { start: last, length };
        }
        last = last.max(moment);
    }
    longest
}

/// The events that say something; one that is only a sign of life is none of them.
fn eventful(view: &View<'_>) -> impl Iterator<Item = Duration> {
    const SIGNS: [&str; 5] = ["ping", "heartbeat", "keepalive", "keep-alive", "keep_alive"];
    view.events()
        .filter(|(event, _)| {
            let sign = |text: &str| SIGNS.contains(&text.trim().to_ascii_lowercase().as_str());
            !sign(&event.event_type) && !sign(&event.data)
        })
        .map(|(_, at)| at)
}

/// How long it was quiet before the server, or something on the way, ended the stream, and whether
/// it broke; `None` where it was not quiet for long, or we left.
fn after_silence(view: &View<'_>) -> Option<(Duration, bool)> {
    if !view.ended_by_server() {
        return None;
    }
    let quiet = silence_at_end(view);
    (quiet >= QUIET_BEFORE_BREAK).then_some((quiet, view.end.how != Ending::Complete))
}
