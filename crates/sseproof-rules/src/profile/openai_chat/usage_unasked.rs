//! Who does not ask for the usage gets no chunk without choices.

use serde_json::{Value, json};

use super::chunks::each_completion;
use super::{NO_CHUNK, rewritten};
use crate::profile::written::Written;
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "openai-chat/usage-unasked",
    judge,
    mutants: &[Mutant::new(
        "usage-for-all",
        "sends the chunk with the usage to everybody",
        |visit| {
            let asked = visit.request.body.to_text().contains("include_usage");
            let mut usage = Value::Null;
            rewritten(visit, |_, event| {
                if event.data == "[DONE]" && !asked {
                    return vec![Written::data(&usage), event];
                }
                usage = serde_json::from_str(&event.data).unwrap_or_default();
                usage["choices"] = json!([]);
                usage["usage"] =
                    json!({ "prompt_tokens": 9, "completion_tokens": 8, "total_tokens": 17 });
                vec![event]
            })
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    each_completion(record, "chunk", NO_CHUNK, |completion, tally| {
        let asked = &completion.asked["stream_options"]["include_usage"];
        if completion.asked.is_null() || asked == true {
            return;
        }
        for (piece, chunk) in completion.chunks() {
            tally.look();
            let is_empty = chunk["choices"].as_array().is_some_and(Vec::is_empty);
            if is_empty && chunk["usage"].is_object() {
                let message = "a chunk with the usage and no choices, which nobody asked for";
                tally.fault(|| Fault::at(&completion.view, piece.offset, message));
            }
        }
    })
}
