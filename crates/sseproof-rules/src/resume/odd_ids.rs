//! A `Last-Event-ID` that the server never gave out opens the stream all the same, however it looks.

use sseproof_http::{Action, Plan, Visit};

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
