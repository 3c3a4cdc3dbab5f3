//! Rules on what is below the stream: HTTP/2.

mod cancelled_streams;
mod connection_fields;
mod end_stream;
mod flow_control;
mod lower_case;
mod no_blocking;
mod same_over_both;
mod sharing;
mod six_connections;
mod window;

use sseproof_http::{Plan, Version, Visit};

use crate::{Family, LooksAt, Record, View, reference};

pub(crate) const FAMILY: Family = Family {
    looks_at: LooksAt::Run,
    rules: &[
        &connection_fields::RULE,
        &lower_case::RULE,
        &end_stream::RULE,
        &no_blocking::RULE,
        &cancelled_streams::RULE,
        &flow_control::RULE,
        &same_over_both::RULE,
        &window::RULE,
        &six_connections::RULE,
    ],
};

/// The reason to skip where nothing came over HTTP/2.
const NO_HTTP2: &str = "no answer came over HTTP/2 (check an https:// URL, or add --http 2 where the server speaks it without TLS)";

/// The answers that came over HTTP/2.
fn answers<'r>(record: &'r Record<'_>) -> impl Iterator<Item = View<'r>> {
    record.judged().filter(View::is_http2)
}

/// For mutants: the reference's answer, changed where it is a stream that GET asks for over HTTP/2.
fn on_stream(visit: &Visit<'_>, edit: impl FnOnce(Plan) -> Plan) -> Plan {
    let answer = reference::answer(visit);
    let is_meant = visit.request.method == "GET" && visit.request.version == Version::Http2;
    if is_meant { edit(answer) } else { answer }
}
