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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Place;
    use crate::testing::body;

    #[test]
    fn the_control_character_is_named() {
        let faults = body(b"id: a\x1Fb\ndata: x\n\nid: \x7F\n\n").faults(&RULE);
        assert_eq!(faults[0].place, Place::Body(5));
        assert_eq!(
            faults[0].message,
            "the control character 1f in the id `a\\x1Fb` (the first of 2 in this stream)"
        );
    }

    #[test]
    fn visible_characters_tabs_and_spaces_are_fine() {
        body("id: a b\tc\ndata: x\n\nid: é☕\n\n".as_bytes()).passes(&RULE);
    }

    #[test]
    fn a_nul_is_judged_elsewhere() {
        body(b"id: 1\n\nid: a\0\n\n").passes(&RULE);
    }

    #[test]
    fn no_id_is_no_evidence() {
        body(b"data: a\n\nid\n\n").skips(&RULE);
    }
}
