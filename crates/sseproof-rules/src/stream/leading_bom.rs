//! The stream begins without a byte order mark.

use super::lines::BOM;
use super::spoil;
use super::tally::each_stream;
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "stream/leading-bom",
    judge,
    mutants: &[Mutant::new("bom-first", "begins the stream with a byte order mark", |visit| {
        spoil(visit, |plan| plan.insert(0, BOM))
    })],
};

fn judge(record: &Record<'_>) -> Verdict {
    each_stream(record, "byte", |view, tally| {
        tally.look_at(view.body_len());
        if view.body_bytes().starts_with(BOM) {
            tally.fault(|| {
                Fault::at(view, 0, "the stream begins with a byte order mark (ef bb bf)")
            });
        }
    })
}
