//! The rules on ids and on resumed streams.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use sseproof_http::{Action, Plan, Visit};

use super::answer;
use super::reference::{Call, TOKEN, whole};
use super::traffic::{
    asked, each, each_answer, is_in_session, knows_event, session, unspoken, version,
};
use crate::outcome::Outcome;
use crate::profile::events::is_ended;
use crate::profile::look;
use crate::profile::written::{Changed, Written, stream};
use crate::stream::tally::Tally;
use crate::timing::BLOCKED;
use crate::{Fault, Mutant, Place, Record, Rule, Verdict, View};

pub(super) const EVENT_ID: Rule = Rule {
    id: "mcp/event-id",
    judge: event_id,
    mutants: &[Mutant::new(
        "mcp-ids-from-one",
        "counts the events of each stream from 1",
        |visit| {
            answer(visit).events(|index, event| {
                vec![Written { id: event.id.map(|_| (index + 1).to_string()), ..event }]
            })
        },
    )],
};

/// The place of an id that was used twice, and the exchange that used it first.
struct Twice {
    exchange: usize,
    offset: u64,
    id: String,
    before: usize,
}

/// The ids that several events have. Replayed events keep their ids and do not count.
fn twice(record: &Record<'_>) -> Vec<Twice> {
    let mut known = BTreeMap::new();
    let mut twice = Vec::new();
    for view in record.all().filter(is_first) {
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

/// Whether it is a new stream, not the rest of an earlier one.
fn is_first(view: &View<'_>) -> bool {
    view.is_stream() && view.request.last_event_id().is_none()
}

fn event_id(record: &Record<'_>) -> Verdict {
    let none = "no event has an id, so no stream can be resumed";
    let twice = twice(record);
    each(record, "id", none, is_first, |view, tally| {
        tally.look_at(view.events().filter(|(event, _)| event.sets_id).count() as u64);
        for twice in twice.iter().filter(|twice| twice.exchange == view.number) {
            let (id, before) = (&twice.id, twice.before);
            let message = format!("the id {id:?} is also used in exchange {before}");
            tally.fault(|| Fault::at(view, twice.offset, message));
        }
    })
}

fn each_resumed<'r>(
    record: &'r Record<'_>,
    noun: &str,
    look: impl Fn(&View<'r>, &str, &mut Tally),
) -> Verdict {
    if !twice(record).is_empty() {
        return Verdict::Skip("several events have the same id: see mcp/event-id".to_owned());
    }
    let none = "no stream was resumed: its events have no ids, or the server does not replay";
    let last = |view: &View<'_>| view.request.last_event_id().map(|id| id.to_text());
    let wanted =
        |view: &View<'_>| view.request.method == "GET" && view.is_stream() && last(view).is_some();
    each(record, noun, none, wanted, |view, tally| {
        look(view, &last(view).unwrap_or_default(), tally);
    })
}

pub(super) const RESUME: Rule = Rule {
    id: "mcp/resume",
    judge: resume,
    mutants: &[
        Mutant::new("mcp-replays-from-the-start", "replays a stream from its beginning", |visit| {
            match whole(visit.request) {
                Some(events) if visit.request.method == "GET" => stream(visit, events),
                _ => answer(visit),
            }
        }),
        Mutant::new("mcp-replays-other-streams", "also replays events of other streams", |visit| {
            let mut plan = answer(visit);
            if let Some((call, _)) = Call::named(visit.request) {
                let token = TOKEN.to_owned();
                let list = Call { kind: "list".to_owned(), id: json!(22), token, ..call };
                let id = Some(list.event_id(0));
                let other = r#"{"jsonrpc":"2.0","id":22,"result":{}}"#;
                plan = plan.insert(0, Written { id, ..Written::data(other) }.bytes());
            }
            plan
        }),
    ],
};

fn resume(record: &Record<'_>) -> Verdict {
    each_resumed(record, "stream", |view, last, tally| {
        // The exchange that had the event of that id in this session, and the position of the event.
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
        let Some((exchange, place)) = first_seen(last) else { return };
        tally.look();
        for (event, _) in view.events().filter(|(event, _)| event.sets_id) {
            let message = match first_seen(&event.last_event_id) {
                Some((other, _)) if other != exchange => format!(
                    "an event of exchange {other} arrives, although the stream of exchange {exchange} is resumed"
                ),
                Some((_, before)) if before <= place => format!(
                    "event {:?} arrives again, although the client resumes after {last:?}",
                    event.last_event_id
                ),
                _ => continue,
            };
            tally.fault(|| Fault::at(view, event.span.start, message));
        }
    })
}

pub(super) const RESUME_WHOLE: Rule = Rule {
    id: "mcp/resume-whole",
    judge: resume_whole,
    mutants: &[Mutant::new(
        "mcp-replay-with-gap",
        "leaves an event out of what it replays",
        |visit| {
            let plan = answer(visit);
            if visit.request.last_event_id().is_none() {
                return plan;
            }
            plan.events(|index, event| if index == 1 { Vec::new() } else { vec![event] })
        },
    )],
};

fn resume_whole(record: &Record<'_>) -> Verdict {
    each_resumed(record, "event", |view, last, tally| {
        let came: BTreeSet<_> = ids(view).collect();
        // A server need not replay at all, but a replay must be complete.
        let Some(first) = record.all().find(|other| {
            other.number < view.number
                && session(other) == session(view)
                && is_ended(other)
                && ids(other).any(|id| id == last)
        }) else {
            return;
        };
        let later: Vec<_> = ids(&first).skip_while(|id| *id != last).skip(1).collect();
        if !later.iter().any(|id| came.contains(id)) {
            return;
        }
        tally.look_at(later.len() as u64);
        for lost in later.iter().filter(|id| !came.contains(*id)) {
            let message = format!("event {lost:?} of exchange {} is not replayed", first.number);
            tally.fault(|| Fault::whole(view, message));
        }
    })
}

fn ids<'r>(view: &View<'r>) -> impl Iterator<Item = &'r str> + use<'r> {
    let events = view.events().map(|(event, _)| event).filter(|event| event.sets_id);
    events.map(|event| &*event.last_event_id)
}

pub(super) const EVENT_UNKNOWN: Rule = Rule {
    id: "mcp/event-unknown",
    judge: event_unknown,
    mutants: &[
        Mutant::new(
            "mcp-unknown-event-500",
            "fails at an event id that it does not know",
            |visit| unknown_or(visit, Plan::answer(500, "text/plain", "no such event\n")),
        ),
        Mutant::new(
            "mcp-unknown-event-closes",
            "closes the connection at an event id that it does not know",
            |visit| unknown_or(visit, Plan { actions: vec![Action::Close] }),
        ),
    ],
};

/// For mutants: this plan for a GET with an unknown event id.
fn unknown_or(visit: &Visit<'_>, plan: Plan) -> Plan {
    let last = visit.request.last_event_id();
    let is_unknown =
        last.is_some_and(|id| !id.starts_with(b"listen-") && whole(visit.request).is_none());
    if visit.request.method == "GET" && is_unknown { plan } else { answer(visit) }
}

fn event_unknown(record: &Record<'_>) -> Verdict {
    if let Some(why) = unspoken(record) {
        return Verdict::Skip(why);
    }
    let is_get = |view: &View<'_>| view.request.method == "GET" && is_in_session(record, view);
    // A server that also fails at a later GET of the session does not fail at the id.
    let is_served_later = |view: &View<'_>| {
        let mut others = record.all().filter(|other| {
            other.number > view.number && is_get(other) && session(other) == session(view)
        });
        others.any(|other| {
            other.request.last_event_id().is_none()
                && other.status().is_some_and(|status| status < 500)
        })
    };
    let wanted =
        |view: &View<'_>| is_get(view) && !knows_event(record, view) && is_served_later(view);
    let views: Vec<_> = record.all().filter(wanted).collect();
    look::each(&views, "GET", "no GET with an unknown event id was answered", |view, tally| {
        let (place, outcome) = match (view.status(), Outcome::of(view)) {
            (Some(500..), outcome) => (Place::StatusLine, outcome),
            (None, outcome @ (Outcome::Closed | Outcome::NotHttp)) => (Place::Exchange, outcome),
            (None, Outcome::Silent(waited)) if waited >= BLOCKED => {
                (Place::Exchange, Outcome::Silent(waited))
            }
            (None, _) => return,
            (Some(_), _) => return tally.look(),
        };
        let last = view.request.last_event_id().map(|id| id.to_text()).unwrap_or_default();
        let message =
            format!("a GET with the unknown event id {last:?} gets {}", outcome.describe());
        tally.fault(|| Fault::new(view, place, message));
    })
}

pub(super) const PRIMING: Rule = Rule {
    id: "mcp/priming",
    judge: priming,
    mutants: &[Mutant::new(
        "mcp-no-priming",
        "begins its streams with the first message",
        |visit| {
            let is_priming = |event: &Written| event.data.is_empty();
            answer(visit).events(|_, event| if is_priming(&event) { vec![] } else { vec![event] })
        },
    )],
};

fn priming(record: &Record<'_>) -> Verdict {
    if &*version(record) < "2025-11-25" {
        return Verdict::Skip("this version does not define this event".to_owned());
    }
    each_answer(record, "stream", "no event of a stream has an id", |view, tally| {
        // A request may ask for an earlier version.
        let is_earlier = asked(view)["params"]["protocolVersion"]
            .as_str()
            .is_some_and(|version| version < "2025-11-25");
        if is_earlier || !view.events().any(|(event, _)| event.sets_id) {
            return;
        }
        tally.look();
        if let Some((first, _)) = view.events().next()
            && !(first.sets_id && first.data.is_empty())
        {
            let message = "the stream begins with a message, not with an event that has only an id";
            tally.fault(|| Fault::at(view, first.span.start, message));
        }
    })
}
