//! Rules on clients that read one response, as those of language models do.

mod cut;
mod data;
mod done;
mod end;
mod error_event;
mod post;
mod status;

use std::time::Duration;

use sseproof_http::{Action, Framing, Plan};

use crate::registry::Family;
use crate::{Can, Case, Connect, Quiet, When, stream};

pub(crate) const FAMILY: Family = Family {
    rules: &[
        &post::RULE,
        &data::RULE,
        &done::RULE,
        &error_event::RULE,
        &end::RULE,
        &cut::RULE,
        &status::RULE,
    ],
    cases: &[
        &POST,
        &DATA,
        &DONE,
        &ERROR_EVENT,
        &END,
        &CHUNKED,
        &CLOSING,
        &LENGTH,
        &RESET,
        &S404,
        &S503,
    ],
};

const POST: Case = Case::new(
    "reader-post",
    "the server sends two events in response to a POST, and ends the response",
    |_| stream().write("data: one\n\ndata: two\n\n").end(),
)
.reading()
.needs(&[Can::Method, Can::Body])
.connects(|origins| {
    vec![Connect {
        method: Some("POST".to_owned()),
        body: Some(post::BODY.to_owned()),
        ..Connect::to(format!("{}/", origins.own))
    }]
})
.until(When::Ends(1), Quiet::Time(Duration::from_secs(1)));

/// The data of an event of the type `ping`.
const PING: &str = "{}";

const DATA: Case = Case::new(
    "reader-data",
    "the server sends data without a space after the colon, comments and pings",
    |_| {
        let pings = format!(": ping\n\nevent: ping\ndata: {PING}\n\n");
        stream().write(format!("data:one\n\n{pings}:\n\ndata: two\n\n")).end()
    },
)
.reading()
.until(When::Closes(1), Quiet::Short);

const DONE: Case =
    Case::new("reader-done", "the server sends an event, `[DONE]`, and one event more", |_| {
        stream().write("data: one\n\ndata: [DONE]\n\ndata: late\n\n").end()
    })
    .reading()
    .until(When::Closes(1), Quiet::Short);

const ERROR_EVENT: Case = Case::new(
    "reader-error-event",
    "the server sends an event of the type `error` after the first event",
    |_| {
        let error = r#"{"error":{"type":"overloaded_error","message":"overloaded"}}"#;
        stream().write(format!("data: one\n\nevent: error\ndata: {error}\n\n")).end()
    },
)
.reading()
.connects(|origins| {
    vec![Connect { types: vec!["error".to_owned()], ..Connect::to(format!("{}/", origins.own)) }]
})
.until(When::Closes(1), Quiet::Short);

const END: Case = Case::new(
    "reader-end",
    "the server ends the response after two events and a block without its blank line",
    |_| stream().write("data: one\n\ndata: two\n\ndata: last\n").end(),
)
.reading()
.needs(&[Can::Closed])
.until(When::Closes(1), Quiet::Short);

const CHUNKED: Case = Case::new(
    "reader-cut-chunked",
    "the server closes the connection in the middle of a chunked response",
    |_| stream().write("data: one\n\n").then(Action::Close).plan(),
)
.reading()
.needs(&[Can::Error, Can::Closed])
.until(When::Closes(1), Quiet::Short);

/// Some libraries take the end of such a connection for that of the response, whatever its framing.
const CLOSING: Case = Case::new(
    "reader-cut-closing",
    "the server announces `Connection: close`, and closes in the middle of a chunked response",
    |_| {
        let plan = stream().write("data: one\n\n").then(Action::Close).plan();
        plan.with_header("Connection", "close")
    },
)
.reading()
.needs(&[Can::Error, Can::Closed])
.until(When::Closes(1), Quiet::Short);

const LENGTH: Case = Case::new(
    "reader-cut-length",
    "the server closes the connection before the Content-Length is reached",
    |_| {
        let plan = stream().write("data: one\n\n").then(Action::Close).plan();
        plan.with_framing(Framing::Length(1000))
    },
)
.reading()
.needs(&[Can::Error, Can::Closed])
.until(When::Closes(1), Quiet::Short);

const RESET: Case =
    Case::new("reader-cut-reset", "the server resets the connection of the response", |_| {
        stream().write("data: one\n\n").wait(100).then(Action::Reset).plan()
    })
    .reading()
    .needs(&[Can::Error, Can::Closed])
    .until(When::Closes(1), Quiet::Short);

const S404: Case = Case::new("reader-404", "the server answers with 404 and JSON", |_| {
    Plan::answer(404, "application/json", status::BODY)
})
.reading()
.needs(&[Can::Error])
.until(When::Errors(1), Quiet::Short);

/// Some clients of language models repeat such a request a few times.
const S503: Case = Case::new("reader-503", "the server answers with 503 and JSON", |_| {
    Plan::answer(503, "application/json", status::BODY)
})
.reading()
.needs(&[Can::Error])
.until(When::Errors(1), Quiet::Short)
.patient(Duration::from_secs(8));
