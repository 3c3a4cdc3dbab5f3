//! An id comes first.

use super::rewritten;
use super::traffic::{each_answer, version};
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "mcp/priming",
    judge,
    mutants: &[Mutant::new(
        "mcp-no-priming",
        "begins its streams with the first message",
        |visit| {
            rewritten(
                visit,
                |_, event| if event.data.is_empty() { Vec::new() } else { vec![event] },
            )
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    if &*version(record) < "2025-11-25" {
        return Verdict::Skip("this version knows no such event".to_owned());
    }
    each_answer(record, "stream", "no event of a stream has an id", |view, tally| {
        if !view.events().any(|(event, _)| event.sets_id) {
            return;
        }
        tally.look();
        if let Some((first, _)) = view.events().next()
            && !(first.sets_id && first.data.is_empty())
        {
            let message = "the first event is a message, and none with only an id comes before";
            tally.fault(|| Fault::at(view, first.span.start, message));
        }
    })
}
