//! The Last-Event-ID of a client gets through the proxy.

use sseproof_record::{Reason, Sample};

use super::sides::{Pair, on_streams, pairs};
use crate::delivery::figures::shown;
use crate::timing::MISSING;
use crate::{Fault, Mutant, Record, Rule, Verdict, View, reference};

pub(super) const RULE: Rule = Rule {
    id: "proxy/last-event-id",
    judge: |record| on_streams(record, judge),
    mutants: &[Mutant::new(
        "proxy-drops-last-event-id",
        "is behind a proxy that does not pass Last-Event-ID on",
        |visit| match reference::behind_proxy(visit.request) {
            Some(mut request) => {
                request.headers.remove("Last-Event-ID");
                reference::answer(&sseproof_http::Visit { request: &request, ..*visit })
            }
            None => reference::answer(visit),
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    let back = pairs(record, Sample::Resumed);
    let Some(pair) = back.first() else {
        let has_id = |view: &View<'_>| view.events().any(|(event, _)| event.sets_id);
        let direct = pairs(record, Sample::Stream).into_iter().map(|pair| pair.direct);
        return Verdict::Skip(match direct.into_iter().any(|view| has_id(&view)) {
            true => "no client reconnected with an id on both sides".to_owned(),
            false => "the stream has no ids to resume after".to_owned(),
        });
    };
    if !pair.flows() {
        return Verdict::Inconclusive(
            "a client that reconnected did not get a stream on both sides".to_owned(),
        );
    }
    match (resumed(record, &pair.direct), resumed(record, &pair.through)) {
        (Resumed::Yes(_), Resumed::Yes(missed)) => {
            Verdict::Pass(format!("{missed} came again through the proxy, as directly"))
        }
        (Resumed::Yes(_), Resumed::No(id, missed)) => {
            Verdict::Fail(vec![fault(pair, &id, &missed)])
        }
        (Resumed::No(..), _) => Verdict::Skip(
            "the server itself does not resume after a Last-Event-ID: see resume/honoured"
                .to_owned(),
        ),
        (_, Resumed::Unclear) | (Resumed::Unclear, _) => Verdict::Inconclusive(
            "too few events came, or nothing had been missed, when the client was back".to_owned(),
        ),
    }
}

fn fault(pair: &Pair<'_>, id: &str, missed: &str) -> Fault {
    let first = pair.through.events().next();
    let came = first.map_or_else(
        || format!("nothing came within {}", shown(pair.through.lasted())),
        |(event, _)| format!("the first event was {}", named(&event.last_event_id)),
    );
    let message = format!(
        "a client that reconnects through the proxy with the id {id:?} does not get {missed}, which it had missed: {came}; directly it gets that event"
    );
    Fault::new(&pair.through, crate::Place::Body(0), message)
}

fn named(id: &str) -> String {
    if id.is_empty() { "one without an id".to_owned() } else { format!("that with the id {id:?}") }
}

/// The events that a client received after it reconnected with an id.
enum Resumed {
    /// The event after it, by its id.
    Yes(String),
    /// Not that event, although it is known: the id that was brought back, and the event.
    No(String, String),
    /// The event that it should have been is not known.
    Unclear,
}

/// The events after the id on the connection before are known, so they must come again, and first.
fn resumed(record: &Record<'_>, view: &View<'_>) -> Resumed {
    let Some(old) = record.followed(view, Reason::Reconnect) else { return Resumed::Unclear };
    let Some(id) = view.request.last_event_id().map(|id| id.to_text()) else {
        return Resumed::Unclear;
    };
    let mut after = old.events().skip_while(|(event, _)| event.last_event_id != id);
    after.next();
    let Some((next, _)) = after.next().filter(|(event, _)| event.sets_id) else {
        return Resumed::Unclear;
    };
    let missed = named(&next.last_event_id);
    let comes =
        |(event, _): (&sseproof_codec::Event<'_>, _)| event.last_event_id == next.last_event_id;
    if view.events().any(comes) {
        return Resumed::Yes(missed);
    }
    // A client that gets nothing at all may only have asked too early.
    if view.events().next().is_none() && !old.ended_by_server() && view.lasted() < MISSING {
        return Resumed::Unclear;
    }
    Resumed::No(id.to_string(), missed)
}
