//! The events are numbered.

use serde_json::{Value, json};

use super::reworded;
use crate::profile::json::shown;
use crate::profile::typed::{NO_EVENT, each_typed};
use crate::{Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "openai-responses/sequence",
    judge,
    mutants: &[
        Mutant::new(
            "sequence-stands-still",
            "writes the same sequence_number into each event",
            |visit| reworded(visit, |_, event| event["sequence_number"] = json!(0)),
        ),
        Mutant::new("sequence-without-deltas", "does not count the deltas", |visit| {
            let mut count = 0;
            reworded(visit, |_, event| {
                let is_delta = event["type"].as_str().is_some_and(|kind| kind.ends_with("delta"));
                event["sequence_number"] = if is_delta { Value::Null } else { json!(count) };
                count += usize::from(!is_delta);
            })
        }),
    ],
};

fn judge(record: &Record<'_>) -> Verdict {
    each_typed(record, "event", NO_EVENT, |stream, tally| {
        let mut last: Option<u64> = None;
        for piece in stream.pieces.iter().filter(|piece| !piece.kind().is_empty()) {
            tally.look();
            let value = &piece.json["sequence_number"];
            let Some(number) = value.as_u64() else {
                let message = match value {
                    Value::Null => format!("`{}` has no `sequence_number`", piece.kind()),
                    value => format!("`sequence_number` is {}, and no number", shown(value)),
                };
                tally.fault(|| stream.fault(piece, message));
                continue;
            };
            if let Some(before) = last.replace(number)
                && number != before + 1
            {
                let message = format!("`sequence_number` is {number}, and was {before} before");
                tally.fault(|| stream.fault(piece, message));
            }
        }
    })
}
