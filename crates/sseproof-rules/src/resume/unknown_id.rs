//! A `Last-Event-ID` that the server does not know opens the stream all the same.

use sseproof_record::Plan;

use super::odd_id::{Odd, judge_odd};
use crate::{Mutant, Record, Rule, Verdict, reference};

pub(super) const RULE: Rule = Rule {
    id: "resume/unknown-id",
    judge,
    mutants: &[Mutant::new(
        "refuses-unknown-id",
        "takes an id that it cannot read for an error of its own",
        |visit| match visit.request.last_event_id().map(|id| Odd::of(id)) {
            Some(Odd::Unknown) if super::resumption::brought(visit).is_none() => {
                Plan::answer(500, "text/plain", "no such event\n")
            }
            _ => reference::answer(visit),
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    judge_odd(record, Odd::Unknown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Run, URL};
    use sseproof_record::{Answer, Request};
    use std::time::Duration;

    fn run(serve: Answer) -> Run {
        let request = Request::subscribe(URL).with("Last-Event-ID", "sseproof-unknown-id");
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
        assert_eq!(faults[0].message, "an unknown Last-Event-ID is answered 500");
    }

    #[test]
    fn without_such_an_id_nothing_is_judged() {
        Run::against(RULE.mutants[0].serve).subscribe().skips(&RULE);
    }
}
