//! Ids neither begin nor end with white space.

use super::tally::each_id;
use super::{quoted, slip_in_first};
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "stream/id-trimmed",
    judge,
    mutants: &[Mutant::new("id-with-spaces", "writes an id that ends with a space", |visit| {
        slip_in_first(visit, b"id: first \ndata: x\n\n")
    })],
};

fn judge(record: &Record<'_>) -> Verdict {
    each_id(record, |view, line, id| {
        let trimmed = id.trim_ascii();
        let message = || format!("the id {} is returned as {}", quoted(id), quoted(trimmed));
        (trimmed != id).then(|| Fault::at(view, line.value_start(), message()))
    })
}
