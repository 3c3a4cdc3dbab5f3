//! Rules on long, silent and endless streams.

mod memory;
mod quiet;
mod read_timeout;
mod unread;

use std::time::Duration;

use crate::registry::Family;
use crate::{Can, Case, Connect, Quiet, When, stream};

pub(crate) const FAMILY: Family = Family {
    rules: &[
        &quiet::RULE,
        &read_timeout::ANY_BYTE,
        &read_timeout::HALF_OPEN,
        &memory::RULE,
        &unread::RULE,
    ],
    cases: &[
        &QUIET,
        &COMMENTS,
        &TIMEOUT_COMMENTS,
        &HALF_OPEN,
        &memory::LINE,
        &memory::DATA,
        &memory::COMMENTS,
        &unread::CASE,
    ],
};

const QUIET: Case = Case::new("quiet", "the server sends nothing for 20 s", |_| {
    stream().write("retry: 50\ndata: one\n\n").wait(20_000).write("data: two\n\n").hold()
})
.until(When::Events(2), Quiet::Short)
.idle();

const COMMENTS: Case =
    Case::new("comments-only", "the server sends only comments for 20 s, one every 2 s", |_| {
        let start = stream().write("retry: 50\ndata: one\n\n");
        let pings = (0..10).fold(start, |answer, _| answer.wait(2000).write(": ping\n\n"));
        pings.write("data: two\n\n").hold()
    })
    .until(When::Events(2), Quiet::Short)
    .idle();

const TIMEOUT_COMMENTS: Case = Case::new(
    "read-timeout-comments",
    "the server sends only comments for 2.4 s to a client with a read timeout of 1 s",
    |_| {
        let start = stream().write("retry: 50\ndata: one\n\n");
        let pings = (0..8).fold(start, |answer, _| answer.wait(300).write(": ping\n\n"));
        pings.write("data: two\n\n").hold()
    },
)
.needs(&[Can::ReadTimeout])
.connects(|origins| timing_out(&origins.own, 1000))
.until(When::Events(2), Quiet::Short);

const HALF_OPEN: Case = Case::new(
    "half-open",
    "the server sends nothing more to a client with a read timeout of 500 ms",
    |_| stream().write("retry: 50\ndata: one\n\n").hold(),
)
.needs(&[Can::ReadTimeout])
.connects(|origins| timing_out(&origins.own, 500))
.until(When::Ends(1), Quiet::Short)
.patient(Duration::from_secs(3));

fn timing_out(origin: &str, millis: u64) -> Vec<Connect> {
    vec![Connect { read_timeout: Some(millis), ..Connect::to(format!("{origin}/")) }]
}
