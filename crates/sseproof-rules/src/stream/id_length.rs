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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Place;
    use crate::testing::body;

    #[test]
    fn a_longer_one_is_named() {
        let faults = body(format!("id: {}\n\n", "a".repeat(4_097)).as_bytes()).faults(&RULE);
        assert_eq!(faults[0].place, Place::Body(0));
        assert!(faults[0].message.starts_with("an id of 4097 bytes: `aaaa"));
    }

    #[test]
    fn the_longest_is_fine() {
        body(format!("id: {}\n\n", "a".repeat(4_096)).as_bytes()).passes(&RULE);
    }

    #[test]
    fn no_id_is_no_evidence() {
        body(b"data: a\n\nid\n\n").skips(&RULE);
    }
}
