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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Place;
    use crate::testing::body;

    #[test]
    fn the_first_character_beyond_ascii_is_named() {
        let faults = body("id: é\ndata: x\n\n".as_bytes()).faults(&RULE);
        assert_eq!(faults[0].place, Place::Body(4));
        assert_eq!(faults[0].message, "the id `é` is not ASCII");
    }

    #[test]
    fn ascii_of_any_kind_is_fine() {
        body(b"id: {\"a\":[1]}\ndata: \xC3\xA9\n\n").passes(&RULE);
    }

    #[test]
    fn no_id_is_no_evidence() {
        body(b"data: a\n\nid\n\n").skips(&RULE);
    }
}
