//! A `Last-Event-ID` that the server never gave out opens the stream all the same, however it looks.

use sseproof_record::{Action, Plan, Visit};

use super::odd_id::{Odd, judge_odd};
use super::resumption::brought;
use crate::{Mutant, Rule, reference};

pub(super) const UNKNOWN: Rule = Rule {
    id: "resume/unknown-id",
    judge: |record| judge_odd(record, Odd::Unknown),
    mutants: &[Mutant::new(
        "refuses-unknown-id",
        "answers an unknown id with a server error",
        |visit| match odd(visit) {
            Some(Odd::Unknown) if brought(visit).is_none() => {
                Plan::answer(500, "text/plain", "no such event\n")
            }
            _ => reference::answer(visit),
        },
    )],
};

pub(super) const EMPTY: Rule = Rule {
    id: "resume/empty-id",
    judge: |record| judge_odd(record, Odd::Empty),
    mutants: &[Mutant::new("refuses-empty-id", "refuses an id without a character", |visit| {
        match odd(visit) {
            Some(Odd::Empty) => Plan::answer(400, "text/plain", "the id is not a number\n"),
            _ => reference::answer(visit),
        }
    })],
};

pub(super) const LONG: Rule = Rule {
    id: "resume/long-id",
    judge: |record| judge_odd(record, Odd::Long),
    mutants: &[Mutant::new("refuses-long-id", "takes a long id for an attack", |visit| match odd(
        visit,
    ) {
        Some(Odd::Long) => Plan::answer(431, "text/plain", "the id is too long\n"),
        _ => reference::answer(visit),
    })],
};

pub(super) const NON_ASCII: Rule = Rule {
    id: "resume/non-ascii-id",
    judge: |record| judge_odd(record, Odd::NonAscii),
    mutants: &[Mutant::new(
        "hangs-on-non-ascii-id",
        "never answers an id with a letter beyond ASCII",
        |visit| match odd(visit) {
            Some(Odd::NonAscii) => Plan { actions: vec![Action::Hold] },
            _ => reference::answer(visit),
        },
    )],
};

fn odd(visit: &Visit<'_>) -> Option<Odd> {
    visit.request.last_event_id().map(|id| Odd::of(id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Run, URL};
    use sseproof_record::{Answer, Request};
    use std::time::Duration;

    fn run(serve: Answer, id: &str) -> Run {
        let request = Request::subscribe(URL).with("Last-Event-ID", id);
        Run::against(serve).subscribe().visit(request, Duration::from_secs(2))
    }

    #[test]
    fn each_kind_of_id_is_judged_by_its_rule() {
        let long = "x".repeat(300);
        for (rule, id, message) in [
            (UNKNOWN, "sseproof-unknown-id", "an unknown Last-Event-ID is answered 500"),
            (EMPTY, "", "an empty Last-Event-ID is answered 400"),
            (LONG, &long, "a long Last-Event-ID is answered 431"),
            (
                NON_ASCII,
                "naïve-☕",
                "a Last-Event-ID with letters beyond ASCII has no answer within 2 s; a plain subscription has one after 0 ms",
            ),
        ] {
            run(reference::answer, id).passes(&rule);
            let wrong = rule.mutants[0].serve;
            let faults = run(wrong, id).faults(&rule);
            assert_eq!(faults[0].exchange, 2);
            assert_eq!(faults[0].message, message);
            Run::against(wrong).subscribe().skips(&rule);
        }
    }

    #[test]
    fn where_any_unknown_id_is_refused_its_length_is_not_the_cause() {
        let refuse: Answer = |visit| match visit.request.last_event_id() {
            Some(_) => Plan::answer(422, "text/plain", "no number\n"),
            None => reference::answer(visit),
        };
        let long = "x".repeat(300);
        let unknown = Request::subscribe(URL).with("Last-Event-ID", "sseproof-unknown-id");
        run(refuse, &long).faults(&LONG);
        run(refuse, &long).visit(unknown, Duration::from_secs(2)).skips(&LONG);
    }
}
