//! Ids are unique in a session.

use std::collections::BTreeMap;

use super::rewritten;
use super::traffic::{each, session};
use crate::profile::written::Written;
use crate::{Fault, Mutant, Record, Rule, Verdict, View};

pub(super) const RULE: Rule = Rule {
    id: "mcp/event-id",
    judge,
    mutants: &[Mutant::new(
        "mcp-ids-from-one",
        "counts the events of each stream from 1",
        |visit| {
            rewritten(visit, |index, event| {
                vec![Written { id: event.id.map(|_| (index + 1).to_string()), ..event }]
            })
        },
    )],
};

/// Where an id was seen twice: in that exchange at that offset, and first in the other one.
struct Twice {
    exchange: usize,
    offset: u64,
    id: String,
    before: usize,
}

/// The ids that events share. What is sent again to a client that comes back has the old ids.
fn twice(record: &Record<'_>) -> Vec<Twice> {
    let mut known = BTreeMap::new();
    let mut twice = Vec::new();
    for view in streams(record) {
        for (event, _) in view.events().filter(|(event, _)| event.sets_id) {
            let id = event.last_event_id.to_string();
            if let Some(before) = known.insert((session(&view), id.clone()), view.number) {
                let (exchange, offset) = (view.number, event.span.start);
                twice.push(Twice { exchange, offset, id, before });
            }
        }
    }
    twice
}

/// The streams that are no rest of an earlier one.
fn streams<'r>(record: &'r Record<'_>) -> impl Iterator<Item = View<'r>> {
    record.all().filter(|view| view.is_stream() && view.request.last_event_id().is_none())
}

/// Whether an id says which event is meant.
pub(super) fn are_unique(record: &Record<'_>) -> bool {
    twice(record).is_empty()
}

fn judge(record: &Record<'_>) -> Verdict {
    let none = "no event has an id, so no stream can be resumed";
    let twice = twice(record);
    let wanted = |view: &View<'_>| view.is_stream() && view.request.last_event_id().is_none();
    each(record, "id", none, wanted, |view, tally| {
        tally.look_at(view.events().filter(|(event, _)| event.sets_id).count() as u64);
        for twice in twice.iter().filter(|twice| twice.exchange == view.number) {
            let (id, before) = (&twice.id, twice.before);
            let message = format!("an event of exchange {before} has the id {id:?}, too");
            tally.fault(|| Fault::at(view, twice.offset, message));
        }
    })
}
