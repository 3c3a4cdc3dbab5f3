//! What a delta adds is text.

use serde_json::{Value, json};

use super::chunks::each_completion;
use super::{NO_CHUNK, rechunked};
use crate::profile::json::shown;
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "openai-chat/delta-content",
    judge,
    mutants: &[
        Mutant::new(
            "message-for-delta",
            "calls the delta `message`, as in an answer in one piece",
            |visit| {
                rechunked(visit, |index, chunk| {
                    // The first stays, which says the role.
                    for choice in chunk["choices"].as_array_mut().into_iter().flatten() {
                        if index > 1 && choice["delta"]["content"].is_string() {
                            choice["message"] = choice["delta"].take();
                        }
                    }
                })
            },
        ),
        Mutant::new(
            "content-in-parts",
            "sends content as a list of parts, as a request may have it",
            |visit| {
                rechunked(visit, |_, chunk| {
                    for choice in chunk["choices"].as_array_mut().into_iter().flatten() {
                        if let Some(text) = choice["delta"]["content"].as_str() {
                            choice["delta"]["content"] = json!([{ "type": "text", "text": text }]);
                        }
                    }
                })
            },
        ),
    ],
};

fn judge(record: &Record<'_>) -> Verdict {
    each_completion(record, "delta", NO_CHUNK, |completion, tally| {
        for (piece, _, choice) in completion.choices() {
            tally.look();
            let delta = &choice["delta"];
            let wrong = match (delta, &delta["content"]) {
                (Value::Null, _) => "the choice has no `delta`".to_owned(),
                (Value::Object(_), Value::Null | Value::String(_)) => continue,
                (Value::Object(_), content) => {
                    format!("`content` is {}, and not a text", shown(content))
                }
                (delta, _) => format!("`delta` is {}, and not an object", shown(delta)),
            };
            tally.fault(|| Fault::at(&completion.view, piece.offset, wrong));
        }
    })
}
