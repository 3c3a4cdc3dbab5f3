//! The rules on resumed subscriptions.

use sseproof_http::{Action, Plan, Visit};

use super::mistaken;
use super::reference::{ID, answer};
use super::traffic::{
    ASKED, LAST_ID_HEADERS, NO_ID, Update, each, is_on, seen, streams, taken, wanted_ids,
};
use crate::profile::look;
use crate::stream::tally::{Tally, counted};
use crate::{Fault, Mutant, Record, Rule, Verdict, View};

pub(super) const LAST_EVENT_ID: Rule = Rule {
    id: "mercure/last-event-id",
    judge: last_event_id,
    mutants: &[
        Mutant::new("mercure-says-nothing", "does not say where the stream resumes", |visit| {
            answer(visit).without_header("Mercure-Last-Event-ID")
        }),
        Mutant::new(
            "mercure-says-what-was-asked",
            "says that it resumes after an id that it does not have",
            |visit| {
                let plan = answer(visit);
                let asked = visit.request.last_event_id().map(|id| id.to_text());
                match asked.filter(|id| id.starts_with(ID)) {
                    Some(id) => plan.with_header("Mercure-Last-Event-ID", id),
                    None => plan,
                }
            },
        ),
    ],
};

fn last_event_id(record: &Record<'_>) -> Verdict {
    let mut views = streams(record);
    // Other probes send malformed ids on purpose, and a hub that validates its input may ignore them.
    let is_ours = |view: &View<'_>| match wanted_ids(&view.request) {
        (Some(id), _) => id == NO_ID || record.gave_out(&id, view.number),
        (None, asked) => asked.is_some(),
    };
    views.retain(is_ours);
    look::each(&views, "response", "no client reconnected with an id", |view, tally| {
        tally.look();
        let head = view.head.as_ref();
        let last = LAST_ID_HEADERS.iter().find_map(|name| head?.headers.first(name));
        let Some(last) = last else {
            let message = "the client sends an id, but the response has no `Mercure-Last-Event-ID`";
            tally.fault(|| Fault::header(view, LAST_ID_HEADERS[0], message));
            return;
        };
        if last == NO_ID {
            let message = format!(
                "the response says that the stream resumes after {NO_ID:?}, an id that no event has"
            );
            tally.fault(|| Fault::header(view, LAST_ID_HEADERS[0], message));
        }
    })
}

pub(super) const QUERY_ID: Rule = Rule {
    id: "mercure/query-id",
    judge: query_id,
    mutants: &[Mutant::new(
        "mercure-header-only",
        "looks for the last event id in the header alone",
        |visit| {
            let plan = mistaken(visit, |request| {
                for name in ASKED {
                    // A request for the whole history stays as it is, since it needs no id.
                    if !request.url.contains("=earliest") {
                        request.url = request.url.replace(&format!("{name}="), "other=");
                    }
                }
            });
            // It still says where the stream resumes.
            match wanted_ids(visit.request) {
                (None, Some(_)) if visit.request.method == "GET" => {
                    plan.with_header("Mercure-Last-Event-ID", "earliest")
                }
                _ => plan,
            }
        },
    )],
};

fn query_id(record: &Record<'_>) -> Verdict {
    let in_query = |ids| if let (None, asked) = ids { asked } else { None };
    let none = "no client sent the id of an update in the query";
    with_history(record, || {
        each_resumed(record, "subscription", none, in_query, |view, id, resumed, tally| {
            tally.look();
            if resumed.came == 0 && resumed.missing > 0 {
                let message = format!("the query requests updates after {id:?}, but none arrives");
                tally.fault(|| Fault::whole(view, message));
            }
        })
    })
}

pub(super) const HEADER_WINS: Rule = Rule {
    id: "mercure/header-wins",
    judge: header_wins,
    mutants: &[Mutant::new("mercure-query-first", "prefers the id in the query", |visit| {
        mistaken(visit, |request| {
            if wanted_ids(request).1.is_some() {
                request.headers.remove("Last-Event-ID");
            }
        })
    })],
};

fn header_wins(record: &Record<'_>) -> Verdict {
    let in_both = |(header, asked): Ids| asked.and(header);
    let none = "no client sent an id in the header and another one in the query";
    with_history(record, || {
        each_resumed(record, "subscription", none, in_both, |view, id, resumed, tally| {
            tally.look();
            if let Some(offset) = resumed.old {
                let message = format!(
                    "the header requests updates after {id:?}, but an earlier update arrives, as the query requests"
                );
                tally.fault(|| Fault::at(view, offset, message));
            }
        })
    })
}

pub(super) const RESUME: Rule = Rule {
    id: "mercure/resume",
    judge: resume,
    mutants: &[
        Mutant::new("mercure-no-history", "does not replay earlier updates", |visit| {
            following(visit, u64::MAX)
        }),
        Mutant::new(
            "mercure-all-history",
            "sends the whole history to each client that reconnects",
            |visit| following(visit, 0),
        ),
    ],
};

/// The reference, which replays from this entry on, whatever id the client sends.
fn following(visit: &Visit<'_>, after: u64) -> Plan {
    let map = |action| match action {
        Action::FollowAfterLine { topic, .. } => Action::Follow { topic, after },
        other => other,
    };
    Plan { actions: answer(visit).actions.into_iter().map(map).collect() }
}

fn resume(record: &Record<'_>) -> Verdict {
    let none = "no client reconnected with the id of an update, or nothing was published after it";
    each_resumed(record, "update", none, in_header, |view, id, resumed, tally| {
        tally.look_at((resumed.came + resumed.missing) as u64);
        if let Some(offset) = resumed.old {
            let message = format!("the client resumes after {id:?}, but gets an earlier update");
            tally.fault(|| Fault::at(view, offset, message));
        } else if resumed.missing > 0 {
            let missing = counted(resumed.missing as u64, "later update");
            let message = format!("the client resumes after {id:?}, but does not get {missing}");
            tally.fault(|| Fault::whole(view, message));
        }
    })
}

/// The id in the header of a request, and the one in its query.
type Ids = (Option<String>, Option<String>);

fn in_header((header, asked): Ids) -> Option<String> {
    if asked.is_none() { header } else { None }
}

/// The updates on a resumed stream, relative to the update that it resumes after.
#[derive(Default)]
struct Resumed {
    /// The offset of the first update that is not later.
    old: Option<u64>,
    /// The number of later updates on the stream.
    came: usize,
    /// The number of later updates that are not on the stream.
    missing: usize,
}

/// The public updates on a stream that resumes after the update with this id; `None` if no event of
/// an update has the id.
fn resumed(
    view: &View<'_>,
    streams: &[View<'_>],
    updates: &[Update<'_>],
    id: &str,
) -> Option<Resumed> {
    let has_id = |update: &&Update<'_>| {
        seen(streams, update).is_some_and(|(_, event)| event.sets_id && event.last_event_id == id)
    };
    let last = updates.iter().find(has_id)?;
    let mut resumed = Resumed::default();
    for update in updates {
        let topic = update.field("topic").unwrap_or_default();
        // `mercure/delivered` reports an update that reached no subscriber.
        let is_lost = seen(streams, update).is_none();
        if update.field("private").is_some() || !is_on(view, &topic) || is_lost {
            continue;
        }
        let is_later = update.view.number > last.view.number;
        match seen(std::slice::from_ref(view), update) {
            Some(_) if is_later => resumed.came += 1,
            Some((_, event)) => resumed.old = resumed.old.or(Some(event.span.start)),
            None if is_later => resumed.missing += 1,
            None => {}
        }
    }
    Some(resumed)
}

/// Judges the streams of clients that send the id of an update where `brought` looks for it.
fn each_resumed<'r>(
    record: &'r Record<'_>,
    noun: &str,
    none: &str,
    brought: impl Fn(Ids) -> Option<String>,
    look: impl Fn(&View<'r>, &str, &Resumed, &mut Tally),
) -> Verdict {
    let (updates, streams) = (taken(record), streams(record));
    let id = |view: &View<'_>| brought(wanted_ids(&view.request));
    let mut views = streams.clone();
    views.retain(|view| id(view).is_some());
    each(record, noun, none, &views, |view, tally| {
        let id = id(view).unwrap_or_default();
        if let Some(resumed) = resumed(view, &streams, &updates, &id) {
            look(view, &id, &resumed, tally);
        }
    })
}

/// The verdict if the hub replays correctly after an id in the header.
fn with_history(record: &Record<'_>, judge: impl FnOnce() -> Verdict) -> Verdict {
    let (updates, streams) = (taken(record), streams(record));
    let has_history = streams.iter().any(|view| {
        let resumed = in_header(wanted_ids(&view.request))
            .and_then(|id| resumed(view, &streams, &updates, &id));
        resumed.is_some_and(|resumed| resumed.came > 0 && resumed.old.is_none())
    });
    if updates.is_empty() || has_history {
        return judge();
    }
    Verdict::Skip("the hub does not replay earlier updates: see mercure/resume".to_owned())
}
