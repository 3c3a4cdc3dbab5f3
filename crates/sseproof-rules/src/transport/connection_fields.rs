//! HTTP/2 has no fields that are about the connection.

use crate::{Fault, Mutant, Over, Record, Rule, Verdict};

use super::{NO_HTTP2, answers, on_stream};
use crate::outcome::each_of;

pub(super) const RULE: Rule = Rule {
    id: "transport/connection-fields",
    judge,
    mutants: &[
        Mutant::new("h2-keep-alive", "sends `Connection: keep-alive` over HTTP/2", |visit| {
            on_stream(visit, |plan| plan.with_header("Connection", "keep-alive"))
        })
        .over(Over::Http2),
        Mutant::new(
            "h2-transfer-encoding",
            "sends `Transfer-Encoding: chunked` over HTTP/2",
            |visit| on_stream(visit, |plan| plan.with_header("Transfer-Encoding", "chunked")),
        )
        .over(Over::Http2),
    ],
};

/// RFC 9113, section 8.2.2: an endpoint must not generate these. `te` is one of requests only.
const FORBIDDEN: [&str; 5] =
    ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"];

fn judge(record: &Record<'_>) -> Verdict {
    each_of(answers(record), "answer", NO_HTTP2, |view| {
        let fields = FORBIDDEN.iter().filter_map(|name| {
            let value = view.head.as_ref()?.headers.first(name)?;
            let message = format!("the answer over HTTP/2 has `{name}: {value}`");
            Some(Fault::header(view, name, message))
        });
        fields.collect::<Vec<_>>()
    })
}
