//! An id stands for one event of a stream.

use sseproof_codec::Event;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use super::tally::{counted, none_of};
use super::{quoted, spoil};
use crate::timing::{ID_GROUP, LONG_ID_GROUP, REPLAYED};
use crate::{Fault, Mutant, Record, Rule, Verdict, View};

pub(crate) const RULE: Rule = Rule {
    id: "stream/id-unique",
    judge,
    mutants: &[
        Mutant::new("id-again", "gives an id to a second event", |visit| {
            spoil(visit, |plan| {
                let mut first = Vec::new();
                let plan = plan.map_writes(|index, bytes| {
                    if index == 1 {
                        first = bytes.split(|&byte| byte == b'\n').next().unwrap_or(&[]).to_vec();
                    }
                    bytes
                });
                plan.insert(3, [&first[..], b"\ndata: another\n\n"].concat())
            })
        }),
        Mutant::new("id-of-heartbeats", "gives all heartbeats one id", |visit| {
            spoil(visit, |plan| {
                let beat = b"event: ping\nid: 0\ndata: {}\n\n";
                [4, 15, 26, 37].into_iter().fold(plan, |plan, index| plan.insert(index, beat))
            })
        }),
        Mutant::new("id-of-the-session", "gives every event the same id", |visit| {
            spoil(visit, |plan| {
                plan.map_writes(|index, bytes| match index {
                    0 => bytes,
                    _ => format!("id: session\ndata: {{\"n\":{index}}}\n\n").into(),
                })
            })
        }),
    ],
};

/// How many events a single id must cover before it is a constant and not a checkpoint.
const CONSTANT: usize = 3;

fn judge(record: &Record<'_>) -> Verdict {
    let mut faults = Vec::new();
    let mut doubt = None;
    let mut looked = 0;
    for view in record.streams() {
        let events = own_ids(&view);
        looked += events.len() as u64;
        if let Some(fault) = constant(record, &view, &events).or_else(|| again(&view, &events)) {
            faults.push(fault);
        } else if let Some(pair) = events.windows(2).find(|pair| clash(pair[0], pair[1])) {
            doubt = Some((view.number, quoted(pair[0].last_event_id.as_bytes())));
        }
    }
    if faults.is_empty() {
        faults = beats(record);
    }
    faults.truncate(3);
    match doubt {
        _ if !faults.is_empty() => Verdict::Fail(faults),
        Some((number, id)) => Verdict::Inconclusive(format!(
            "exchange {number} has several events in a row with the id {id}: if it marks the group, a client that loses its connection inside the group cannot resume there"
        )),
        None if looked == 0 => Verdict::Skip(none_of("id")),
        None => Verdict::Pass(counted(looked, "id")),
    }
}

/// Whether the events are two, and not one that came twice.
fn clash(one: &Event<'_>, other: &Event<'_>) -> bool {
    one.last_event_id == other.last_event_id
        && (&one.data, &one.event_type) != (&other.data, &other.event_type)
}

/// All events have the same id, and are not a single group that a client may get at once.
fn constant(record: &Record<'_>, view: &View<'_>, events: &[&Event<'_>]) -> Option<Fault> {
    let (first, rest) = events.split_first()?;
    let spread = arrival(view, rest.last()?).saturating_sub(arrival(view, first));
    let elsewhere = record.streams().any(|other| {
        other.events().any(|(e, _)| e.sets_id && e.last_event_id != first.last_event_id)
    });
    let may_be_one_group = match elsewhere {
        true => spread < LONG_ID_GROUP,
        false => spread < ID_GROUP && !view.ended_by_server(),
    };
    if may_be_one_group {
        return None;
    }
    let all_clash = rest.iter().all(|event| event.last_event_id == first.last_event_id)
        && rest.iter().filter(|event| clash(first, event)).count() + 1 >= CONSTANT;
    all_clash.then(|| {
        let id = quoted(first.last_event_id.as_bytes());
        let message = format!("all {} events have the id {id}", events.len());
        Fault::at(view, rest[0].span.start, message)
            .so("a client that reconnects with it cannot tell the server its place in the stream")
    })
}

/// Events with one id that come now and then among others, as heartbeats do: one fault for each id.
fn beats(record: &Record<'_>) -> Vec<Fault> {
    let all = apart(record).into_iter().filter(|(_, found)| found.len() >= CONSTANT);
    all.map(|(id, found)| {
        let (view, event) = found[1];
        let message = format!(
            "events with the id {} come at {} different times, each after another id",
            quoted(id.as_bytes()),
            found.len()
        );
        let so = "a client that reconnects after one of them cannot tell the server its place in the stream";
        Fault::at(&view, event.span.start, message).so(so)
    })
    .collect()
}

/// The ids that stand for no place in a stream, as where all heartbeats have one.
pub(crate) fn of_no_place(record: &Record<'_>) -> BTreeSet<String> {
    let all = apart(record).into_iter().filter(|(_, found)| found.len() > 1);
    all.map(|(id, _)| id.to_owned()).collect()
}

/// The events of each id that happened at different times, each after another id.
///
/// Only what happens while a new client is there counts: the same event comes again with a replay,
/// with the state that each client gets first, and to several clients at the same time.
fn apart<'r>(record: &'r Record<'_>) -> BTreeMap<&'r str, Vec<(View<'r>, &'r Event<'static>)>> {
    let mut seen = BTreeMap::<&str, Vec<_>>::new();
    for view in record.streams().filter(|view| view.request.last_event_id().is_none()) {
        let Some(head) = view.head.as_ref().map(|head| head.at) else { continue };
        for pair in own_ids(&view).windows(2) {
            let (before, event) = (&*pair[0].last_event_id, pair[1]);
            let at = arrival(&view, event);
            if before != event.last_event_id && at.saturating_sub(head) >= REPLAYED {
                seen.entry(&event.last_event_id).or_default().push((at, before, view, event));
            }
        }
    }
    let distinct = |mut found: Vec<(Duration, &str, View<'r>, &'r Event<'static>)>| {
        found.sort_by_key(|(at, ..)| *at);
        let mut kept = Vec::<(Duration, &str, _, _)>::new();
        for one in found {
            let is_new = |(at, before, ..): &(Duration, &str, _, _)| {
                one.0.saturating_sub(*at) >= ID_GROUP && *before != one.1
            };
            if kept.iter().all(is_new) {
                kept.push(one);
            }
        }
        kept.into_iter().map(|(_, _, view, event)| (view, event)).collect()
    };
    seen.into_iter().map(|(id, found)| (id, distinct(found))).collect()
}

fn own_ids<'r>(view: &View<'r>) -> Vec<&'r Event<'static>> {
    let own = |event: &&Event<'_>| event.sets_id && !event.last_event_id.is_empty();
    view.events().map(|(event, _)| event).filter(own).collect()
}

fn arrival(view: &View<'_>, event: &Event<'_>) -> Duration {
    view.arrival(event.span.end.saturating_sub(1))
}

/// An id is repeated after another one.
fn again(view: &View<'_>, events: &[&Event<'_>]) -> Option<Fault> {
    let mut last: HashMap<&str, (usize, &Event<'_>)> = HashMap::new();
    for (index, event) in events.iter().enumerate() {
        let before = last.insert(&event.last_event_id, (index, event));
        let Some((earlier, other)) = before else { continue };
        let others_between =
            events[earlier + 1..index].iter().any(|e| e.last_event_id != event.last_event_id);
        if others_between && clash(other, event) {
            let id = quoted(event.last_event_id.as_bytes());
            let message = format!("a second event has the id {id}, with other ids between the two");
            return Some(Fault::at(view, event.span.start, message));
        }
    }
    None
}
