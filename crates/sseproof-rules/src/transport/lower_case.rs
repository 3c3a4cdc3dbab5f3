//! Field names are lower case over HTTP/2.

use sseproof_http::http2::{flag, kind, write_field};
use sseproof_http::{Action, Bytes, Header};

use crate::{Fault, Mutant, Over, Record, Rule, Verdict};

use super::{NO_HTTP2, answers, on_stream};
use crate::outcome::each_of;

pub(super) const RULE: Rule = Rule {
    id: "transport/lower-case",
    judge,
    mutants: &[Mutant::new(
        "h2-capital-letters",
        "sends field names with capital letters over HTTP/2",
        |visit| {
            on_stream(visit, |mut plan| {
                if let Some(head) = plan.actions.first_mut() {
                    *head = capital_head();
                }
                plan
            })
        },
    )
    .over(Over::Http2)],
};

/// The head of the reference, but for one name.
fn capital_head() -> Action {
    let mut block = Vec::new();
    for (name, value) in [
        (":status", "200"),
        ("content-type", "text/event-stream"),
        ("cache-control", "no-store, no-transform"),
        ("X-Accel-Buffering", "no"),
    ] {
        write_field(&mut block, name.as_bytes(), value.as_bytes());
    }
    Action::Frame { kind: kind::HEADERS, flags: flag::END_HEADERS, payload: Bytes::from(block) }
}

fn judge(record: &Record<'_>) -> Verdict {
    each_of(answers(record), "answer", NO_HTTP2, |view| {
        let headers = view.head.iter().flat_map(|head| &head.headers.0);
        let capital = headers.filter(|header| header.name.bytes().any(|b| b.is_ascii_uppercase()));
        let fault = |header: &Header| {
            let message = format!("the field name `{}` has capital letters", header.name);
            Fault::header(view, &header.name.to_ascii_lowercase(), message)
        };
        capital.map(fault).collect::<Vec<_>>()
    })
}
