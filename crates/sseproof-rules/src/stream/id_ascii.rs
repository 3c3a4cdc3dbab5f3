//! Ids are ASCII.

use super::tally::each_id;
use super::{quoted, slip_in_first};
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "stream/id-ascii",
    judge,
    mutants: &[Mutant::new(
        "id-in-unicode",
        "writes an id with characters beyond ASCII",
        |visit| slip_in_first(visit, "id: naïve-☕\ndata: x\n\n".as_bytes()),
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    each_id(record, |view, line, id| {
        let place = id.iter().position(|byte| !byte.is_ascii())?;
        let message = format!("the id {} is not ASCII", quoted(id));
        Some(Fault::at(view, line.value_start() + place as u64, message))
    })
}
