//! Mercure: a hub that takes updates by POST and sends them to the subscribers of their topics.
//!
//! The rules follow the newest draft, and accept names of earlier revisions that mean the same
//! (`topic` for `match`, `lastEventID` for `last_event_id`, the response field `Last-Event-ID` for
//! `Mercure-Last-Event-ID`): hubs in use are one or two revisions old, and a finding for each renamed
//! field would repeat one fault many times. Updates are published to a topic of sseproof.

mod publishing;
mod reference;
mod resumption;
mod traffic;
mod updates;

use sseproof_http::{Plan, Request, Visit};

use super::{Profile, written};
use crate::{Rule, auth, delivery};

/// A client without credentials may get the stream, without private updates: see `mercure/private`.
const OMITS: &[&[&Rule]] = &[auth::FAMILY.rules, &[&delivery::heartbeat::RULE]];

pub(super) const PROFILE: Profile = Profile {
    id: "mercure",
    aliases: &[],
    title: "a Mercure hub, by draft-dunglas-mercure-08 and with the names of earlier revisions",
    path: "/.well-known/mercure?match=https%3A%2F%2Fsseproof.example%2Fupdates",
    method: "GET",
    headers: &[],
    body: "",
    variables: &[("topic", "https://sseproof.example/updates"), ("publisher", "publisher")],
    omits: OMITS,
    rules: &[
        &updates::EVENT_ID,
        &publishing::GENERATED_ID,
        &publishing::PUBLISH_ANSWER,
        &updates::DELIVERED,
        &updates::TOPIC_EXACT,
        &updates::MATCHER_UNKNOWN,
        &publishing::RESERVED_ID,
        &publishing::ID_CHARACTERS,
        &publishing::TYPE_CHARACTERS,
        &publishing::RETRY_DIGITS,
        &publishing::TOKEN_CHECKED,
        &updates::PRIVATE,
        &resumption::LAST_EVENT_ID,
        &resumption::QUERY_ID,
        &resumption::HEADER_WINS,
        &resumption::RESUME,
    ],
    answer: reference::answer,
};

/// For mutants: the response of the reference to the request as changed by `edit`.
fn mistaken(visit: &Visit<'_>, edit: impl FnOnce(&mut Request)) -> Plan {
    written::mistaken(reference::answer, visit, edit)
}

/// For mutants: the request without the fields of its form that `drop` picks.
fn without(visit: &Visit<'_>, drop: impl Fn(&str, &str) -> bool) -> Plan {
    mistaken(visit, |request| {
        let form = request.body.to_text();
        let kept = form.split('&').filter(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            !drop(name, value)
        });
        request.body = kept.collect::<Vec<_>>().join("&").into();
    })
}
