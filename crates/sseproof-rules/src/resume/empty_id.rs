//! An empty `Last-Event-ID` is the same as none.

use sseproof_record::Plan;

use super::odd_id::{Odd, judge_odd};
use crate::{Mutant, Record, Rule, Verdict, reference};

pub(super) const RULE: Rule = Rule {
    id: "resume/empty-id",
    judge,
    mutants: &[Mutant::new("refuses-empty-id", "refuses an id without a character", |visit| {
        match visit.request.last_event_id().map(|id| Odd::of(id)) {
            Some(Odd::Empty) => Plan::answer(400, "text/plain", "the id is no number\n"),
            _ => reference::answer(visit),
        }
    })],
};

fn judge(record: &Record<'_>) -> Verdict {
    judge_odd(record, Odd::Empty)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Run, URL};
    use sseproof_record::{Answer, Request};
    use std::time::Duration;

    fn run(serve: Answer) -> Run {
        let request = Request::subscribe(URL).with("Last-Event-ID", "");
        Run::against(serve).subscribe().visit(request, Duration::from_secs(2))
    }

    #[test]
    fn the_reference_opens_a_stream() {
        run(reference::answer).passes(&RULE);
    }

    #[test]
    fn an_error_is_a_fault() {
        let faults = run(RULE.mutants[0].serve).faults(&RULE);
        assert_eq!(faults[0].exchange, 2);
        assert_eq!(faults[0].message, "an empty Last-Event-ID is answered 400");
    }

    #[test]
    fn without_such_an_id_nothing_is_judged() {
        Run::against(RULE.mutants[0].serve).subscribe().skips(&RULE);
    }
}
