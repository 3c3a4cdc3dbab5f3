//! Rules on redirects.

mod bounded;
mod followed;
mod location;
mod method;
mod origin;
mod reconnects;
mod relative;

use std::time::Duration;

use crate::registry::Family;
use crate::{Can, Case, CaseVisit, Connect, Quiet, When, redirect, status, stream};

pub(crate) const FAMILY: Family = Family {
    rules: &[
        &followed::RULE,
        &relative::RULE,
        &method::RULE,
        &location::RULE,
        &bounded::RULE,
        &reconnects::RULE,
        &origin::RULE,
    ],
    cases: &[&FOLLOWED, &RELATIVE, &METHOD, &LOCATION, &LOOP, &RECONNECT, &ORIGIN],
};

const STATUSES: [u16; 5] = [301, 302, 303, 307, 308];

const FOLLOWED: Case = Case::new(
    "redirect",
    "the server redirects the client to a stream, with each status for it",
    |visit| redirected(visit, |status| format!("{}/{status}/there", visit.origins.own)),
)
.connects(|origins| {
    STATUSES.iter().map(|status| Connect::to(format!("{}/{status}", origins.own))).collect()
})
.until(When::Events(STATUSES.len()), Quiet::Short);

/// Values of Location for a request of `/0/start`, `/1/start` and so on.
const RELATIVE_PLACES: [&str; 4] = ["/0/there", "there", "?there", "//HOST/3/there"];

const RELATIVE: Case = Case::new(
    "redirect-relative",
    "the server redirects the client to a stream by relative references",
    |visit| {
        let number = visit.request.path().trim_start_matches('/').split('/').next();
        let number: usize = number.and_then(|number| number.parse().ok()).unwrap_or_default();
        if visit.request.target().contains("there") {
            return stream().write("data: one\n\n").hold();
        }
        let (_, host) = visit.origins.own.split_once("://").unwrap_or_default();
        redirect(307, &RELATIVE_PLACES[number.min(3)].replace("HOST", host))
    },
)
.connects(|origins| {
    (0..RELATIVE_PLACES.len()).map(|n| Connect::to(format!("{}/{n}/start", origins.own))).collect()
})
.until(When::Events(RELATIVE_PLACES.len()), Quiet::Short);

/// Statuses with a defined method for the next request; after 301 and 302 clients differ.
const METHODS: [(u16, &str); 3] = [(303, "GET"), (307, "POST"), (308, "POST")];
const BODY: &str = r#"{"topic":"news"}"#;
/// The end of the URLs to which the server redirects.
const PLACE: &str = "/there";

const METHOD: Case =
    Case::new("redirect-method", "the server redirects a POST with a body to a stream", |visit| {
        redirected(visit, |status| format!("{}/{status}{PLACE}", visit.origins.own))
    })
    .needs(&[Can::Method, Can::Body])
    .connects(|origins| {
        let post = |(status, _): &(u16, &str)| Connect {
            method: Some("POST".to_owned()),
            body: Some(BODY.to_owned()),
            ..Connect::to(format!("{}/{status}", origins.own))
        };
        METHODS.iter().map(post).collect()
    })
    .until(When::Events(METHODS.len()), Quiet::Short);

const LOCATION: Case = Case::new(
    "redirect-location",
    "the server redirects the client without Location, and with an empty one",
    |visit| match (visit.request.path(), visit.here) {
        ("/missing", 0) => stream().write("retry: 50\ndata: one\n\n").end(),
        ("/missing", 1) => status(302),
        ("/empty", here) if here < LOOPS => redirect(302, ""),
        _ => status(204),
    },
)
.reconnecting()
.connects(|origins| {
    ["missing", "empty"].map(|path| Connect::to(format!("{}/{path}", origins.own))).to_vec()
})
.until(When::Requests(3), Quiet::Reconnect);

/// More requests than any number of redirects that is allowed in practice, also if the client tries
/// again some times.
const LOOPS: u64 = 250;

const LOOP: Case = Case::new(
    "redirect-loop",
    "the server redirects the client from one path to another and back",
    |visit| match visit.request.path() {
        _ if visit.earlier >= LOOPS => status(204),
        PLACE => redirect(302, &format!("{}/", visit.origins.own)),
        _ => redirect(302, &format!("{}{PLACE}", visit.origins.own)),
    },
)
.until(When::Requests(2), Quiet::Time(Duration::from_secs(3)));

const RECONNECT: Case = Case::new(
    "redirect-reconnect",
    "the server redirects the client to a stream, and ends that",
    |visit| match (visit.request.path(), visit.here) {
        (PLACE, 0) => stream().write("retry: 50\ndata: one\n\n").end(),
        (PLACE, _) => stream().write("data: two\n\n").hold(),
        _ => redirect(307, &format!("{}{PLACE}", visit.origins.own)),
    },
)
.reconnecting()
.until(When::Events(2), Quiet::Short);

const ORIGIN: Case = Case::new(
    "redirect-origin",
    "the server redirects one of two connections to a stream of another origin",
    |visit| match visit.request.path() {
        "/elsewhere" => redirect(307, &format!("{}/elsewhere/there", visit.origins.other)),
        _ => stream().write("data: one\n\n").hold(),
    },
)
.needs(&[Can::OriginOfEvent])
.connects(|origins| {
    ["here", "elsewhere"].map(|path| Connect::to(format!("{}/{path}", origins.own))).to_vec()
})
.until(When::Events(2), Quiet::Short);

/// A redirect with the status that the path begins with, and a stream at its end.
fn redirected(visit: &CaseVisit<'_>, place: impl Fn(u16) -> String) -> sseproof_http::Plan {
    let path = visit.request.path().trim_start_matches('/');
    match path.split_once('/') {
        Some(_) => stream().write("data: one\n\n").hold(),
        None => {
            let status = path.parse().unwrap_or(302);
            redirect(status, &place(status))
        }
    }
}
