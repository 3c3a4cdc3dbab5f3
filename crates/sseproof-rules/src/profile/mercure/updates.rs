//! The rules on events that a subscriber receives.

use super::reference::{self, SUBSCRIBER, answer};
use super::traffic::{
    each, each_taken, field, is_anonymous, is_on, query, streams, taken, wanted_ids,
};
use super::{mistaken, without};
use crate::profile::look;
use crate::profile::written::{Changed, Written};
use crate::stream::quoted;
use crate::{Fault, Mutant, Record, Rule, Verdict, View};

pub(super) const EVENT_ID: Rule = Rule {
    id: "mercure/event-id",
    judge: event_id,
    mutants: &[Mutant::new(
        "mercure-greeting",
        "greets each subscriber with an event that has no id",
        |visit| {
            let plan = answer(visit);
            let is_stream = visit.request.method == "GET" && reference::is_stream(&plan);
            let greeting = Written::data("welcome").bytes();
            if is_stream { plan.insert(0, greeting) } else { plan }
        },
    )],
};

fn event_id(record: &Record<'_>) -> Verdict {
    let none = "no stream carried an event";
    each(record, "event", none, &streams(record), |view, tally| {
        for (event, _) in view.events() {
            tally.look();
            if !event.sets_id {
                let message = "the event has no id";
                tally.fault(|| Fault::at(view, event.span.start, message));
            }
        }
    })
}

pub(super) const DELIVERED: Rule = Rule {
    id: "mercure/delivered",
    judge: delivered,
    mutants: &[
        Mutant::new("mercure-no-type", "drops the type of an update", |visit| {
            answer(visit).events(|_, event| vec![Written { event: None, ..event }])
        }),
        Mutant::new("mercure-first-line", "sends only the first line of an update", |visit| {
            answer(visit).events(|_, mut event| {
                event.data = event.data.lines().next().unwrap_or_default().to_owned();
                vec![event]
            })
        }),
        Mutant::new(
            "mercure-lost-update",
            "accepts updates without a type and does not send them",
            |visit| {
                let kept = |event: Written| event.event.is_some().then_some(event);
                answer(visit).replaced("", |event| kept(event).into_iter().collect())
            },
        ),
    ],
};

fn delivered(record: &Record<'_>) -> Verdict {
    let streams = streams(record);
    each_taken(record, "update", |update, tally| {
        let topic = update.field("topic").unwrap_or_default();
        let sent = update.view.started;
        // Only authorized subscribers receive private updates.
        let listens =
            |view: &&View<'_>| is_on(view, &topic) && view.started < sent && sent < view.end.at;
        let mut open = streams.iter().filter(listens).peekable();
        if update.field("private").is_some() || open.peek().is_none() {
            return;
        }
        tally.look();
        let mut seen = open.flat_map(|view| view.events().map(move |(event, _)| (view, event)));
        let Some((view, event)) = seen.find(|(_, event)| update.is_in(&event.data)) else {
            let message = "an accepted update reached no subscriber of its topic";
            tally.fault(|| Fault::whole(&update.view, message));
            return;
        };
        let kind = update.field("type").unwrap_or_else(|| "message".to_owned());
        let wrong = if event.event_type != kind {
            format!("the update has the type `{kind}`, but its event has `{}`", event.event_type)
        } else if event.data != update.text() {
            format!("the update arrives as {}", quoted(event.data.as_bytes()))
        } else {
            return;
        };
        tally.fault(|| Fault::at(view, event.span.start, wrong));
    })
}

pub(super) const TOPIC_EXACT: Rule = Rule {
    id: "mercure/topic-exact",
    judge: topic_exact,
    mutants: &[Mutant::new(
        "mercure-prefix",
        "also sends the updates of topics that begin with the subscriber's",
        |visit| {
            mistaken(visit, |request| {
                request.body = request.body.to_text().replace("%2Fother&", "&").into();
            })
        },
    )],
};

fn topic_exact(record: &Record<'_>) -> Verdict {
    let updates = taken(record);
    let none = "no stream of one topic was open when an update was published";
    each(record, "event", none, &streams(record), |view, tally| {
        for (event, _) in view.events() {
            let Some(update) = updates.iter().find(|update| update.is_in(&event.data)) else {
                continue;
            };
            tally.look();
            let topic = update.field("topic").unwrap_or_default();
            if !is_on(view, &topic) {
                let message =
                    format!("an update of the topic {topic:?} arrives, which was not requested");
                tally.fault(|| Fault::at(view, event.span.start, message));
            }
        }
    })
}

pub(super) const MATCHER_UNKNOWN: Rule = Rule {
    id: "mercure/matcher-unknown",
    judge: matcher_unknown,
    mutants: &[Mutant::new(
        "mercure-any-matcher",
        "ignores a matcher that it does not have",
        |visit| {
            mistaken(visit, |request| {
                request.url = request.url.replace("match_sseproof=", "other=");
            })
        },
    )],
};

fn matcher_unknown(record: &Record<'_>) -> Verdict {
    let asks = |view: &View<'_>| field(query(&view.request), "match_sseproof").is_some();
    let none = "no subscription with an unknown matcher was requested";
    let what = "a subscription with the matcher `match_sseproof`";
    look::statuses(&look::answered(record, asks), "subscription", what, none, |status| match status
    {
        // A client that must authenticate first does not learn about the matcher.
        401 | 403 => None,
        status => Some(status == 400),
    })
}

pub(super) const PRIVATE: Rule = Rule {
    id: "mercure/private",
    judge: private,
    mutants: &[
        Mutant::new("mercure-not-private", "sends private updates to every subscriber", |visit| {
            without(visit, |name, _| name == "private")
        }),
        Mutant::new("mercure-private-value", "treats `private=0` as public", |visit| {
            without(visit, |name, value| name == "private" && value == "0")
        }),
        Mutant::new(
            "mercure-private-history",
            "replays private updates to every subscriber",
            |visit| {
                mistaken(visit, |request| {
                    if wanted_ids(request).1.as_deref() == Some("earliest") {
                        request.headers.set("Authorization", SUBSCRIBER);
                    }
                })
            },
        ),
    ],
};

fn private(record: &Record<'_>) -> Verdict {
    let updates = taken(record);
    let private: Vec<_> =
        updates.iter().filter(|update| update.field("private").is_some()).collect();
    if private.is_empty() && !updates.is_empty() {
        return Verdict::Skip("no private update was accepted".to_owned());
    }
    let mut anonymous = streams(record);
    anonymous.retain(is_anonymous);
    let none = "no client without a token received a stream with updates";
    each(record, "event", none, &anonymous, |view, tally| {
        for (event, _) in view.events() {
            tally.look();
            let Some(update) = private.iter().find(|update| update.is_in(&event.data)) else {
                continue;
            };
            let value = update.field("private").unwrap_or_default();
            let how =
                if wanted_ids(&view.request) == (None, None) { "" } else { " from the history" };
            let message =
                format!("a client without a token receives an update with `private={value}`{how}");
            tally.fault(|| Fault::at(view, event.span.start, message));
        }
    })
}
