//! A client that comes back gets the rest of its stream.

use super::event_id::are_unique;
use super::reference;
use super::traffic::{each, session};
use crate::profile::written::{Written, stream};
use crate::{Fault, Mutant, Record, Rule, Verdict, View};

pub(super) const RULE: Rule = Rule {
    id: "mcp/resume",
    judge,
    mutants: &[
        Mutant::new("mcp-replays-from-the-start", "replays a stream from its beginning", |visit| {
            match reference::whole(visit.request) {
                Some(events) if visit.request.method == "GET" => stream(visit, events),
                _ => reference::answer(visit),
            }
        }),
        Mutant::new(
            "mcp-replays-other-streams",
            "replays what was sent on other streams, too",
            |visit| {
                let mut plan = reference::answer(visit);
                if visit.request.last_event_id().is_some() {
                    let id = Some("list-22-0".to_owned());
                    let other = r#"{"jsonrpc":"2.0","id":22,"result":{}}"#;
                    plan = plan.insert(0, Written { id, ..Written::data(other) }.bytes());
                }
                plan
            },
        ),
    ],
};

fn judge(record: &Record<'_>) -> Verdict {
    if !are_unique(record) {
        return Verdict::Skip("an id stands for several events: see mcp/event-id".to_owned());
    }
    let none = "no stream was resumed: its events have no ids, or the server does not replay";
    let wanted = |view: &View<'_>| {
        view.request.method == "GET" && view.request.last_event_id().is_some() && view.is_stream()
    };
    each(record, "stream", none, wanted, |view, tally| {
        let last = view.request.last_event_id().map(|id| id.to_text()).unwrap_or_default();
        // The event of that id in an earlier stream of the same session: where, and the how manieth.
        let first_seen = |id: &str| {
            record
                .all()
                .filter(|other| other.number < view.number && session(other) == session(view))
                .find_map(|other| {
                    let place = other
                        .events()
                        .position(|(event, _)| event.sets_id && event.last_event_id == id);
                    Some((other.number, place?))
                })
        };
        let Some((exchange, place)) = first_seen(&last) else { return };
        tally.look();
        for (event, _) in view.events().filter(|(event, _)| event.sets_id) {
            let message = match first_seen(&event.last_event_id) {
                Some((other, _)) if other != exchange => format!(
                    "the stream of exchange {exchange} is resumed, and an event of exchange {other} comes"
                ),
                Some((_, before)) if before <= place => format!(
                    "event {:?} comes again, although the client has seen all up to {last:?}",
                    event.last_event_id
                ),
                _ => continue,
            };
            tally.fault(|| Fault::at(view, event.span.start, message));
        }
    })
}
