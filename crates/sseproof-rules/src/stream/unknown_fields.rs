//! No fields but the four that clients know.

use super::unknown::{Unknown, each_unknown};
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
    let meant = |unknown| (unknown == Unknown::Extension).then_some(());
    each_unknown(record, meant, |view, line, ()| {
        let message = if line.has_colon() {
            format!("{} is a field that no client knows", quoted(line.name()))
        } else {
            format!(
                "{} is a line that no client knows; a comment begins with `:`",
                quoted(line.bytes)
            )
        };
        Fault::at(view, line.start, message)
    })
}
