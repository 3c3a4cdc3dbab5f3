//! A client that paused and reads on gets every event once, whole and in order, and later ones too.
//!
//! A server may close the stream of a slow client instead. Another client is the control: only
//! events that it got whole can be missed, and if its own events are torn or repeated, the pause is
//! not the cause.

use std::collections::{BTreeMap, BTreeSet};

use sseproof_codec::{Event, Item};
use sseproof_http::{Action, Plan, Visit};
use sseproof_record::{Ending, Lack, Numbered, RunEvent, RunEventKind};

use super::leaving::lacking;
use super::stalled::{NEVER_SERVED, around, beside, heard_before, stalled};
use crate::delivery::sendings::published;
use crate::timing::BLOCKED;
use crate::{Fault, Mutant, Record, Rule, Verdict, View, reference};
use sseproof_units::counted;

pub(super) const RULE: Rule = Rule {
    id: "lifecycle/after-pause",
    judge,
    mutants: &[
        Mutant::new(
            "writes-again",
            "writes a frame again that a slow client could not take",
            |visit| spoil(visit, &|frame| [frame, frame].concat()),
        ),
        Mutant::new("drops-for-the-slow", "drops every third event of a slow client", |visit| {
            spoil(visit, &|frame| if visit.earlier % 3 == 0 { Vec::new() } else { frame.to_vec() })
        }),
        Mutant::new("tears-for-the-slow", "writes half a frame to a slow client", |visit| {
            spoil(visit, &|frame| [&frame[..frame.len() / 2], b"\n\n"].concat())
        }),
        Mutant::new(
            "forgets-the-slow",
            "sends no more events to a client that was slow",
            |visit| spoil(visit, &|_| Vec::new()),
        ),
    ],
};

/// The topic of the first subscriber, who pauses if there is a second one.
const SLOW: &str = "slow";

/// The reference, with these frames for the first of two subscribers.
fn spoil(visit: &Visit<'_>, frame: &dyn Fn(&[u8]) -> Vec<u8>) -> Plan {
    let mut plan = reference::answer(visit);
    let body = String::from_utf8_lossy(&visit.request.body);
    let is_beside =
        visit.open >= 2 && ["-poured-", "-later-"].iter().any(|part| body.contains(part));
    let mut copies = Vec::new();
    for action in &mut plan.actions {
        match action {
            Action::Follow { topic, .. } if visit.open == 0 => SLOW.clone_into(topic),
            Action::Publish { bytes, .. } => {
                let bytes = if is_beside { frame(bytes).into() } else { bytes.clone() };
                copies.push(Action::Publish { topic: SLOW.to_owned(), bytes });
            }
            _ => {}
        }
    }
    copies.retain(|copy| !matches!(copy, Action::Publish { bytes, .. } if bytes.is_empty()));
    plan.after(copies)
}

fn judge(record: &Record<'_>) -> Verdict {
    let Some((slow, stall)) = stalled(record) else {
        return Verdict::Skip(lacking(record, &[Lack::Publish], "no client stopped to read"));
    };
    let (_, after) = around(record, stall);
    let reads_on = |event: &&RunEvent| matches!(event.what, RunEventKind::ReadOn { exchange } if exchange == slow.number);
    let Some(reads_on) = after.iter().position(reads_on) else {
        return Verdict::Skip("no client read on after a pause".to_owned());
    };
    let poured = after.iter().find_map(|event| match &event.what {
        RunEventKind::Poured { events: Some(events), .. } => Some(events),
        _ => None,
    });
    let (Some(poured), Some(quick)) = (poured, beside(record, &slow, stall)) else {
        return Verdict::Inconclusive(
            "no other client was there, or nothing was published".to_owned(),
        );
    };
    if !heard_before(&slow, stall.at) {
        return Verdict::Inconclusive(NEVER_SERVED.to_owned());
    }
    let control = Received::of(&quick, poured);
    if control.whole.is_empty() {
        return Verdict::Inconclusive("the other client got none of the events".to_owned());
    }
    let received = Received::of(&slow, poured);
    // A fault that a client without a pause has as well has another cause.
    let mut faults = control.faults(&quick, "while many events are published");
    if faults.is_empty() {
        faults = received.faults(&slow, "after a pause of the client");
    }
    let mut later = after[reads_on..].iter().filter_map(|event| match &event.what {
        RunEventKind::Published { what, .. } => Some((event.at, what)),
        _ => None,
    });
    let last = later.next_back();
    let newest = last.and_then(|(_, last)| published(&slow, &last.data));
    faults.extend(received.gap(&slow, &control, newest.map(|(event, _)| event.span.start)));
    let is_over = slow.ended_by_server();
    if let Some((at, last)) = last
        && published(&quick, &last.data).is_some()
        && newest.is_none()
        && !is_over
    {
        let quiet = slow.events().last().map_or(at, |(_, at)| at);
        if slow.end.how != Ending::Disconnected || slow.end.at < at.max(quiet) + BLOCKED {
            if faults.is_empty() {
                return Verdict::Inconclusive(
                    "the client that paused had not caught up yet".to_owned(),
                );
            }
        } else {
            faults.push(silence(&slow, &received, quiet));
        }
    }
    if !faults.is_empty() {
        faults.truncate(3);
        return Verdict::Fail(faults);
    }
    Verdict::Pass(if is_over {
        format!(
            "the server closed the stream of a client that paused, after {}",
            counted(received.whole.len() as u64, "whole event")
        )
    } else {
        format!(
            "{} arrived once, whole and in order after a pause",
            counted(received.whole.len() as u64, "event")
        )
    })
}

/// The numbered events of one client.
#[derive(Default)]
struct Received {
    /// The places of the whole ones, in the order of their arrival.
    whole: Vec<(u64, u64)>,
    /// The number and the place of those that are not whole.
    torn: Vec<(u64, u64)>,
}

impl Received {
    fn of(view: &View<'_>, poured: &Numbered) -> Self {
        let mut received = Self::default();
        for (event, _) in view.events() {
            let Some(number) = poured.number(&event.data) else { continue };
            let is_whole =
                event.data.len() >= poured.size && event.data.contains(&poured.data(number));
            let list = if is_whole { &mut received.whole } else { &mut received.torn };
            list.push((number, event.span.start));
        }
        received
    }

    fn numbers(&self) -> BTreeSet<u64> {
        self.whole.iter().map(|(number, _)| *number).collect()
    }

    /// Events that are torn, repeated or out of order.
    fn faults(&self, view: &View<'_>, when: &str) -> Vec<Fault> {
        let mut faults = Vec::new();
        if let Some((number, place)) = self.torn.first() {
            let message = format!("{when}, event {number} is torn{}", first_of(self.torn.len()));
            faults.push(
                Fault::at(view, *place, message)
                    .so("a part of the payload is lost, and the rest is taken for the whole"),
            );
        }
        let mut places = BTreeMap::new();
        let (mut again, mut behind, mut latest) = (Vec::new(), Vec::new(), 0);
        for &(number, place) in &self.whole {
            if places.insert(number, place).is_some() {
                again.push((number, place));
            } else if number < latest {
                behind.push((number, place));
            }
            latest = latest.max(number);
        }
        let kinds = [(again, "arrives twice"), (behind, "arrives after a later one")];
        for (found, what) in kinds {
            if let Some((number, place)) = found.first() {
                let message = format!("{when}, event {number} {what}{}", first_of(found.len()));
                faults.push(Fault::at(view, *place, message));
            }
        }
        faults
    }

    /// Events that never arrive although later ones do, without a word about it; `newest` is the
    /// place of an event that was published after all of them.
    fn gap(&self, view: &View<'_>, control: &Self, newest: Option<u64>) -> Option<Fault> {
        let own = self.numbers();
        let latest = newest.map_or_else(|| own.last().copied(), |_| Some(u64::MAX))?;
        let lost: Vec<u64> = control
            .numbers()
            .into_iter()
            .filter(|number| *number < latest && !own.contains(number))
            .collect();
        let first = *lost.first()?;
        let next = self.whole.iter().find(|(number, _)| *number > first);
        let next = next.map(|(_, place)| *place).or(newest)?;
        let before = self
            .whole
            .iter()
            .rev()
            .find(|(number, _)| *number < first)
            .map_or(0, |(_, place)| *place);
        let says_so = view.seen().iter().any(|seen| {
            matches!(&seen.item, Item::Event(event) if is_notice(event) && event.span.start > before && event.span.start <= next)
        });
        let message = format!(
            "after a pause of the client, {} never arrive{}, and nothing says so: the first is event {first}",
            counted(lost.len() as u64, "event"),
            if lost.len() == 1 { "s" } else { "" },
        );
        let consequence = "the client cannot know that it has to ask for them; a closed stream would make it reconnect";
        (!says_so).then(|| Fault::at(view, next, message).so(consequence))
    }
}

/// Whether the event is of another type than messages, as a notice of lost events would be.
fn is_notice(event: &Event<'_>) -> bool {
    event.event_type != "message" && !event.data.contains("-poured-")
}

fn silence(slow: &View<'_>, received: &Received, quiet: std::time::Duration) -> Fault {
    let comments = slow.comments().filter(|(_, at)| *at > quiet).count();
    let heard = match comments {
        0 => "nothing".to_owned(),
        count => counted(count as u64, "comment"),
    };
    let message = format!(
        "after a pause the client reads on, but gets no event that is published later: after {} it gets {heard}, and the stream stays open",
        counted(received.whole.len() as u64, "event"),
    );
    Fault::at(slow, slow.body_len(), message)
        .so("the client believes that it is connected and waits; a closed stream would make it reconnect")
}

fn first_of(count: usize) -> String {
    if count > 1 { format!(" (the first of {count})") } else { String::new() }
}
