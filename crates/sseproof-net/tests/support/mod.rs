//! Streams of the lab server, and whole exchanges with it.

use std::time::Duration;

use sseproof_http::{Action, Bytes, Framing, Plan, Request};
use sseproof_net::{Client, Leave, Waited};
use sseproof_record::Exchange;

pub(crate) const LONG: Duration = Duration::from_secs(100);

pub(crate) async fn whole(client: &Client, request: Request) -> Exchange {
    let mut live = client.open(request).expect("a request that can be sent");
    assert_ne!(live.wait(LONG, |_| false).await, Waited::TimedOut);
    live.leave(Leave::Fin).await
}

pub(crate) fn stream(actions: impl IntoIterator<Item = Action>) -> Plan {
    let headers = [("Content-Type", "text/event-stream")].into_iter().collect();
    let head = Action::Head { status: 200, headers, framing: Framing::Chunked };
    Plan { actions: [head].into_iter().chain(actions).collect() }
}

pub(crate) fn write(text: &str) -> Action {
    Action::Write(Bytes::from(text))
}
