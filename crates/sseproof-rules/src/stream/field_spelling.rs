//! Field names are spelled as the standard spells them.

use super::lines::whole_lines;
use super::tally::each_stream;
use super::unknown::{Unknown, unknown_lines};
use super::{quoted, slip_in};
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "stream/field-spelling",
    judge,
    mutants: &[
        Mutant::new("upper-case-names", "writes a field name with a capital", |visit| {
            slip_in(visit, b"Data: lost\n\n")
        }),
        Mutant::new("indented-names", "writes an indented template", |visit| {
            slip_in(visit, b"    event: lost\n    data: lost\n\n")
        }),
    ],
};

fn judge(record: &Record<'_>) -> Verdict {
    each_stream(record, "line", |view, tally| {
        let body = view.body_bytes();
        let blocks = whole_lines(view, &body);
        tally.look_at(blocks.iter().map(|block| block.lines().len() as u64).sum());
        for (line, unknown) in unknown_lines(&blocks) {
            let Unknown::Misspelled(known) = unknown else { continue };
            tally.fault(|| {
                let message = format!("{} is not the field `{known}`", quoted(line.name()));
                let consequence = match known {
                    "data" => "clients drop this line, and an event without other data with it",
                    "event" => {
                        "clients deliver the event as `message`, and not to the listeners of its type"
                    }
                    "id" => "clients keep an older id, and resume at the wrong place",
                    _ => "clients keep their old reconnection time",
                };
                Fault::at(view, line.start, message).so(consequence)
            });
        }
    })
}
