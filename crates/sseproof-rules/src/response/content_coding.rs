//! The stream is not compressed unasked.

use sseproof_http::Coding;

use super::on_stream;
use crate::gzip::gzipped;
use crate::outcome::{NO_STREAM, each_of, stream_answers};
use crate::{Fault, Mutant, Record, Rule, Verdict, View};

pub(crate) const RULE: Rule = Rule {
    id: "response/content-coding",
    judge,
    mutants: &[
        Mutant::new(
            "unasked-gzip",
            "declares the stream as compressed without a request for it",
            |visit| on_stream(visit, |plan| gzipped(plan, 1)),
        ),
        Mutant::new(
            "none-coding",
            "names the coding `none`, to keep proxies from compressing",
            |visit| on_stream(visit, |plan| plan.with_header("Content-Encoding", "none")),
        ),
        Mutant::new(
            "identity-coding",
            "names the coding `identity`, which means no coding",
            |visit| on_stream(visit, |plan| plan.with_header("Content-Encoding", "identity")),
        ),
    ],
};

fn judge(record: &Record<'_>) -> Verdict {
    each_of(stream_answers(record), "stream", NO_STREAM, |view| {
        let codings = view.head.as_ref().map(|head| head.headers.list("content-encoding"));
        let codings = codings.unwrap_or_default();
        codings.iter().filter_map(|coding| fault(view, coding)).collect::<Vec<_>>()
    })
}

fn fault(view: &View<'_>, coding: &str) -> Option<Fault> {
    let fault = |message: String| Fault::header(view, "content-encoding", message);
    if coding == "identity" {
        let message = "Content-Encoding names `identity`, which means no coding at all";
        Some(
            fault(message.to_owned()).so(
                "most clients ignore it; some take it for an unknown coding and refuse the stream",
            ),
        )
    } else if !Coding::is_registered(coding) {
        let message = format!("Content-Encoding names `{coding}`, which is not a content coding");
        Some(fault(message).so(
            "browsers ignore it; other clients take it for an unknown coding and refuse the stream, and a cache may not store it",
        ))
    } else if !asks_for(view, coding) {
        Some(fault(format!(
            "the stream is in the coding {coding}, which the request does not ask for"
        )))
    } else {
        None
    }
}

/// Whether the request lists the coding, or `*`, and not with a weight of nought.
fn asks_for(view: &View<'_>, coding: &str) -> bool {
    let plain = |name: &str| name.trim().trim_start_matches("x-").to_owned();
    view.request.headers.list("accept-encoding").iter().any(|member| {
        let (name, weight) = member.split_once(';').unwrap_or((member, ""));
        let refused = weight
            .trim()
            .strip_prefix("q=")
            .and_then(|weight| weight.trim().parse::<f32>().ok())
            .is_some_and(|weight| weight == 0.0);
        !refused && (name.trim() == "*" || plain(name) == plain(coding))
    })
}
