//! A client that comes back gets what it missed.

use sseproof_record::{Action, Plan};

use super::reference;
use super::traffic::{Update, each, is_on, seen, streams, taken, wanted_ids};
use crate::{Fault, Mutant, Record, Rule, Verdict, View};

pub(super) const RULE: Rule = Rule {
    id: "mercure/resume",
    judge,
    mutants: &[
        Mutant::new("mercure-no-history", "sends nothing that was published before", |visit| {
            reference::answer(visit)
                .map_follow(|topic, _| Action::Follow { topic, after: u64::MAX })
        }),
        Mutant::new(
            "mercure-all-history",
            "sends the whole history to whoever comes back",
            |visit| {
                reference::answer(visit).map_follow(|topic, _| Action::Follow { topic, after: 0 })
            },
        ),
    ],
};

trait MapFollow {
    fn map_follow(self, edit: impl Fn(String, sseproof_record::Bytes) -> Action) -> Plan;
}

impl MapFollow for Plan {
    fn map_follow(self, edit: impl Fn(String, sseproof_record::Bytes) -> Action) -> Plan {
        let map = |action| match action {
            Action::FollowBehind { topic, line } => edit(topic, line),
            other => other,
        };
        Self { actions: self.actions.into_iter().map(map).collect() }
    }
}

/// What a stream that goes on behind an update brought of the others.
pub(super) struct Resumed<'u, 'r> {
    /// Updates from before that one, or that one itself, and where.
    pub(super) old: Vec<(u64, &'u Update<'r>)>,
    /// How many came behind it and are here.
    pub(super) came: usize,
    /// How many came behind it and are not.
    pub(super) missing: usize,
}

/// What became of the public updates that somebody has seen, for a client that goes on behind the
/// one whose event has this id; `None` where no event of an update has it.
pub(super) fn resumed<'u, 'r>(
    view: &View<'_>,
    streams: &[View<'_>],
    updates: &'u [Update<'r>],
    id: &str,
) -> Option<Resumed<'u, 'r>> {
    let has_id = |update: &&Update<'_>| {
        seen(streams, update).is_some_and(|(_, event)| event.sets_id && event.last_event_id == id)
    };
    let last = updates.iter().find(has_id)?;
    let mut resumed = Resumed { old: Vec::new(), came: 0, missing: 0 };
    for update in updates {
        let topic = update.field("topic").unwrap_or_default();
        // One that nobody ever saw is another fault: see `mercure/delivered`.
        let is_lost = seen(streams, update).is_none();
        if update.field("private").is_some() || !is_on(view, &topic) || is_lost {
            continue;
        }
        let behind = update.view.number > last.view.number;
        match seen(std::slice::from_ref(view), update) {
            Some(_) if behind => resumed.came += 1,
            Some((_, event)) => resumed.old.push((event.span.start, update)),
            None if behind => resumed.missing += 1,
            None => {}
        }
    }
    Some(resumed)
}

/// The streams of clients that bring an id in the field, and those that bring one in the query alone.
pub(super) fn by_field<'r>(record: &'r Record<'_>) -> Vec<(View<'r>, String)> {
    let all = streams(record).into_iter();
    all.filter_map(|view| match wanted_ids(&view.request) {
        (Some(id), None) => Some((view, id)),
        _ => None,
    })
    .collect()
}

/// Whether a client that brings an id in the field gets what it missed, and nothing else.
pub(super) fn has_history(record: &Record<'_>) -> bool {
    let (updates, streams) = (taken(record), streams(record));
    by_field(record).iter().any(|(view, id)| {
        resumed(view, &streams, &updates, id)
            .is_some_and(|resumed| resumed.came > 0 && resumed.old.is_empty())
    })
}

fn judge(record: &Record<'_>) -> Verdict {
    let (updates, streams) = (taken(record), streams(record));
    let back = by_field(record);
    let views: Vec<_> = back.iter().map(|(view, _)| *view).collect();
    let none = "no client came back with the id of an update, or nothing was published behind it";
    each(record, "update", none, &views, |view, tally| {
        let id = wanted_ids(&view.request).0.unwrap_or_default();
        let Some(resumed) = resumed(view, &streams, &updates, &id) else { return };
        tally.look_at((resumed.came + resumed.missing) as u64);
        if let Some((offset, _)) = resumed.old.first() {
            let message =
                format!("the client comes back with {id:?}, and gets an update that came before");
            tally.fault(|| Fault::at(view, *offset, message));
        } else if resumed.missing > 0 {
            let message = format!(
                "the client comes back with {id:?}, and {} of the updates behind it do not come",
                resumed.missing
            );
            tally.fault(|| Fault::whole(view, message));
        }
    })
}
