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
