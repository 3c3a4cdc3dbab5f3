//! Field names are spelled as the standard spells them.

use super::unknown::{Unknown, each_unknown};
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
    let meant = |unknown| match unknown {
        Unknown::Misspelled(known) => Some(known),
        _ => None,
    };
    each_unknown(record, meant, |view, line, known| {
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
    })
}
