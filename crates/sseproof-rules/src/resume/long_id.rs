//! A long `Last-Event-ID` opens the stream like a short one.

use sseproof_record::Plan;

use super::odd_id::{Odd, judge_odd};
use crate::{Mutant, Record, Rule, Verdict, reference};

pub(super) const RULE: Rule =
    Rule {
        id: "resume/long-id",
        judge,
        mutants: &[Mutant::new("refuses-long-id", "takes a long id for an attack", |visit| {
            match visit.request.last_event_id().map(|id| Odd::of(id)) {
                Some(Odd::Long) => Plan::answer(431, "text/plain", "the id is too long\n"),
                _ => reference::answer(visit),
            }
        })],
    };

fn judge(record: &Record<'_>) -> Verdict {
    judge_odd(record, Odd::Long)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Run, URL};
    use sseproof_record::{Answer, Request};
    use std::time::Duration;

    fn run(serve: Answer) -> Run {
        let request = Request::subscribe(URL).with("Last-Event-ID", "x".repeat(300));
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
        assert_eq!(faults[0].message, "a long Last-Event-ID is answered 431");
    }

    #[test]
    fn without_such_an_id_nothing_is_judged() {
        Run::against(RULE.mutants[0].serve).subscribe().skips(&RULE);
    }

    #[test]
    fn where_any_unknown_id_is_refused_its_length_is_not_the_cause() {
        let refuse: Answer = |visit| match visit.request.last_event_id() {
            Some(_) => sseproof_record::Plan::answer(422, "text/plain", "no number\n"),
            None => reference::answer(visit),
        };
        let unknown = Request::subscribe(URL).with("Last-Event-ID", "sseproof-unknown-id");
        run(refuse).faults(&RULE);
        run(refuse).visit(unknown, Duration::from_secs(2)).skips(&RULE);
    }
}
