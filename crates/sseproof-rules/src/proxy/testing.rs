//! For the tests of this family: the same request to the server itself and through a proxy.

use std::time::Duration;

use sseproof_record::{Answer, Bytes, Chunk, Ending, Exchange, Request};

use crate::reference;
pub(super) use crate::testing::called;
use crate::testing::{Run, URL};

/// The stream behind the proxy, as the reference has it.
pub(super) const VIA: &str = "http://server/via/events";

/// Asks the server as the probe does: through the proxy first, then directly, then as a control.
pub(super) fn beside(serve: Answer, stay: Duration) -> Run {
    let direct = Duration::from_millis(1);
    Run::against(serve)
        .visit(Request::subscribe(VIA), stay)
        .edit(|last| called(last, "through"))
        .join(1, direct, stay)
        .edit(|last| called(last, "direct"))
        .join(1, direct, stay)
        .edit(|last| called(last, "direct-control"))
}

/// Three streams of four seconds with these events, each with the milliseconds after the headers at
/// which it came: through the proxy, directly, and as a control.
pub(super) fn events(through: &[(u64, &str)], direct: &[(u64, &str)]) -> Run {
    let stay = Duration::from_secs(4);
    let body = |exchange: &mut Exchange, events: &[(u64, &str)]| {
        let begun = exchange.started;
        exchange.head.as_mut().expect("response headers").at = begun;
        exchange.end.at = begun + stay;
        exchange.end.how = Ending::Left;
        let chunk = |(millis, data): &(u64, &str)| Chunk {
            at: begun + Duration::from_millis(*millis),
            bytes: Bytes::from(format!("data: {data}\n\n")),
        };
        exchange.body = events.iter().map(chunk).collect();
    };
    beside(reference::answer, stay)
        .edit_at(1, |exchange| body(exchange, through))
        .edit_at(2, |exchange| body(exchange, direct))
        .edit_at(3, |exchange| body(exchange, direct))
}

/// One more exchange beside the first, that long after its start.
pub(super) fn later(run: Run, name: &str, after: Duration, stay: Duration) -> Run {
    let url = if name.starts_with("through") { VIA } else { URL };
    run.join_with(Request::subscribe(url), 1, after, stay).edit(|last| called(last, name))
}
