//! The reference: a hub that keeps everything.
//!
//! The log of the server is its history. An update is written to two topics of it: a public one, and
//! one for the subscriber that may read private updates. Its id is the number of the request that
//! published it, so that nothing needs to be stored here.

use sseproof_http::{Action, Bytes, Plan, Request, Visit};

use super::traffic::{field, query, wanted_ids};
use crate::profile::written::Written;
use crate::reference::head;

pub(super) const ID: &str = "urn:sseproof:";
pub(super) const PUBLISHER: &str = "Bearer publisher";
/// The credentials of the subscriber that may read private updates.
pub(super) const SUBSCRIBER: &str = "Bearer subscriber";

pub(super) fn answer(visit: &Visit<'_>) -> Plan {
    match visit.request.method.as_str() {
        "GET" | "HEAD" => subscribe(visit),
        "POST" => publish(visit),
        "OPTIONS" => {
            let headers = [("Allow", "GET, HEAD, POST, OPTIONS")].into_iter().collect();
            let framing = sseproof_http::Framing::None;
            Plan { actions: vec![Action::Head { status: 204, headers, framing }] }
        }
        _ => refused(405, "use GET or POST").with_header("Allow", "GET, HEAD, POST, OPTIONS"),
    }
}

pub(super) fn is_stream(plan: &Plan) -> bool {
    let follows =
        |action: &Action| matches!(action, Action::Follow { .. } | Action::FollowAfterLine { .. });
    plan.actions.iter().any(follows)
}

fn subscribe(visit: &Visit<'_>) -> Plan {
    let request = visit.request;
    let query = query(request);
    let names = query.split('&').map(|pair| pair.split('=').next().unwrap_or_default());
    let mut matchers = names.filter(|name| name.to_ascii_lowercase().starts_with("match"));
    if matchers.any(|name| !["match", "match_exact"].contains(&name)) {
        return refused(400, "there is no such matcher");
    }
    let topic = ["match", "match_exact", "topic"].iter().find_map(|name| field(query, name));
    let Some(topic) = topic else { return refused(400, "name a topic") };
    let topic = match request.headers.first("authorization").as_deref() {
        Some(SUBSCRIBER) => of_all(&topic),
        _ => topic,
    };
    let (named, asked) = wanted_ids(request);
    let wanted = named.or(asked);
    let known = wanted.clone().filter(|id| is_known(id, visit));
    let follow = match (&wanted, &known) {
        (Some(_), Some(id)) => {
            Action::FollowAfterLine { topic, line: Bytes::from(format!("id: {id}")) }
        }
        (Some(_), None) => Action::Follow { topic, after: 0 },
        (None, _) => Action::Follow { topic, after: u64::MAX },
    };
    let mut actions = vec![head(visit), Action::Write(Bytes::from(":\n\n"))];
    if request.method == "GET" {
        actions.push(follow);
    }
    let plan = Plan { actions };
    match wanted {
        Some(_) => {
            let last = known.unwrap_or_else(|| "earliest".to_owned());
            plan.with_header("Mercure-Last-Event-ID", last)
        }
        None => plan,
    }
}

/// Whether an earlier request can have published the update of that id.
fn is_known(id: &str, visit: &Visit<'_>) -> bool {
    let number = id.strip_prefix(ID).and_then(|number| number.parse::<u64>().ok());
    number.is_some_and(|number| number < visit.earlier)
}

fn of_all(topic: &str) -> String {
    format!("{topic} and what is private")
}

fn publish(visit: &Visit<'_>) -> Plan {
    let request: &Request = visit.request;
    if request.headers.first("authorization").as_deref() != Some(PUBLISHER) {
        return refused(401, "a token is required").with_header("WWW-Authenticate", "Bearer");
    }
    let form = request.body.to_text();
    let given = |name| field(&form, name);
    let has_control = |name| given(name).is_some_and(|value| value.contains(char::is_control));
    let Some(topic) = given("topic") else { return refused(400, "name a topic") };
    let is_number = |text: &str| text.chars().all(|char| char.is_ascii_digit());
    let is_wrong = has_control("topic")
        || has_control("id")
        || has_control("type")
        || given("id").is_some_and(|id| id.starts_with('#') || id == "earliest")
        || given("retry").is_some_and(|retry| !is_number(&retry));
    if is_wrong {
        return refused(400, "this cannot be sent as an event");
    }
    let id = format!("{ID}{}", visit.earlier);
    let data = given("data").unwrap_or_default().replace("\r\n", "\n").replace('\r', "\n");
    let event = Written { id: Some(id.clone()), event: given("type"), data };
    let retry = given("retry").map_or(String::new(), |retry| format!("retry: {retry}\n"));
    let bytes = Bytes::from([retry.as_bytes(), &event.bytes()].concat());
    // A private update goes to a topic without subscribers instead of the public one.
    let public = if given("private").is_some() { "unused".to_owned() } else { topic.clone() };
    let mut actions: Vec<_> = [public, of_all(&topic)]
        .map(|topic| Action::Publish { topic, bytes: bytes.clone() })
        .into();
    actions.extend(Plan::answer(200, "text/plain; charset=utf-8", id).actions);
    Plan { actions }
}

fn refused(status: u16, why: &str) -> Plan {
    Plan::answer(status, "text/plain; charset=utf-8", format!("{why}\n"))
}
