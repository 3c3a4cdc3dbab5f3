//! A response begins with its creation.

use super::rewritten;
use crate::profile::typed::{NO_EVENT, each_typed};
use crate::{Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "openai-responses/created-first",
    judge,
    mutants: &[
        Mutant::new(
            "no-created",
            "begins with `response.in_progress` and never says that the response was created",
            |visit| {
                rewritten(visit, |index, event| if index == 0 { Vec::new() } else { vec![event] })
            },
        ),
        Mutant::new("created-twice", "says twice that the response was created", |visit| {
            rewritten(visit, |index, event| vec![event; if index == 0 { 2 } else { 1 }])
        }),
    ],
};

fn judge(record: &Record<'_>) -> Verdict {
    each_typed(record, "response", NO_EVENT, |stream, tally| {
        // A response that fails before it was created has nothing else to say.
        let mut typed = stream.pieces.iter().filter(|piece| !piece.kind().is_empty());
        let Some(first) = typed.next() else { return };
        tally.look();
        if !matches!(first.kind(), "response.created" | "error") {
            let message = format!("the first event is `{}`", first.kind());
            tally.fault(|| stream.fault(first, message));
        }
        if let Some(again) = typed.find(|piece| piece.kind() == "response.created") {
            let message = "`response.created` comes in mid-stream";
            tally.fault(|| stream.fault(again, message));
        }
    })
}
