//! No fields but the four that clients know.

use super::lines::whole_lines;
use super::tally::each_stream;
use super::unknown::{Unknown, unknown_lines};
use super::{quoted, slip_in};
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "stream/unknown-fields",
    judge,
    mutants: &[Mutant::new("field-of-its-own", "writes a field that no client knows", |visit| {
        slip_in(visit, b"x-trace: 7\ndata: traced\n\n")
    })],
};

fn judge(record: &Record<'_>) -> Verdict {
    each_stream(record, "line", |view, tally| {
        let body = view.body_bytes();
        let blocks = whole_lines(view, &body);
        tally.look_at(blocks.iter().map(|block| block.lines().len() as u64).sum());
        for (line, unknown) in unknown_lines(&blocks) {
            if unknown != Unknown::Extension {
                continue;
            }
            tally.fault(|| {
                let message = if line.has_colon() {
                    format!("{} is a field that no client knows", quoted(line.name()))
                } else {
                    format!(
                        "{} is a line that no client knows; a comment begins with `:`",
                        quoted(line.bytes)
                    )
                };
                Fault::at(view, line.start, message)
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
    fn a_field_of_another_name_is_named() {
        let faults = body(b"data: a\nx-trace: 7\n\n").faults(&RULE);
        assert_eq!(faults[0].place, Place::Body(8));
        assert_eq!(faults[0].message, "`x-trace` is a field that no client knows");
    }

    #[test]
    fn a_word_that_is_meant_as_a_heartbeat_is_named() {
        let faults = body(b"ping\n\n").faults(&RULE);
        assert_eq!(
            faults[0].message,
            "`ping` is a line that no client knows; a comment begins with `:`"
        );
    }

    #[test]
    fn the_four_fields_and_comments_are_fine() {
        body(b": x-trace: 7\nid\nevent: a\nretry: 5\ndata\n\n").passes(&RULE);
    }

    #[test]
    fn payloads_and_spelling_are_judged_elsewhere() {
        body(b"data: a\nrest\n\nData: a\n\n\xEF\xBB\xBFdata: a\n\n").passes(&RULE);
    }

    #[test]
    fn no_line_is_no_evidence() {
        body(b"").skips(&RULE);
    }
}
