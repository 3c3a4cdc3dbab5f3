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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Place;
    use crate::testing::body;

    #[test]
    fn spaces_and_tabs_at_both_ends_are_named() {
        for (bytes, message) in [
            (&b"id:  7\ndata: x\n\n"[..], "the id ` 7` is returned as `7`"),
            (b"id: 7 \ndata: x\n\n", "the id `7 ` is returned as `7`"),
            (b"id:\t7\ndata: x\n\n", "the id `\\t7` is returned as `7`"),
            (b"id:  \ndata: x\n\n", "the id ` ` is returned as ``"),
        ] {
            let faults = body(bytes).faults(&RULE);
            let place = if bytes[3] == b'\t' { 3 } else { 4 };
            assert_eq!((&*faults[0].message, &faults[0].place), (message, &Place::Body(place)));
        }
    }

    #[test]
    fn one_space_behind_the_colon_is_no_part_of_the_id() {
        body(b"id: 7\n\nid:8\n\nid: a b\n\n").passes(&RULE);
    }

    #[test]
    fn no_id_is_no_evidence() {
        body(b"data: a\n\nid\n\n").skips(&RULE);
    }
}
