//! Line feeds of a text are lines, and not the letters of an escape sequence.

use sseproof_codec::Event;

use super::tally::{counted, first_of, none_of};
use super::{quoted, slip_in};
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "stream/escaped-newlines",
    judge,
    mutants: &[Mutant::new(
        "escaped-text",
        "writes texts with a backslash and an n for each line feed",
        |visit| slip_in(visit, b"data: one\\n\\ntwo\\n\n\n".repeat(ENOUGH).as_slice()),
    )],
};

/// How many texts must look so: a single one may be about programs.
const ENOUGH: usize = 3;

fn judge(record: &Record<'_>) -> Verdict {
    let mut events = 0;
    let mut knows_lines = false;
    let mut found = Vec::new();
    for view in record.streams() {
        for (event, _) in view.events() {
            events += 1;
            knows_lines |= event.data.trim_end().contains('\n');
            if looks_escaped(event) {
                let message =
                    format!("a backslash and an n in a text: {}", quoted(event.data.as_bytes()));
                found.push(Fault::at(&view, event.span.start, message));
            }
        }
    }
    if events == 0 {
        return Verdict::Skip(none_of("event"));
    }
    // A server that writes several data lines elsewhere means the letters where it writes them.
    if knows_lines || found.len() < ENOUGH {
        return Verdict::Pass(counted(events, "event"));
    }
    first_of(found)
}

/// Whether a text, which is not JSON, has the letters `\n` where a line would end: twice in a row,
/// or at its end. `C:\new` and `\nabla` do not.
fn looks_escaped(event: &Event<'_>) -> bool {
    let data = event.data.as_ref();
    !data.starts_with(['{', '[', '"']) && (data.contains("\\n\\n") || data.ends_with("\\n"))
}
