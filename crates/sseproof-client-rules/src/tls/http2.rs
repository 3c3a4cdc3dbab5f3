//! Streams over HTTP/2, for clients that offer it.
//!
//! The server agrees to HTTP/1.1, too: a client that does not offer HTTP/2 is not judged.

use sseproof_codec::Item;
use sseproof_http::http2::{kind, write_frame};
use sseproof_http::{Action, Bytes, Version};

use crate::{
    Can, Case, CaseVisit, Connect, Fault, Hooks, Judgement, Mutant, Quiet, REFERENCE, Rule,
    Transport, View, When, stream,
};

/// How many streams are open at the same time: more than the connections that a browser opens to a
/// server.
const STREAMS: usize = 12;
/// The error code of a server that gives a response up, and of one that closes without an error
/// (RFC 9113, section 7).
const INTERNAL_ERROR: u32 = 2;
const NO_ERROR: u32 = 0;
/// The number of the last stream in a GOAWAY that allows all (RFC 9113, section 6.8).
const ALL_STREAMS: u32 = (1 << 31) - 1;

pub(super) const RULE: Rule = Rule {
    id: "client/http2-stream",
    cases: &["http2", "http2-many"],
    judge,
    mutants: &[
        Mutant::new(
            "delivers-nothing-over-http2",
            "delivers no event of a stream over HTTP/2",
            Hooks {
                dispatch: |state, item| match item {
                    Item::Event(_) if state.is_http2 => Vec::new(),
                    _ => crate::client::dispatch(state, item),
                },
                ..REFERENCE
            },
        ),
        Mutant::new(
            "delivers-six-streams",
            "delivers events of six streams over HTTP/2 at the same time",
            Hooks {
                dispatch: |state, item| match item {
                    Item::Event(_) if state.is_http2 && number(&state.url) > 6 => Vec::new(),
                    _ => crate::client::dispatch(state, item),
                },
                ..REFERENCE
            },
        ),
    ],
};

/// The number in the path of a URL.
fn number(url: &str) -> usize {
    url.rsplit('/').next().and_then(|number| number.parse().ok()).unwrap_or_default()
}

pub(super) const STREAM: Case =
    Case::new("http2", "the server sends two events over HTTP/2, if the client offers it", |_| {
        stream().write("data: one\n\n").wait(20).write("data: two\n\n").hold()
    })
    .needs(&[Can::Tls, Can::Http2])
    .over(Transport::Http2)
    .until(When::Events(2), Quiet::Short);

pub(super) const MANY: Case = Case::new(
    "http2-many",
    "the server sends an event on each of twelve streams over HTTP/2, and ends none",
    |_| stream().write("data: one\n\n").hold(),
)
.needs(&[Can::Tls, Can::Http2])
.over(Transport::Http2)
.connects(|origins| {
    let paths = 1..=STREAMS;
    paths.map(|path| Connect::to(format!("{}/{path}", origins.own))).collect()
})
.until(When::Events(STREAMS), Quiet::Short);

pub(super) const RESET: Case =
    Case::new("http2-reset", "the server resets the stream of HTTP/2 with RST_STREAM", |visit| {
        lost(
            visit,
            Action::Frame {
                kind: kind::RST_STREAM,
                flags: 0,
                payload: INTERNAL_ERROR.to_be_bytes().to_vec().into(),
            },
        )
    })
    .reconnecting()
    .needs(&[Can::Tls, Can::Http2])
    .over(Transport::Http2)
    .until(When::Requests(2), Quiet::Short);

pub(super) const GOAWAY: Case = Case::new(
    "http2-goaway",
    "the server sends GOAWAY over HTTP/2, and closes the connection",
    |visit| lost(visit, Action::Raw(goaway())),
)
.reconnecting()
.needs(&[Can::Tls, Can::Http2])
.over(Transport::Http2)
.until(When::Requests(2), Quiet::Short);

/// A stream that is lost in this way at first; over HTTP/1.1 its connection is closed.
fn lost(visit: &CaseVisit<'_>, by: Action) -> sseproof_http::Plan {
    let first = || stream().write("retry: 50\ndata: one\n\n").wait(20);
    match (visit.earlier, visit.request.version) {
        (0, Version::Http2) if matches!(by, Action::Frame { .. }) => first().then(by).plan(),
        (0, Version::Http2) => first().then(by).wait(50).then(Action::Close).plan(),
        (0, _) => first().then(Action::Close).plan(),
        _ => stream().write("data: two\n\n").hold(),
    }
}

fn goaway() -> Bytes {
    let mut frame = Vec::new();
    let payload = [ALL_STREAMS.to_be_bytes(), NO_ERROR.to_be_bytes()].concat();
    write_frame(&mut frame, kind::GOAWAY, 0, 0, &payload);
    frame.into()
}

fn judge(view: &View<'_>) -> Judgement {
    let requests = view.requests();
    if requests.iter().any(|asked| asked.what.request.version != Version::Http2) {
        return Judgement::Skipped("the client does not offer HTTP/2".to_owned());
    }
    if requests.is_empty() {
        return Judgement::Unclear("the client does not connect over TLS".to_owned());
    }
    let expected = if view.case() == "http2-many" { STREAMS } else { 2 };
    match view.events().len() {
        events if events >= expected => Judgement::held(format!("{expected} events over HTTP/2")),
        events => Fault::missing(format!(
            "the client delivers {events} of {expected} events that were sent over HTTP/2"
        ))
        .into(),
    }
}
