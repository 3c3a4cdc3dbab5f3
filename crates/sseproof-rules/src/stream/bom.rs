//! A byte order mark stands only at the very start.

use sseproof_codec::AnomalyKind;

use super::{slip_in, tally::each_stream};
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "stream/bom",
    judge,
    mutants: &[Mutant::new(
        "bom-per-write",
        "writes a byte order mark at the start of a later write",
        |visit| slip_in(visit, b"\xEF\xBB\xBFdata: marked\n\n"),
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    each_stream(record, "byte", |view, tally| {
        tally.look_at(view.body_len());
        for anomaly in view.anomalies().filter(|a| a.kind == AnomalyKind::BomNotAtStart) {
            tally.fault(|| {
                let message = "a byte order mark (ef bb bf) at the start of a later line";
                Fault::at(view, anomaly.span.start, message)
                    .so("clients drop this whole line, since no field has such a name")
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
    fn at_the_start_of_a_later_line_it_is_a_fault() {
        let faults = body("data: a\n\n\u{feff}data: b\n\n".as_bytes()).faults(&RULE);
        assert_eq!(faults[0].place, Place::Body(9));
    }

    #[test]
    fn a_second_one_at_the_start_is_a_fault() {
        let faults = body("\u{feff}\u{feff}data: a\n\n".as_bytes()).faults(&RULE);
        assert_eq!(faults[0].place, Place::Body(3));
    }

    #[test]
    fn one_at_the_start_is_fine() {
        body("\u{feff}data: a\n\n".as_bytes()).passes(&RULE);
    }

    #[test]
    fn inside_a_value_it_is_only_a_character() {
        body("data: \u{feff}a\nid: b\u{feff}\n\n".as_bytes()).passes(&RULE);
    }

    #[test]
    fn no_bytes_are_no_evidence() {
        body(b"").skips(&RULE);
    }
}
