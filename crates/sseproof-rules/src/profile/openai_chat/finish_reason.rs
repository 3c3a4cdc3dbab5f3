//! Each choice ends once, and says why.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::chunks::{each_completion, finish_reason};
use super::{NO_CHUNK, rechunked, rewritten};
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "openai-chat/finish-reason",
    judge,
    mutants: &[
        Mutant::new(
            "no-finish-reason",
            "ends with [DONE] alone and never says why a choice ended",
            |visit| {
                rechunked(visit, |_, chunk| {
                    for choice in chunk["choices"].as_array_mut().into_iter().flatten() {
                        choice["finish_reason"] = Value::Null;
                    }
                })
            },
        ),
        Mutant::new(
            "empty-finish-reason",
            "writes an empty finish_reason into each chunk but the last",
            |visit| {
                rechunked(visit, |_, chunk| {
                    for choice in chunk["choices"].as_array_mut().into_iter().flatten() {
                        if choice["finish_reason"].is_null() {
                            choice["finish_reason"] = json!("");
                        }
                    }
                })
            },
        ),
        Mutant::new(
            "finished-from-the-start",
            "writes the finish_reason into each chunk",
            |visit| {
                rechunked(visit, |_, chunk| {
                    for choice in chunk["choices"].as_array_mut().into_iter().flatten() {
                        choice["finish_reason"] = json!("stop");
                    }
                })
            },
        ),
        Mutant::new("finished-twice", "sends the last chunk of a choice a second time", |visit| {
            rewritten(visit, |_, event| {
                let is_last = event.data.contains("\"finish_reason\":\"");
                vec![event; if is_last { 2 } else { 1 }]
            })
        }),
    ],
};

fn judge(record: &Record<'_>) -> Verdict {
    each_completion(record, "choice", NO_CHUNK, |completion, tally| {
        let mut finished: BTreeMap<u64, &str> = BTreeMap::new();
        // A choice that stands only on the chunk with the usage is no answer that goes on, and has
        // a rule of its own: `openai-chat/usage-asked`.
        let usage = completion.usage_on_a_choice().map(|piece| piece.offset);
        for (piece, index, choice) in completion.choices() {
            let wrong = match (&choice["finish_reason"], finished.get(&index)) {
                (_, Some(_)) if usage == Some(piece.offset) => continue,
                (_, Some(before)) => {
                    format!("choice {index} goes on behind its `finish_reason` (`{before}`)")
                }
                (Value::Null, None) => continue,
                (Value::String(_), None) => match finish_reason(choice) {
                    Some(reason) => {
                        finished.insert(index, reason);
                        continue;
                    }
                    None => format!("`finish_reason` of choice {index} is empty, and not null"),
                },
                (_, None) => {
                    format!("`finish_reason` of choice {index} is neither a text nor null")
                }
            };
            tally.fault(|| Fault::at(&completion.view, piece.offset, wrong));
        }
        let ends = completion.ends();
        tally.look_at(ends.len() as u64);
        // A stream without its end is judged by what is missing there.
        let unfinished = ends.iter().find(|(_, choice)| !choice.is_finished);
        if let Some((index, _)) = unfinished
            && completion.is_done()
            && !completion.has_error()
        {
            let message =
                format!("the stream says [DONE], and choice {index} has no `finish_reason`");
            let end = completion.pieces.last().map_or(0, |piece| piece.offset);
            tally.fault(|| Fault::at(&completion.view, end, message));
        }
    })
}
