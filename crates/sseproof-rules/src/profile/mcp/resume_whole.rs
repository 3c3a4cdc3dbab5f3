//! What is replayed has no gap.

use std::collections::BTreeSet;

use sseproof_record::Ending;

use super::event_id::are_unique;
use super::reference;
use super::traffic::{each, session};
use crate::profile::written::{Written, edit_events};
use crate::{Fault, Mutant, Record, Rule, Verdict, View};

pub(super) const RULE: Rule = Rule {
    id: "mcp/resume-whole",
    judge,
    mutants: &[Mutant::new(
        "mcp-replay-with-gap",
        "leaves an event out of what it replays",
        |visit| {
            let plan = reference::answer(visit);
            if visit.request.last_event_id().is_none() {
                return plan;
            }
            edit_events(plan, |index, event: Written| match index {
                1 => Vec::new(),
                _ => vec![event],
            })
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    if !are_unique(record) {
        return Verdict::Skip("an id stands for several events: see mcp/event-id".to_owned());
    }
    let none = "no stream was resumed: its events have no ids, or the server does not replay";
    let wanted = |view: &View<'_>| {
        view.request.method == "GET" && view.request.last_event_id().is_some() && view.is_stream()
    };
    each(record, "event", none, wanted, |view, tally| {
        let last = view.request.last_event_id().map(|id| id.to_text()).unwrap_or_default();
        let came: BTreeSet<_> = ids(view).collect();
        // A server need not replay at all; but one that begins has to go on.
        let Some(first) = record.all().find(|other| {
            other.number < view.number
                && session(other) == session(view)
                && other.end.how == Ending::Complete
                && ids(other).any(|id| id == last)
        }) else {
            return;
        };
        let behind: Vec<_> = ids(&first).skip_while(|id| *id != last).skip(1).collect();
        if !behind.iter().any(|id| came.contains(id)) {
            return;
        }
        tally.look_at(behind.len() as u64);
        for lost in behind.iter().filter(|id| !came.contains(*id)) {
            let message = format!("event {lost:?} of exchange {} is not replayed", first.number);
            tally.fault(|| Fault::whole(view, message));
        }
    })
}

/// The ids of the events that carry something.
fn ids<'r>(view: &View<'r>) -> impl Iterator<Item = &'r str> + use<'r> {
    let events = view.events().map(|(event, _)| event).filter(|event| event.sets_id);
    events.map(|event| &*event.last_event_id)
}
