//! Mercure: a hub that takes updates by POST and sends them to the subscribers of their topics.
//!
//! The draft has renamed things from one revision to the next. Where an older name says the same,
//! it is taken, too: `topic` beside `match`, `lastEventID` beside `last_event_id`, and the response
//! field `Last-Event-ID` beside `Mercure-Last-Event-ID`.

mod delivered;
mod event_id;
mod generated_id;
mod header_wins;
mod id_characters;
mod last_event_id;
mod matcher_unknown;
mod private;
mod publish_answer;
mod query_id;
mod reference;
mod refused;
mod reserved_id;
mod resume;
mod retry_digits;
mod token_checked;
mod topic_exact;
mod traffic;
mod type_characters;

use sseproof_record::{Bytes, Plan, Request, Visit};

use super::Profile;
use super::written::{Written, edit_events};
use crate::{Rule, auth, delivery};

/// Whoever has no credentials may well get the stream, without what is private: see `mercure/private`.
const OMITS: &[&[&Rule]] = &[auth::FAMILY.rules, &[&delivery::heartbeat::RULE]];

/// The profile.
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
        &event_id::RULE,
        &generated_id::RULE,
        &publish_answer::RULE,
        &delivered::RULE,
        &topic_exact::RULE,
        &matcher_unknown::RULE,
        &reserved_id::RULE,
        &id_characters::RULE,
        &type_characters::RULE,
        &retry_digits::RULE,
        &token_checked::RULE,
        &private::RULE,
        &last_event_id::RULE,
        &query_id::RULE,
        &header_wins::RULE,
        &resume::RULE,
    ],
    answer: reference::answer,
};

/// For mutants: the reference, each update replaced by what `edit` makes of it.
fn rewritten(visit: &Visit<'_>, edit: impl FnMut(usize, Written) -> Vec<Written>) -> Plan {
    edit_events(reference::answer(visit), edit)
}

/// For mutants: what the reference would answer to the request as `edit` changes it.
fn mistaken(visit: &Visit<'_>, edit: impl FnOnce(&mut Request)) -> Plan {
    let mut request = visit.request.clone();
    edit(&mut request);
    reference::answer(&Visit { request: &request, ..*visit })
}

/// For mutants: the request without the fields of its form that `drop` picks.
fn without(visit: &Visit<'_>, drop: impl Fn(&str, &str) -> bool) -> Plan {
    mistaken(visit, |request| {
        let form = request.body.to_text();
        let kept = form.split('&').filter(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            !drop(name, value)
        });
        request.body = Bytes::from(kept.collect::<Vec<_>>().join("&"));
    })
}
