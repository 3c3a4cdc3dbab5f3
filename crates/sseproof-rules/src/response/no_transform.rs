//! Proxies are asked not to transform the stream.

use crate::outcome::{NO_STREAM, each_of, stream_answers};
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
    each_of(stream_answers(record), "stream", NO_STREAM, |view| {
        let asked = view.head.as_ref().is_some_and(|head| {
            head.headers.list("cache-control").iter().any(|directive| directive == "no-transform")
        });
        (!asked)
            .then(|| Fault::header(view, "cache-control", "Cache-Control has no `no-transform`"))
    })
}
