//! The streams on one HTTP/2 connection do not wait for each other.

use sseproof_http::http2::kind;
use sseproof_http::{Action, Bytes};

use super::sharing::{PAGES, joined, single};
use super::{NO_HTTP2, answers, on_stream};
use crate::outcome::count;
use crate::{Mutant, Over, Record, Rule, Single, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "transport/no-blocking",
    judge,
    mutants: &[
        Mutant::new(
            "h2-one-at-a-time",
            "answers the second stream of a connection only when the first is over",
            |visit| {
                let waits = visit.beside > 0;
                on_stream(visit, |plan| if waits { plan.after([Action::Hold]) } else { plan })
            },
        )
        .over(Over::Http2),
        Mutant::new("h2-one-allowed", "allows one stream at a time on a connection", |visit| {
            on_stream(visit, |plan| plan.after([Action::Raw(one_stream())]))
        })
        .over(Over::Http2),
    ],
};

/// SETTINGS that allow one stream.
fn one_stream() -> Bytes {
    let mut out = Vec::new();
    sseproof_http::http2::write_frame(&mut out, kind::SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 1]);
    Bytes::from(out)
}

fn judge(record: &Record<'_>) -> Verdict {
    let singles =
        joined(record, false).map(|(view, opener)| match single(record, &view, &opener) {
            Single::Broken(fault) => Single::Broken(fault.so(PAGES)),
            single => single,
        });
    let holds = |flows| format!("{} beside another one", count(flows, "stream"));
    Single::sum(singles, holds, no_pair(record, "no two streams were on one connection"))
}

/// The reason to skip without two streams on one connection: HTTP/2 was not spoken, or else this.
pub(super) fn no_pair<'w>(record: &Record<'_>, otherwise: &'w str) -> &'w str {
    if answers(record).next().is_none() { NO_HTTP2 } else { otherwise }
}
