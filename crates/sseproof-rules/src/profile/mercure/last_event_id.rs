//! Where a stream goes on is told.

use super::reference;
use super::traffic::{NO_ID, TOLD, streams, wanted_ids};
use crate::profile::look;
use crate::{Fault, Mutant, Record, Rule, Verdict, View};

pub(super) const RULE: Rule = Rule {
    id: "mercure/last-event-id",
    judge,
    mutants: &[
        Mutant::new("mercure-says-nothing", "does not say where the stream goes on", |visit| {
            reference::answer(visit).without_header("Mercure-Last-Event-ID")
        }),
        Mutant::new(
            "mercure-says-what-was-asked",
            "says that it goes on behind an id that it does not have",
            |visit| {
                let plan = reference::answer(visit);
                let asked = visit.request.last_event_id().map(|id| id.to_text());
                match asked.filter(|id| id.starts_with(reference::ID)) {
                    Some(id) => plan.with_header("Mercure-Last-Event-ID", id),
                    None => plan,
                }
            },
        ),
    ],
};

fn judge(record: &Record<'_>) -> Verdict {
    let mut views = streams(record);
    // What other probes send is odd on purpose, and may be left out by who checks its input.
    let is_ours = |view: &View<'_>| match wanted_ids(&view.request) {
        (Some(id), _) => id == NO_ID || record.gave_out(&id, view.number),
        (None, asked) => asked.is_some(),
    };
    views.retain(is_ours);
    look::each(&views, "answer", "no client came back with an id", |view, tally| {
        tally.look();
        let head = view.head.as_ref();
        let told = TOLD.iter().find_map(|name| head?.headers.first(name));
        let Some(told) = told else {
            let message = "the client brings an id, and there is no `Mercure-Last-Event-ID`";
            tally.fault(|| Fault::header(view, TOLD[0], message));
            return;
        };
        if told == NO_ID {
            let message = format!(
                "the stream is said to go on behind {NO_ID:?}, an id that no event ever had"
            );
            tally.fault(|| Fault::header(view, TOLD[0], message));
        }
    })
}
