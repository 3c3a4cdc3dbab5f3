//! A compressed stream that a cache may keep says what it depends on.

use super::on_stream;
use crate::gzip::gzipped;
use crate::outcome::{count, each_once, stream_answers};
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
    let compressed: Vec<_> = stream_answers(record).filter(View::is_compressed).collect();
    if compressed.is_empty() {
        return Verdict::Skip("no stream was compressed".to_owned());
    }
    let faults = compressed.iter().filter(|view| !says_so(view)).map(|view| {
        let message = "the stream is compressed, and Vary does not name Accept-Encoding";
        Fault::header(view, "vary", message)
    });
    Verdict::from_faults(each_once(faults.collect()), count(compressed.len(), "compressed stream"))
}

/// Whether the headers name Accept-Encoding to caches, or forbid them to keep the answer.
fn says_so(view: &View<'_>) -> bool {
    view.head.as_ref().is_some_and(|head| {
        let varies = head.headers.list("vary");
        varies.iter().any(|name| name == "accept-encoding" || name == "*")
            || head.headers.list("cache-control").iter().any(|directive| directive == "no-store")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference;
    use crate::testing::{Run, URL};
    use sseproof_record::{Answer, Request};
    use std::time::Duration;

    fn run(serve: Answer) -> Run {
        let request = Request::subscribe(URL).with("Accept-Encoding", "gzip, br");
        Run::against(serve).subscribe().visit(request, Duration::from_secs(1))
    }

    fn with(name: &'static str, value: &'static str) -> Run {
        run(RULE.mutants[0].serve).edit(|last| last.head.as_mut().unwrap().headers.set(name, value))
    }

    #[test]
    fn a_plain_stream_is_not_judged() {
        run(reference::answer).skips(&RULE);
        with("Content-Encoding", "identity").skips(&RULE);
    }

    #[test]
    fn the_mutant_fails_once() {
        let faults = run(RULE.mutants[0].serve).faults(&RULE);
        assert_eq!(
            faults[0].message,
            "the stream is compressed, and Vary does not name Accept-Encoding"
        );
    }

    #[test]
    fn vary_in_any_case_and_place_passes() {
        for value in ["Accept-Encoding", "origin, ACCEPT-ENCODING", "*"] {
            with("Vary", value).passes(&RULE);
        }
        with("Vary", "Origin").faults(&RULE);
    }

    #[test]
    fn what_nothing_keeps_depends_on_nothing() {
        with("Cache-Control", "no-store").passes(&RULE);
    }
}
