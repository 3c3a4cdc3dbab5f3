//! Each choice says which one it is.

use serde_json::{Value, json};

use super::chunks::each_completion;
use super::{NO_CHUNK, rechunked};
use crate::profile::json::shown;
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "openai-chat/choice-index",
    judge,
    mutants: &[
        Mutant::new(
            "no-choice-index",
            "leaves out an index that is 0, as encoders do that omit what is empty",
            |visit| {
                rechunked(visit, |_, chunk| {
                    for choice in chunk["choices"].as_array_mut().into_iter().flatten() {
                        if choice["index"] == 0 {
                            choice.as_object_mut().map(|choice| choice.remove("index"));
                        }
                    }
                })
            },
        ),
        Mutant::new("choices-from-one", "counts choices from 1", |visit| {
            rechunked(visit, |_, chunk| {
                for choice in chunk["choices"].as_array_mut().into_iter().flatten() {
                    choice["index"] = json!(choice["index"].as_u64().unwrap_or(0) + 1);
                }
            })
        }),
    ],
};

fn judge(record: &Record<'_>) -> Verdict {
    each_completion(record, "choice", NO_CHUNK, |completion, tally| {
        // What was asked for is not known of a stream that was handed over without its request.
        let asked = (!completion.asked.is_null())
            .then(|| completion.asked["n"].as_u64().unwrap_or(1).max(1));
        for (piece, _, choice) in completion.choices() {
            tally.look();
            let wrong = match (&choice["index"], asked) {
                (Value::Null, _) => "the choice has no `index`".to_owned(),
                (index, asked) => match (index.as_u64(), asked) {
                    (None, _) => format!("`index` is {}, and not a number from 0", shown(index)),
                    (Some(index), Some(1)) if index > 0 => {
                        format!("`index` is {index}, and one choice was asked for: it has index 0")
                    }
                    (Some(index), Some(asked)) if index >= asked => format!(
                        "`index` is {index}, and {asked} choices were asked for: the last has index {}",
                        asked - 1
                    ),
                    _ => continue,
                },
            };
            tally.fault(|| Fault::at(&completion.view, piece.offset, wrong));
        }
    })
}
