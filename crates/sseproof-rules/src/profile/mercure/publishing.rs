//! The rules on responses to publishers.

use sseproof_http::{Action, Bytes, Framing, Plan, Visit};

use super::reference::{ID, PUBLISHER, answer};
use super::traffic::{NO_TOKEN, Update, each_taken, faulty, seen, streams, unpublished, updates};
use super::{mistaken, without};
use crate::profile::look;
use crate::profile::written::{Changed, status};
use crate::stream::quoted;
use crate::{Fault, Mutant, Record, Rule, Verdict, View};

pub(super) const GENERATED_ID: Rule = Rule {
    id: "mercure/generated-id",
    judge: generated_id,
    mutants: &[Mutant::new(
        "mercure-bare-number",
        "uses plain numbers as ids of updates",
        |visit| {
            let plan = mistaken(visit, |request| {
                let named = request.last_event_id().map(|id| id.to_text());
                if let Some(number) = named.filter(|id| id.parse::<u64>().is_ok()) {
                    request.headers.set("Last-Event-ID", format!("{ID}{number}"));
                }
                if !request.url.contains("earliest") {
                    let whole = "last_event_id=urn%3Asseproof%3A";
                    request.url = request.url.replace("last_event_id=", whole);
                }
            });
            let bare = |bytes: Bytes| Bytes::from(bytes.to_text().replace(ID, ""));
            let actions = plan.actions.into_iter().map(|action| match action {
                Action::Write(bytes) => Action::Write(bare(bytes)),
                Action::Publish { topic, bytes } => Action::Publish { topic, bytes: bare(bytes) },
                Action::FollowAfterLine { topic, line } => {
                    Action::FollowAfterLine { topic, line: bare(line) }
                }
                Action::Head { status, mut headers, framing: Framing::Length(_) } => {
                    headers.remove("Content-Length");
                    Action::Head { status, headers, framing: Framing::Chunked }
                }
                Action::Head { status, mut headers, framing } => {
                    if let Some(last) = headers.first("mercure-last-event-id") {
                        headers.set("Mercure-Last-Event-ID", last.replace(ID, ""));
                    }
                    Action::Head { status, headers, framing }
                }
                other => other,
            });
            Plan { actions: actions.collect() }
        },
    )],
};

fn generated_id(record: &Record<'_>) -> Verdict {
    let streams = streams(record);
    each_taken(record, "id", |update, tally| {
        // If the update has an id, the publisher may have chosen it.
        let Some((view, event)) = seen(&streams, update).filter(|_| update.field("id").is_none())
        else {
            return;
        };
        tally.look();
        let id = &event.last_event_id;
        if event.sets_id && !id.starts_with('#') && !has_scheme(id) {
            let message = format!("the hub gives the update the id {id:?}, which is not an IRI");
            tally.fault(|| Fault::at(view, event.span.start, message));
        }
    })
}

fn has_scheme(id: &str) -> bool {
    id.split_once(':').is_some_and(|(scheme, rest)| {
        let fits = |char: char| char.is_ascii_alphanumeric() || "+-.".contains(char);
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.chars().all(fits)
            && !rest.is_empty()
    })
}

pub(super) const PUBLISH_ANSWER: Rule = Rule {
    id: "mercure/publish-answer",
    judge: publish_answer,
    mutants: &[
        Mutant::new("mercure-answer-ok", "answers a publisher with ok", |visit| {
            answering(visit, "ok")
        }),
        Mutant::new(
            "mercure-answer-other-id",
            "answers a publisher with another id than the event gets",
            |visit| answering(visit, "urn:uuid:7"),
        ),
    ],
};

/// The reference with this body in responses to publishers.
fn answering(visit: &Visit<'_>, body: &str) -> Plan {
    let plan = answer(visit);
    if visit.request.method != "POST" || status(&plan) != 200 {
        return plan;
    }
    plan.answering(Plan::answer(200, "text/plain", body))
}

fn publish_answer(record: &Record<'_>) -> Verdict {
    let streams = streams(record);
    each_taken(record, "update", |update, tally| {
        let Some((_, event)) = seen(&streams, update).filter(|(_, event)| event.sets_id) else {
            return;
        };
        tally.look();
        if event.last_event_id != update.id() {
            let body = quoted(&update.view.body_bytes());
            let id = &event.last_event_id;
            let message = format!("the response is {body}, but subscribers receive the id {id:?}");
            tally.fault(|| Fault::at(&update.view, 0, message));
        }
    })
}

pub(super) const TOKEN_CHECKED: Rule = Rule {
    id: "mercure/token-checked",
    judge: token_checked,
    mutants: &[Mutant::new(
        "mercure-any-token",
        "accepts any token as that of a publisher",
        |visit| {
            mistaken(visit, |request| {
                if request.headers.has("authorization") && request.method == "POST" {
                    request.headers.set("Authorization", PUBLISHER);
                }
            })
        },
    )],
};

fn token_checked(record: &Record<'_>) -> Verdict {
    let token = |view: &View<'_>| view.request.headers.first("authorization");
    let open = updates(record).any(|update| token(&update.view).is_none() && update.is_taken());
    if open {
        let why = "the hub accepts updates without a token, which is allowed in a closed network";
        return Verdict::Skip(why.to_owned());
    }
    let forged = updates(record).filter(|update| token(&update.view).as_deref() == Some(NO_TOKEN));
    let views: Vec<_> = forged.map(|update| update.view).collect();
    let what = "an update with a forged token";
    let none = "no update with a forged token was sent";
    look::statuses(&views, "refusal", what, none, |status| Some(matches!(status, 400..500)))
}

/// Judges whether each update with a wrong value in this field is rejected: a line end in a field
/// would add other fields to the event. `what` describes the fault.
fn refuses(record: &Record<'_>, what: &str, name: &str, is_wrong: fn(&str) -> bool) -> Verdict {
    if let Some(why) = unpublished(record) {
        return Verdict::Skip(why);
    }
    let is_it = |update: &Update<'_>| update.field(name).is_some_and(|value| is_wrong(&value));
    let wrong: Vec<_> = faulty(record).into_iter().filter(is_it).map(|one| one.view).collect();
    let none = format!("no update with {what} was sent to the hub");
    let what = format!("an update with {what}");
    look::statuses(&wrong, "refusal", &what, &none, |status| match status {
        // A client that may not publish at all does not learn what is wrong.
        401 | 403 => None,
        status => Some(matches!(status, 400..500)),
    })
}

pub(super) const RESERVED_ID: Rule = Rule {
    id: "mercure/reserved-id",
    judge: |record| refuses(record, "an `id` that begins with `#`", "id", |id| id.starts_with('#')),
    mutants: &[Mutant::new(
        "mercure-any-id",
        "accepts an update whose id begins with #",
        |visit| without(visit, |name, value| name == "id" && value.starts_with("%23")),
    )],
};

pub(super) const ID_CHARACTERS: Rule = Rule {
    id: "mercure/id-characters",
    judge: |record| refuses(record, "a line end in its `id`", "id", |id| id.contains('\n')),
    mutants: &[Mutant::new(
        "mercure-line-in-id",
        "accepts an update whose id has a line end",
        |visit| without(visit, |name, value| name == "id" && value.contains("%0A")),
    )],
};

pub(super) const TYPE_CHARACTERS: Rule = Rule {
    id: "mercure/type-characters",
    judge: |record| refuses(record, "a line end in its `type`", "type", |kind| kind.contains('\n')),
    mutants: &[Mutant::new(
        "mercure-line-in-type",
        "accepts an update whose type has a line end",
        |visit| without(visit, |name, value| name == "type" && value.contains("%0A")),
    )],
};

pub(super) const RETRY_DIGITS: Rule = Rule {
    id: "mercure/retry-digits",
    judge: |record| {
        let is_wrong = |retry: &str| !retry.bytes().all(|byte| byte.is_ascii_digit());
        refuses(record, "a `retry` that is not a number", "retry", is_wrong)
    },
    mutants: &[Mutant::new(
        "mercure-any-retry",
        "accepts an update whose retry is not a number",
        |visit| without(visit, |name, value| name == "retry" && value.contains('s')),
    )],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iris_have_a_scheme() {
        for id in ["urn:uuid:e1ee88e2", "https://a.example/1", "did:a:b"] {
            assert!(has_scheme(id), "{id}");
        }
        for id in ["7", "e1ee88e2-532a", "1:2", ":x", "urn:"] {
            assert!(!has_scheme(id), "{id}");
        }
    }
}
