//! The stream on which a session listens for messages of the server.

use std::time::Duration;

use sseproof_http::{Action, Plan, Visit};
use sseproof_record::Ending;

use super::answer;
use super::statuses::is_ended;
use super::traffic::{is_foreign, is_in_session, knows_event, session, unspoken};
use crate::delivery::figures::{shown, waited_in_vain};
use crate::outcome::{Outcome, count};
use crate::timing::{BLOCKED, LISTENED, MISSING, PRODUCER_GONE};
use crate::{Fault, Mutant, Place, Record, Rule, Single, Verdict, View};

pub(super) const AGAIN: Rule = Rule {
    id: "mcp/listen-again",
    judge: again,
    mutants: &[
        Mutant::new(
            "mcp-listens-once",
            "keeps the place of a client that disconnected from the listening stream",
            |visit| refused_again(visit, 409),
        ),
        Mutant::new(
            "mcp-listens-again-with-500",
            "fails when a client opens the listening stream again",
            |visit| refused_again(visit, 500),
        ),
    ],
};

/// For mutants: the response of the reference, but this status for a client that reconnects.
fn refused_again(visit: &Visit<'_>, status: u16) -> Plan {
    match visit.request.last_event_id().is_some_and(|id| id.starts_with(b"listen-")) {
        true => Plan::answer(status, "text/plain", "one stream for each session\n"),
        false => answer(visit),
    }
}

/// The GETs in sessions, in order, without those that name an event that never came, and without
/// those that end since the server was asked to end.
fn gets<'r>(record: &'r Record<'_>) -> Vec<View<'r>> {
    let wanted = |view: &View<'_>| {
        view.request.method == "GET"
            && is_in_session(record, view)
            && !is_foreign(view)
            && !is_ended(record, view)
            && knows_event(record, view)
    };
    record.judged().filter(wanted).collect()
}

fn again(record: &Record<'_>) -> Verdict {
    if let Some(why) = unspoken(record) {
        return Verdict::Skip(why);
    }
    let gets = gets(record);
    let singles = gets.iter().filter_map(|left| opened_again(&gets, left));
    let holds = |times| format!("opened again {}", count(times, "time"));
    Single::sum(singles, holds, "no listening stream was left and opened again")
}

/// Whether the session got a listening stream after its client disconnected from this one.
fn opened_again(gets: &[View<'_>], left: &View<'_>) -> Option<Single> {
    if !left.is_stream() || left.end.how != Ending::Disconnected {
        return None;
    }
    let own = || gets.iter().filter(|view| session(view) == session(left));
    let is_free = |view: &View<'_>| {
        !own().any(|other| {
            other.is_stream()
                && other.started <= view.started
                && view.started < other.end.at
                && other.number != view.number
        })
    };
    let mut tries = own().filter(|view| view.started >= left.end.at && is_free(view)).peekable();
    tries.peek()?;
    let mut last = None;
    for view in tries {
        if view.is_stream() && !is_brief(view) {
            return Some(Single::Holds);
        }
        last = Some(view);
    }
    let last = last?;
    let outcome = Outcome::of(last);
    let until = if last.head.is_some() { last.started } else { last.end.at };
    let waited = until.saturating_sub(left.end.at);
    let hangs = waited_in_vain(last).is_some_and(|waited| waited >= BLOCKED);
    let message = format!(
        "{} after its client disconnected from the listening stream (exchange {}), the session gets {}",
        shown(waited),
        left.number,
        if last.is_stream() { "a stream that ends at once".to_owned() } else { outcome.describe() }
    );
    match outcome {
        // A client that asks too often is refused for that.
        Outcome::Status(401 | 403 | 429) | Outcome::Unreachable => Some(Single::Unclear(message)),
        _ if waited >= PRODUCER_GONE || hangs => {
            let place = if last.head.is_some() { Place::StatusLine } else { Place::Exchange };
            Some(Single::Broken(Fault::new(last, place, message)))
        }
        _ => Some(Single::Unclear(format!("{message}: too early to judge"))),
    }
}

pub(super) const OPEN: Rule = Rule {
    id: "mcp/listen-open",
    judge: open,
    mutants: &[
        Mutant::new("mcp-listens-briefly", "ends the listening stream at once", |visit| {
            ended_by(visit, &[Action::Finish])
        }),
        Mutant::new(
            "mcp-one-listener",
            "ends the first listening stream of a session when a second one is open",
            |visit| match visit.open {
                0 => ended_by(visit, &[Action::Wait(Duration::from_millis(1_600)), Action::Finish]),
                _ => answer(visit),
            },
        ),
    ],
};

/// For mutants: the response of the reference, with this end if it is a listening stream.
fn ended_by(visit: &Visit<'_>, end: &[Action]) -> Plan {
    let mut plan = answer(visit);
    if visit.request.method == "GET" && plan.actions.last() == Some(&Action::Hold) {
        plan.actions.pop();
        plan.actions.extend_from_slice(end);
    }
    plan
}

fn open(record: &Record<'_>) -> Verdict {
    if let Some(why) = unspoken(record) {
        return Verdict::Skip(why);
    }
    let is_first = |view: &View<'_>| view.is_stream() && view.request.last_event_id().is_none();
    let streams: Vec<_> = gets(record).into_iter().filter(is_first).collect();
    let singles = streams.iter().filter_map(|view| stays_open(&streams, view));
    let holds = |streams| format!("{} stayed open", count(streams, "stream"));
    Single::sum(singles, holds, "no listening stream was watched for long enough")
}

fn stays_open(streams: &[View<'_>], view: &View<'_>) -> Option<Single> {
    let was_open = open_for(view);
    if !view.ended_by_server() {
        return (was_open >= LISTENED).then_some(Single::Holds);
    }
    let end = view.end.at;
    // A second stream after which no other came, and which lasted longer, is the difference.
    let second = streams.iter().find(|second| {
        second.number > view.number
            && session(second) == session(view)
            && second.started < end
            && end.saturating_sub(second.started) <= MISSING
            && open_for(second) > was_open
    });
    let broken = |message| Some(Single::Broken(Fault::at(view, view.body_len(), message)));
    if let Some(second) = second.filter(|_| was_open >= LISTENED) {
        return broken(format!(
            "the server ends the stream when the session opens a second one (exchange {})",
            second.number
        ));
    }
    if !is_brief(view) {
        return None;
    }
    let others = || streams.iter().filter(|other| other.number != view.number);
    let each_time = others().any(is_brief) && !others().any(|other| open_for(other) >= LISTENED);
    if !each_time {
        return Some(Single::Unclear(format!(
            "the server ends a listening stream after {}, but not each time",
            shown(was_open)
        )));
    }
    broken(format!("the server ends the stream after {}, each time", shown(was_open)))
}

/// Whether the server ended the stream within a moment. A client waits for as long as the server
/// says: that is polling.
fn is_brief(view: &View<'_>) -> bool {
    let polls =
        || view.retries().any(|(retry, _)| u128::from(retry.millis) >= LISTENED.as_millis());
    view.ended_by_server() && open_for(view) < LISTENED && !polls()
}

/// For how long it was open after its response headers.
fn open_for(view: &View<'_>) -> Duration {
    let begun = view.head.as_ref().map_or(view.end.at, |head| head.at);
    view.end.at.saturating_sub(begun)
}
