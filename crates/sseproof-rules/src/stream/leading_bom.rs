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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Place;
    use crate::testing::body;

    #[test]
    fn a_mark_at_the_start_is_named() {
        let faults = body("\u{feff}data: a\n\n".as_bytes()).faults(&RULE);
        assert_eq!(faults[0].place, Place::Body(0));
    }

    #[test]
    fn half_a_mark_is_none() {
        body(b"\xEF\xBBdata: a\n\n").passes(&RULE);
    }

    #[test]
    fn later_marks_are_judged_elsewhere() {
        body("data: a\n\n\u{feff}data: b\n\n".as_bytes()).passes(&RULE);
    }

    #[test]
    fn no_bytes_are_no_evidence() {
        body(b"").skips(&RULE);
    }
}
