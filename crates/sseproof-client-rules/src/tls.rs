//! Rules on TLS, and on HTTP/2 over it.

mod certificate;
mod http2;
mod reconnects;
mod stream;

use std::time::Duration;

use sseproof_http::{Action, Request};

use crate::registry::Family;
use crate::{Can, Case, Certificate, Connect, Origins, Quiet, State, Transport, When, stream};

pub(crate) const FAMILY: Family = Family {
    rules: &[&stream::RULE, &reconnects::RULE, &certificate::RULE, &http2::RULE],
    cases: &[
        &STREAM,
        &CUT,
        &UNKNOWN,
        &EXPIRED,
        &OTHER_NAME,
        &http2::STREAM,
        &http2::MANY,
        &http2::RESET,
        &http2::GOAWAY,
    ],
};

const STREAM: Case = Case::new(
    "tls",
    "the server sends two events over TLS, with a certificate that the client was set up to trust",
    |_| stream().write("data: one\n\n").wait(20).write("data: two\n\n").hold(),
)
.needs(&[Can::Tls])
.over(Transport::Tls(Certificate::Trusted))
.until(When::Events(2), Quiet::Short);

const CUT: Case = Case::new(
    "tls-cut",
    "the server closes the TLS connection in the middle of a chunked response",
    |visit| match visit.earlier {
        0 => stream().write("retry: 50\ndata: one\n\n").then(Action::Close).plan(),
        _ => stream().write("data: two\n\n").hold(),
    },
)
.reconnecting()
.needs(&[Can::Tls])
.over(Transport::Tls(Certificate::Trusted))
.until(When::Requests(2), Quiet::Short);

/// A request follows a handshake at once, and some clients look at a certificate after it.
const AFTER_HANDSHAKE: Quiet = Quiet::Time(Duration::from_secs(1));

/// The path of a connection with options; some clients verify only without any.
const OPTIONS: &str = "/options";

/// The request of a wrong client, which sends it without TLS.
fn without_tls(state: &State) -> Request {
    let mut request = crate::client::request(state);
    request.url = request.url.replace("https:", "http:");
    request
}

fn twice(origins: &Origins) -> Vec<Connect> {
    let to = |path| Connect { retry: Some(50), ..Connect::to(format!("{}{path}", origins.own)) };
    let headers = [("x-sseproof".to_owned(), "own value".to_owned())].into();
    vec![to("/"), Connect { headers, ..to(OPTIONS) }]
}

const fn untrusted(id: &'static str, about: &'static str, certificate: Certificate) -> Case {
    Case::new(id, about, |_| stream().write("data: one\n\n").hold())
        .needs(&[Can::Tls])
        .over(Transport::Tls(certificate))
        .connects(twice)
        .until(When::Handshakes(2), AFTER_HANDSHAKE)
}

const UNKNOWN: Case = untrusted(
    "tls-unknown-issuer",
    "the server has a certificate of an authority that the client does not know",
    Certificate::UnknownIssuer,
);
const EXPIRED: Case =
    untrusted("tls-expired", "the server has a certificate that has expired", Certificate::Expired);
const OTHER_NAME: Case = untrusted(
    "tls-other-name",
    "the server has a certificate for another host",
    Certificate::OtherName,
);
