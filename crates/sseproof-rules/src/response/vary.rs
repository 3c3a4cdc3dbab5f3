//! A compressed stream that a cache may keep says what it depends on.

use super::on_stream;
use crate::gzip::gzipped;
use crate::outcome::{each_of, stream_answers};
use crate::{Fault, Mutant, Record, Rule, Verdict, View};

pub(crate) const RULE: Rule = Rule {
    id: "response/vary",
    judge,
    mutants: &[Mutant::new(
        "gzip-without-vary",
        "compresses the stream if the client accepts that, and sends no Vary for caches",
        |visit| {
            let accepts =
                visit.request.headers.list("accept-encoding").contains(&"gzip".to_owned());
            on_stream(visit, |plan| {
                // Only what caches may keep has to say on what it depends.
                let plan = plan.with_header("Cache-Control", "no-cache, no-transform");
                if accepts { gzipped(plan, 1) } else { plan }
            })
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    let compressed = stream_answers(record).filter(View::is_compressed);
    each_of(compressed, "compressed stream", "no stream was compressed", |view| {
        let message = "the stream is compressed, and Vary does not name Accept-Encoding";
        (!says_so(view)).then(|| Fault::header(view, "vary", message))
    })
}

/// Whether the headers name Accept-Encoding to caches, or forbid them to keep the answer.
fn says_so(view: &View<'_>) -> bool {
    view.head.as_ref().is_some_and(|head| {
        let varies = head.headers.list("vary");
        varies.iter().any(|name| name == "accept-encoding" || name == "*")
            || head.headers.list("cache-control").iter().any(|directive| directive == "no-store")
    })
}
