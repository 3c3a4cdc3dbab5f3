//! Rules on the reconnection of a client.

mod after_cut;
mod after_end;
mod backoff;
mod delay;
mod jitter;
mod refused;

use std::time::Duration;

use sseproof_http::{Action, Framing};

use crate::registry::Family;
use crate::{Act, Case, Connect, Do, Quiet, When, silence, stream};

pub(crate) const FAMILY: Family = Family {
    rules: &[
        &after_end::RULE,
        &after_cut::RULE,
        &refused::FIRST,
        &refused::LATER,
        &delay::RULE,
        &backoff::RULE,
        &jitter::RULE,
    ],
    cases: &[
        &AFTER_END,
        &CUT_CHUNKED,
        &CUT_LENGTH,
        &CUT_RESET,
        &REFUSED_FIRST,
        &REFUSED_LATER,
        &DEFAULT_DELAY,
        &FAILURES,
        &TOGETHER,
    ],
};

/// Its first return is the pace of the client, too.
pub(crate) const AFTER_END: Case = Case::new(
    "end",
    "the server ends the stream, and the next one stays open",
    |visit| match visit.earlier {
        0 => stream().write("retry: 50\nid: 1\ndata: one\n\n").end(),
        _ => stream().write("data: two\n\n").hold(),
    },
)
.reconnecting()
.until(When::Events(2), Quiet::Short);

const CUT_CHUNKED: Case = Case::new(
    "cut-chunked",
    "the server closes the connection in the middle of a chunked response",
    |visit| match visit.earlier {
        0 => stream().write("retry: 50\ndata: one\n\n").then(Action::Close).plan(),
        _ => stream().write("data: two\n\n").hold(),
    },
)
.reconnecting()
.until(When::Requests(2), Quiet::Short);

const CUT_LENGTH: Case = Case::new(
    "cut-length",
    "the server closes the connection before the Content-Length is reached",
    |visit| match visit.earlier {
        0 => {
            let plan = stream().write("retry: 50\ndata: one\n\n").then(Action::Close).plan();
            plan.with_framing(Framing::Length(1000))
        }
        _ => stream().write("data: two\n\n").hold(),
    },
)
.reconnecting()
.until(When::Requests(2), Quiet::Short);

const CUT_RESET: Case =
    Case::new("cut-reset", "the server resets the connection of the stream", |visit| {
        match visit.earlier {
            0 => stream().write("retry: 50\ndata: one\n\n").wait(100).then(Action::Reset).plan(),
            _ => stream().write("data: two\n\n").hold(),
        }
    })
    .reconnecting()
    .until(When::Requests(2), Quiet::Short);

const REFUSED_FIRST: Case = Case::new(
    "refused-first",
    "the server does not listen when the client connects, and listens 400 ms later",
    |_| stream().write("data: one\n\n").hold(),
)
.reconnecting()
.connects(|origins| vec![Connect { retry: Some(50), ..Connect::to(format!("{}/", origins.own)) }])
.acts(&[
    Act::new(When::Start, Duration::ZERO, Do::Away),
    Act::new(When::Start, Duration::from_millis(400), Do::Back),
])
.until(When::Requests(1), Quiet::Short)
.patient(Duration::from_secs(8));

/// Longer than the 500 ms that Firefox waits at least.
const REFUSED_LATER: Case = Case::new(
    "refused-later",
    "the server ends two streams, does not listen for 1.5 s, and listens again",
    |visit| match visit.earlier {
        0 => stream().write("retry: 50\ndata: one\n\n").end(),
        1 => stream().write("retry: 200\ndata: two\n\n").end(),
        _ => stream().write("data: three\n\n").hold(),
    },
)
.reconnecting()
.acts(&[
    Act::new(When::Ends(2), Duration::ZERO, Do::Away),
    Act::new(When::Done(0), Duration::from_millis(1500), Do::Back),
])
.until(When::Requests(3), Quiet::Short)
.patient(Duration::from_secs(8));

const DEFAULT_DELAY: Case = Case::new(
    "default-delay",
    "the server ends a stream that announces no reconnection time",
    |visit| match visit.earlier {
        0 => stream().write("data: one\n\n").end(),
        _ => stream().write("data: two\n\n").hold(),
    },
)
.reconnecting()
.until(When::Requests(2), Quiet::Short)
.patient(delay::WATCHED);

/// Several connections, since many clients spread their waits by chance. The first response closes
/// its connection: on one that is kept, some HTTP clients repeat a request by themselves.
const FAILURES: Case = Case::new(
    "failures",
    "the server resets six connections in a row to each of five streams, then sends a stream that ends",
    |visit| match visit.here {
        0 => {
            let plan = stream().write("retry: 50\ndata: one\n\n").then(Action::Close).plan();
            plan.with_framing(Framing::Close)
        }
        1..=backoff::FAILURES => silence().then(Action::Reset).plan(),
        backoff::SUCCESS => stream().write("data: two\n\n").end(),
        _ => stream().write("data: three\n\n").hold(),
    },
)
.reconnecting()
.connects(|origins| {
    let paths = 1..=backoff::CLIENTS;
    paths.map(|path| Connect::to(format!("{}/{path}", origins.own))).collect()
})
.until(When::Requests(backoff::CLIENTS * (backoff::SUCCESS as usize + 2)), Quiet::Short)
.patient(Duration::from_secs(8));

const TOGETHER: Case = Case::new(
    "together",
    "the server cuts twenty streams at the same time, which announced `retry: 1000`",
    |visit| match visit.here {
        0 => stream().write("retry: 1000\ndata: one\n\n").hold(),
        _ => stream().write("data: two\n\n").hold(),
    },
)
.reconnecting()
.connects(|origins| {
    let paths = 1..=jitter::CLIENTS;
    paths.map(|path| Connect::to(format!("{}/{path}", origins.own))).collect()
})
.acts(&[Act::new(When::Requests(jitter::CLIENTS), Duration::from_millis(300), Do::Cut)])
.until(When::Requests(2 * jitter::CLIENTS), Quiet::Short);
