//! Rules on `close`.

mod connection;
mod in_error;
mod in_handler;
mod no_request;

use std::time::Duration;

use sseproof_http::Action;

use crate::registry::Family;
use crate::{Act, Can, Case, CloseOn, Connect, Do, Quiet, When, stream};

pub(crate) const FAMILY: Family = Family {
    rules: &[
        &connection::RULE,
        &in_handler::RULE,
        &in_error::RULE,
        &no_request::CONNECTING,
        &no_request::WAITING,
    ],
    cases: &[&CLOSE, &CLOSE_ON_EVENT, &IN_HANDLER, &IN_ERROR, &CONNECTING, &WAITING],
};

const CLOSE: Case = Case::new(
    "close",
    "the server sends an event and stays open; the client is asked to close",
    |_| stream().write("data: one\n\n").hold(),
)
.needs(&[Can::Close])
.acts(&[Act::new(When::Events(1), Duration::from_millis(100), Do::Close)])
.until(When::Ends(1), Quiet::Short);

const CLOSE_ON_EVENT: Case = Case::new(
    "close-on-event",
    "the server sends an event and stays open; the client closes itself in the handler",
    |_| stream().write("data: one\n\n").hold(),
)
.needs(&[Can::CloseOn])
.connects(|origins| closing(&origins.own, CloseOn::Event(1)))
.until(When::Ends(1), Quiet::Short);

const IN_HANDLER: Case = Case::new(
    "close-in-handler",
    "the server sends three events at once, and ends the stream a second later",
    |_| stream().write("retry: 50\ndata: one\n\ndata: two\n\ndata: three\n\n").wait(1000).end(),
)
.needs(&[Can::CloseOn])
.connects(|origins| closing(&origins.own, CloseOn::Event(1)))
.until(When::Ends(1), Quiet::Reconnect);

const IN_ERROR: Case = Case::new(
    "close-in-error",
    "the server ends the stream; the client closes itself in the handler of the error",
    |_| stream().write("retry: 50\ndata: one\n\n").end(),
)
.reconnecting()
.needs(&[Can::CloseOn, Can::Error])
.connects(|origins| closing(&origins.own, CloseOn::Error(1)))
.until(When::Errors(1), Quiet::Reconnect);

const CONNECTING: Case = Case::new(
    "close-connecting",
    "the server sends its response headers after 1.5 s; the client is asked to close before",
    |_| {
        let mut plan = stream().write("data: one\n\n").hold();
        plan.actions.insert(0, Action::Wait(Duration::from_millis(1500)));
        plan
    },
)
.needs(&[Can::Close])
.connects(|origins| vec![Connect { retry: Some(50), ..Connect::to(format!("{}/", origins.own)) }])
.acts(&[Act::new(When::Requests(1), Duration::from_millis(200), Do::Close)])
.until(When::Ends(1), Quiet::Reconnect);

const WAITING: Case = Case::new(
    "close-waiting",
    "the server ends the stream; the client is asked to close while it waits to reconnect",
    |_| stream().write("retry: 500\ndata: one\n\n").end(),
)
.reconnecting()
.needs(&[Can::Close])
.acts(&[Act::new(When::Ends(1), Duration::from_millis(100), Do::Close)])
.until(When::Done(0), Quiet::Reconnect);

fn closing(origin: &str, close_on: CloseOn) -> Vec<Connect> {
    vec![Connect { close_on: Some(close_on), ..Connect::to(format!("{origin}/")) }]
}
