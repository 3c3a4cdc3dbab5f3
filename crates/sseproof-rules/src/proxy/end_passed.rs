//! The end of a stream gets through the proxy.

use sseproof_http::Action;

use super::sides::{all_pairs, on_streams, outlasts, through, was_open};
use crate::delivery::figures::shown;
use crate::outcome::count;
use crate::response::instead_of_finish;
use crate::timing::MISSING;
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "proxy/end-passed",
    judge: |record| on_streams(record, judge),
    mutants: &[Mutant::new(
        "proxy-never-ends",
        "is behind a proxy that keeps the response open when the server has ended it",
        |visit| through(visit, |plan| instead_of_finish(plan, Action::Hold)),
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    let mut faults = Vec::new();
    let (mut ended, mut thin) = (0, 0);
    for pair in all_pairs(record) {
        if !pair.direct.is_stream() || !pair.through.is_stream() || !pair.direct.ended_by_server() {
            continue;
        }
        if pair.through.ended_by_server() {
            ended += 1;
        } else if was_open(&pair.through) && outlasts(&pair.through, &pair.direct) >= MISSING {
            let message = format!(
                "the stream of the server itself ends after {}; that through the proxy is still open {} later",
                shown(pair.direct.lasted()),
                shown(outlasts(&pair.through, &pair.direct))
            );
            faults.push(Fault::at(&pair.through, pair.through.body_len(), message));
        } else {
            thin += 1;
        }
    }
    match (ended, thin) {
        _ if !faults.is_empty() => Verdict::Fail(faults),
        (0, 0) => Verdict::Skip(
            "the server ended no stream while we watched; add `restart` to the file of --target to see what becomes of them then"
                .to_owned(),
        ),
        (0, _) => Verdict::Inconclusive("no client stayed long enough after the end".to_owned()),
        _ => Verdict::Pass(format!("{} ended on both sides", count(ended, "stream"))),
    }
}
