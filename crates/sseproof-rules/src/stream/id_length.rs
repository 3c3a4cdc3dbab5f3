//! Ids are short enough for a header.

use super::tally::each_id;
use super::{quoted, slip_in_first};
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "stream/id-length",
    judge,
    mutants: &[Mutant::new("id-too-long", "writes an id of five kilobytes", |visit| {
        slip_in_first(visit, format!("id: {}\ndata: x\n\n", "7".repeat(5_000)).as_bytes())
    })],
};

/// Half of what nginx and Apache take, in bytes.
pub(super) const MOST: usize = 4_096;

fn judge(record: &Record<'_>) -> Verdict {
    each_id(record, |view, line, id| {
        let message = || format!("an id of {} bytes: {}", id.len(), quoted(id));
        (id.len() > MOST).then(|| Fault::at(view, line.start, message()))
    })
}
