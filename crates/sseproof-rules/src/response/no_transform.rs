//! Proxies are asked not to transform the stream.

use crate::outcome::{NO_STREAM, count, each_once, stream_answers};
use crate::{Fault, Mutant, Record, Rule, Verdict, reference};

pub(crate) const RULE: Rule = Rule {
    id: "response/no-transform",
    judge,
    mutants: &[Mutant::new(
        "may-be-transformed",
        "does not ask proxies to leave the stream alone",
        |visit| reference::answer(visit).with_header("Cache-Control", "no-store"),
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    let mut faults = Vec::new();
    let mut streams = 0;
    for view in stream_answers(record) {
        streams += 1;
        let asked = view.head.as_ref().is_some_and(|head| {
            head.headers.list("cache-control").iter().any(|directive| directive == "no-transform")
        });
        if !asked {
            let message = "Cache-Control has no `no-transform`";
            faults.push(Fault::header(&view, "cache-control", message));
        }
    }
    if streams == 0 {
        return Verdict::Skip(NO_STREAM.to_owned());
    }
    Verdict::from_faults(each_once(faults), count(streams, "stream"))
}
