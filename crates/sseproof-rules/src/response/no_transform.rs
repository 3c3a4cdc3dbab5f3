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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Run;
    use sseproof_record::Plan;

    #[test]
    fn it_may_stand_in_a_line_of_its_own_and_in_any_case() {
        Run::against(reference::answer).subscribe().passes(&RULE);
        Run::against(RULE.mutants[0].serve)
            .subscribe()
            .edit(|last| last.head.as_mut().unwrap().headers.add("cache-control", "No-Transform"))
            .passes(&RULE);
    }

    #[test]
    fn the_mutant_fails_once() {
        let faults = Run::against(RULE.mutants[0].serve).subscribe().subscribe().faults(&RULE);
        assert_eq!(faults.len(), 1);
    }

    #[test]
    fn without_a_stream_there_is_nothing_to_judge() {
        Run::against(|_| Plan::answer(404, "text/plain", "")).subscribe().skips(&RULE);
    }
}
