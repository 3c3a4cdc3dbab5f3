//! Rules on the requests of a client.

mod accept;
mod cookies;
mod credentials;
mod custom_credentials;
mod empty_last_event_id;
mod get;
mod headers;
mod last_event_id_first;
mod method;
mod no_cache;

use crate::registry::Family;
use crate::{Can, Case, Certificate, Connect, Origins, Quiet, Transport, When, redirect, stream};

pub(crate) const FAMILY: Family = Family {
    rules: &[
        &get::RULE,
        &accept::RULE,
        &no_cache::RULE,
        &last_event_id_first::RULE,
        &empty_last_event_id::RULE,
        &headers::RULE,
        &method::RULE,
        &credentials::RULE,
        &custom_credentials::RULE,
        &cookies::RULE,
    ],
    cases: &[&PLAIN, &NO_ID, &OWN_HEADERS, &OWN_METHOD, &ELSEWHERE, &DOWNGRADE, &cookies::CASE],
};

/// The stream that every client can read; without it, nothing of an adapter is believed.
pub(crate) const PLAIN: Case =
    Case::new("plain", "the server sends two events and stays open", |_| {
        stream().write("data: one\n\n").wait(20).write("data: two\n\n").hold()
    })
    .until(When::Events(2), Quiet::Short);

const NO_ID: Case = Case::new(
    "no-id",
    "the server ends a stream without ids, and the next one stays open",
    |visit| match visit.earlier {
        0 => stream().write("retry: 50\ndata: one\n\n").end(),
        _ => stream().write("data: two\n\n").hold(),
    },
)
.reconnecting()
.until(When::Requests(2), Quiet::Short);

/// A field of the user's own, and its value.
const OWN: (&str, &str) = ("x-sseproof", "own value");

const OWN_HEADERS: Case = Case::new(
    "own-headers",
    "the server ends the stream of a client with header fields of its own",
    |visit| match visit.earlier {
        0 => stream().write("retry: 50\ndata: one\n\n").end(),
        _ => stream().write("data: two\n\n").hold(),
    },
)
.needs(&[Can::Headers])
.connects(|origins| {
    let headers = [(OWN.0.to_owned(), OWN.1.to_owned())].into();
    vec![Connect { headers, ..own(origins) }]
})
.until(When::Requests(2), Quiet::Short);

/// The body of a client with a method of its own.
const BODY: &str = r#"{"topic":"news"}"#;

const OWN_METHOD: Case = Case::new(
    "own-method",
    "the server ends the stream of a client that sends a POST with a body",
    |visit| match visit.earlier {
        0 => stream().write("retry: 50\ndata: one\n\n").end(),
        _ => stream().write("data: two\n\n").hold(),
    },
)
.needs(&[Can::Method, Can::Body])
.connects(|origins| {
    let (method, body) = (Some("POST".to_owned()), Some(BODY.to_owned()));
    vec![Connect { method, body, ..own(origins) }]
})
.until(When::Requests(2), Quiet::Short);

/// The credentials of a client: those that belong to an origin in every client, and one that only
/// its name gives away.
const SECRETS: [(&str, &str); 3] = [
    ("authorization", "Bearer sseproof"),
    ("cookie", "session=sseproof"),
    ("x-api-key", "sseproof-key"),
];

const ELSEWHERE: Case = Case::new(
    "redirect-elsewhere",
    "the server redirects a client with credentials to another origin",
    |visit| match visit.request.path() {
        "/there" => stream().write("data: one\n\n").hold(),
        _ => redirect(307, &format!("{}/there", visit.origins.other)),
    },
)
.needs(&[Can::Headers])
.connects(secretive)
.until(When::Events(1), Quiet::Short);

const DOWNGRADE: Case = Case::new(
    "redirect-to-plain",
    "the server redirects a client with credentials from https to http, on the same host and port",
    |visit| match visit.request.path() {
        "/there" => stream().write("data: one\n\n").hold(),
        _ => redirect(307, &format!("{}/there", visit.origins.plain)),
    },
)
.needs(&[Can::Headers, Can::Tls])
.over(Transport::Tls(Certificate::Trusted))
.connects(secretive)
.until(When::Events(1), Quiet::Short);

fn secretive(origins: &Origins) -> Vec<Connect> {
    let headers = SECRETS.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    vec![Connect { headers, ..own(origins) }]
}

fn own(origins: &Origins) -> Connect {
    Connect::to(format!("{}/", origins.own))
}
