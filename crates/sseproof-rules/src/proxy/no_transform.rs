//! A stream that must not be transformed gets through the proxy as it is.

use super::sides::{all_pairs, on_streams};
use crate::delivery::mutants::compressed;
use crate::gzip::gzipped;
use crate::outcome::count;
use crate::{Fault, Mutant, Record, Rule, Verdict, View, reference};

pub(super) const RULE: Rule = Rule {
    id: "proxy/no-transform",
    judge: |record| on_streams(record, judge),
    mutants: &[Mutant::new(
        "proxy-compresses",
        "is behind a proxy that compresses it, although its Cache-Control says no-transform",
        |visit| match reference::behind_proxy(visit.request) {
            Some(_) => compressed(visit, |plan| gzipped(plan, 1)),
            None => reference::answer(visit),
        },
    )],
};

/// Whether a proxy was seen that compresses what it must not.
pub(super) fn transforms(record: &Record<'_>) -> bool {
    matches!(judge(record), Verdict::Fail(_))
}

fn judge(record: &Record<'_>) -> Verdict {
    let mut faults = Vec::new();
    let (mut forbidden, mut compressed) = (0, 0);
    for pair in all_pairs(record) {
        if !pair.direct.is_stream() || !pair.through.is_stream() || pair.direct.is_compressed() {
            continue;
        }
        let forbids = forbids(&pair.direct);
        forbidden += usize::from(forbids);
        if !pair.through.is_compressed() {
            continue;
        }
        compressed += 1;
        if forbids && faults.is_empty() {
            let head = pair.through.head.as_ref();
            let coding = head.map(|head| head.headers.list("content-encoding").join(", "));
            let message = format!(
                "the proxy puts the stream into the coding {}, although the server's Cache-Control has `no-transform`; directly it comes in none",
                coding.unwrap_or_default()
            );
            faults.push(Fault::header(&pair.through, "content-encoding", message));
        }
    }
    match (forbidden, compressed) {
        _ if !faults.is_empty() => Verdict::Fail(faults),
        (0, 0) => Verdict::Skip(
            "the server does not forbid it: its Cache-Control has no `no-transform`".to_owned(),
        ),
        (0, _) => Verdict::Skip(
            "the proxy compresses, and the server allows it: its Cache-Control has no `no-transform`"
                .to_owned(),
        ),
        (forbidden, _) => Verdict::Pass(format!("{} uncompressed", count(forbidden, "stream"))),
    }
}

fn forbids(view: &View<'_>) -> bool {
    view.head.as_ref().is_some_and(|head| {
        head.headers.list("cache-control").iter().any(|directive| directive == "no-transform")
    })
}
