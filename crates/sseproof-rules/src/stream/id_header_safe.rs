//! Ids hold nothing that a field value of HTTP must not hold.

use super::tally::each_id;
use super::{quoted, slip_in_first};
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "stream/id-header-safe",
    judge,
    mutants: &[Mutant::new("id-with-control", "writes an id with a control character", |visit| {
        slip_in_first(visit, b"id: a\x1Fb\ndata: x\n\n")
    })],
};

fn judge(record: &Record<'_>) -> Verdict {
    each_id(record, |view, line, id| {
        // A tab is allowed inside a value. NUL has a rule of its own.
        let place = id.iter().position(|&byte| byte != b'\t' && byte.is_ascii_control())?;
        let message = format!("the control character {:02x} in the id {}", id[place], quoted(id));
        Some(Fault::at(view, line.value_start() + place as u64, message))
    })
}
