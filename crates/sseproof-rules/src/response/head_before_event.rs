//! The response headers are sent before there is an event.
//!
//! In one exchange, headers that wait for the first event and headers that wait for another reason
//! (a login, a cold start) look alike.
//! So it is a fault only if the time has the rhythm of the events, or if the same resource answers
//! HEAD in a fraction of it.

use std::time::Duration;

use sseproof_http::{Action, Plan};

use super::answered::is_mute;
use super::on_stream;
use crate::delivery::arrivals::arrivals;
use crate::delivery::corked::is_corked;
use crate::delivery::figures::{shown, time_to_head};
use crate::delivery::one_by_one::is_held_with_events;
use crate::outcome::{NO_STREAM, Outcome, count};
use crate::plain::lacks_times;
use crate::timing::{QUICK_HEAD, SLOW_HEAD, TOGETHER, TOO_LATE};
use crate::{Fault, Mutant, Place, Record, Rule, Verdict, View};

pub(crate) const RULE: Rule = Rule {
    id: "response/head-before-event",
    judge,
    mutants: &[Mutant::new(
        "held-head",
        "sends the response headers only with the first event",
        |visit| on_stream(visit, |plan| held(plan, Duration::from_millis(800))),
    )],
};

/// The plan with its first event before its greeting, and the headers as late as that event.
fn held(mut plan: Plan, late: Duration) -> Plan {
    let is_write = |action: &Action| matches!(action, Action::Write(_));
    let mut writes = plan.actions.iter().enumerate().filter(|(_, action)| is_write(action));
    if let (Some((first, _)), Some((second, _))) = (writes.next(), writes.next()) {
        plan.actions.swap(first, second);
        // The waits between the two come before the headers.
        plan.actions.drain(first + 1..second);
        plan.actions.insert(first + 1, Action::Flush);
        return plan.after([Action::Wait(late)]);
    }
    plan
}

fn judge(record: &Record<'_>) -> Verdict {
    if let Some(verdict) = lacks_times(record) {
        return verdict;
    }
    if is_held_with_events(record) {
        let why =
            "a buffer holds back the response headers with the events: see delivery/one-by-one";
        return Verdict::Skip(why.to_owned());
    }
    if is_corked(record) {
        let why = "the kernel holds back the response headers with the events: see delivery/corked";
        return Verdict::Skip(why.to_owned());
    }
    if let Some(fault) = brought_by_publishing(record) {
        return Verdict::Fail(vec![fault]);
    }
    let mut apart = 0;
    let mut together = Vec::new();
    for view in record.streams() {
        let (Some(head), Some(took)) = (&view.head, time_to_head(&view)) else { continue };
        match view.first_event() {
            Some(event) if event.saturating_sub(head.at) <= TOGETHER => together.push((view, took)),
            // A stream without an event has its headers all the same.
            _ => apart += 1,
        }
    }
    if apart > 0 {
        return Verdict::Pass(format!(
            "{} sent the response headers before any event",
            count(apart, "stream")
        ));
    }
    let Some(slowest) = together.iter().map(|(_, took)| *took).max() else {
        return without_a_head(record);
    };
    let slow: Vec<_> = together.iter().filter(|(_, took)| *took > QUICK_HEAD).collect();
    if slow.len() < together.len() {
        return Verdict::Pass(format!(
            "{} of {} sent the response headers within {}",
            together.len() - slow.len(),
            count(together.len(), "stream"),
            shown(QUICK_HEAD)
        ));
    }
    let in_rhythm: Vec<_> =
        together.iter().filter(|(view, took)| is_the_interval(view, *took)).collect();
    let because = if in_rhythm.len() >= 2 {
        "as long as the time between two events".to_owned()
    } else if slowest <= SLOW_HEAD {
        return Verdict::Pass(format!(
            "{} sent the response headers within {}",
            count(together.len(), "stream"),
            shown(slowest)
        ));
    } else if let Some(head) = quick_head(record, slowest) {
        format!("while HEAD is answered within {}", shown(head))
    } else {
        return Verdict::Inconclusive(format!(
            "all response headers came together with the first event, after up to {}, which may be the normal time of an answer here",
            shown(slowest)
        ));
    };
    let Some((first, took)) = in_rhythm.first().copied().or(together.first()) else {
        return Verdict::Skip(NO_STREAM.to_owned());
    };
    let message = format!(
        "the response headers come together with the first event, after {}, {because}",
        shown(*took)
    );
    Verdict::Fail(vec![Fault::new(first, Place::StatusLine, message).so(
        "the client is not connected until the first event comes, which takes longer on a quiet stream",
    )])
}

/// A silent stream whose headers came as soon as an event was published, if there are several such
/// streams and no others.
fn brought_by_publishing(record: &Record<'_>) -> Option<Fault> {
    // A server that is always slow may be slow here, too.
    let quick = |view: &View<'_>| time_to_head(view).is_some_and(|took| took <= QUICK_HEAD);
    if !record.streams().any(|view| quick(&view)) {
        return None;
    }
    let mut brought = None;
    let mut several = 0;
    let fed = |view: &View<'_>| !view.published.is_empty() && !view.via && view.is_stream();
    for view in record.all().filter(fed) {
        let (Some(head), Some(took)) = (&view.head, time_to_head(&view)) else { continue };
        let sent = head.at.saturating_sub(took);
        let together = view.events().next();
        let together = together.filter(|(_, at)| at.saturating_sub(head.at) <= TOGETHER);
        let Some((event, _)) = together else {
            // Headers without an event show that none wait; but a client that reads nothing has seen
            // no event.
            if took < SLOW_HEAD {
                return None;
            }
            continue;
        };
        let published = view.published.first().and_then(|one| {
            let data = one.data.as_str();
            let is_this = |other: &View<'_>| other.request.body.to_text().contains(data);
            let is_first = !data.is_empty() && event.data.contains(data);
            is_first.then(|| record.all().find(is_this)).flatten()
        });
        let Some(published) = published.map(|publishing| publishing.started) else { continue };
        let behind = head.at.checked_sub(published);
        if behind.is_none_or(|behind| behind > SLOW_HEAD) {
            return None;
        }
        several += 1;
        let waited = published.saturating_sub(sent);
        // If an event was published sooner, the headers might have come soon without it, too.
        if waited < SLOW_HEAD {
            continue;
        }
        let message = format!(
            "the response headers come after {}, together with an event that was published {} after the request",
            shown(took),
            shown(waited)
        );
        brought.get_or_insert_with(|| {
            Fault::new(&view, Place::StatusLine, message)
                .so("the client is not connected until the first event comes")
        });
    }
    brought.filter(|_| several > 1)
}

/// The verdict if no stream came. If no subscription was ever answered, `response/answered` reports
/// that.
fn without_a_head(record: &Record<'_>) -> Verdict {
    let waits = record.subscriptions().filter_map(|view| match Outcome::of(&view) {
        Outcome::Silent(waited) if waited >= TOO_LATE => Some(waited),
        _ => None,
    });
    match waits.max() {
        _ if is_mute(record) => {
            Verdict::Skip("no subscription was answered: see response/answered".to_owned())
        }
        Some(wait) => {
            Verdict::Inconclusive(format!("no response headers came within {}", shown(wait)))
        }
        None => Verdict::Skip(NO_STREAM.to_owned()),
    }
}

/// Whether the headers took as long as the next event, within a tenth.
///
/// If later events come together, something holds them back, and their times have no rhythm.
fn is_the_interval(view: &View<'_>, took: Duration) -> bool {
    if arrivals(view).iter().skip(1).any(|arrival| arrival.events > 1) {
        return false;
    }
    let mut times = view.events().map(|(_, at)| at);
    let (Some(first), Some(second)) = (times.next(), times.next()) else { return false };
    let interval = second.saturating_sub(first);
    took.abs_diff(interval) * 10 <= interval
}

/// How long the slowest HEAD request took, if that is less than a quarter of the time.
fn quick_head(record: &Record<'_>, slowest: Duration) -> Option<Duration> {
    let heads = record.judged().filter(|view| view.request.method == "HEAD" && view.is_stream());
    heads.filter_map(|view| time_to_head(&view)).max().filter(|took| *took * 4 < slowest)
}
