//! HTTP/2 has no fields that are about the connection.

use crate::{Fault, Mutant, Over, Record, Rule, Verdict};

use super::{judge_answers, on_stream};

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
    judge_answers(record, |view| {
        let fields = FORBIDDEN.iter().filter_map(|name| {
            let value = view.head.as_ref()?.headers.first(name)?;
            let message = format!("the answer over HTTP/2 has `{name}: {value}`");
            Some(Fault::header(view, name, message))
        });
        fields.collect()
    })
}

#[cfg(test)]
mod tests {
    use super::super::over_http2;
    use super::*;
    use crate::reference;
    use crate::testing::Run;

    #[test]
    fn the_reference_passes_over_http2_and_skips_over_http1() {
        Run::against(reference::answer).subscribe().edit(over_http2).passes(&RULE);
        Run::against(reference::answer).subscribe().skips(&RULE);
    }

    #[test]
    fn each_field_is_named() {
        for name in FORBIDDEN {
            let run = Run::against(reference::answer).subscribe().edit(over_http2).edit(|last| {
                last.head.as_mut().unwrap().headers.add(name, "x");
            });
            let message = format!("the answer over HTTP/2 has `{name}: x`");
            assert_eq!(run.faults(&RULE)[0].message, message);
        }
    }

    #[test]
    fn over_http1_the_same_field_is_fine() {
        Run::against(reference::answer)
            .subscribe()
            .edit(|last| last.head.as_mut().unwrap().headers.add("Connection", "keep-alive"))
            .skips(&RULE);
    }
}
