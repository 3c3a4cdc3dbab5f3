//! A `Last-Event-ID` with letters beyond ASCII opens the stream like any other.

use sseproof_record::{Action, Plan};

use super::odd_id::{Odd, judge_odd};
use crate::{Mutant, Record, Rule, Verdict, reference};

pub(super) const RULE: Rule = Rule {
    id: "resume/non-ascii-id",
    judge,
    mutants: &[Mutant::new(
        "hangs-on-non-ascii-id",
        "never answers an id with a letter beyond ASCII",
        |visit| match visit.request.last_event_id().map(|id| Odd::of(id)) {
            Some(Odd::NonAscii) => Plan { actions: vec![Action::Hold] },
            _ => reference::answer(visit),
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    judge_odd(record, Odd::NonAscii)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Run, URL};
    use sseproof_record::{Answer, Request};
    use std::time::Duration;

    fn run(serve: Answer) -> Run {
        let request = Request::subscribe(URL).with("Last-Event-ID", "naïve-☕");
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
        assert_eq!(
            faults[0].message,
            "a Last-Event-ID with letters beyond ASCII has no answer within 2 s; a plain subscription has one after 0 ms"
        );
    }

    #[test]
    fn without_such_an_id_nothing_is_judged() {
        Run::against(RULE.mutants[0].serve).subscribe().skips(&RULE);
    }
}
