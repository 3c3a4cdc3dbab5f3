//! An error in mid-stream is an object with a message.

use serde_json::{Value, json};

use super::chunks::{What, each_completion};
use super::rewritten;
use crate::profile::json::shown;
use crate::profile::written::Written;
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "openai-chat/error-object",
    judge,
    mutants: &[Mutant::new(
        "error-as-text",
        "tells of an error in mid-stream as `{\"error\":\"…\"}`",
        |visit| {
            rewritten(visit, |index, event| match index {
                0..4 => vec![event],
                4 => vec![Written::data(json!({ "error": "the model is gone" }))],
                _ => Vec::new(),
            })
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    let none = "no stream told of an error";
    each_completion(record, "error", none, |completion, tally| {
        for piece in &completion.pieces {
            let What::Error(value) = &piece.what else { continue };
            tally.look();
            let wrong = match &value["error"] {
                error @ Value::Object(_) if error["message"].is_string() => continue,
                error @ Value::Object(_) => format!("`error` has no `message`: {}", shown(error)),
                error => format!("`error` is {}, and not an object with a `message`", shown(error)),
            };
            tally.fault(|| Fault::at(&completion.view, piece.offset, wrong));
        }
    })
}
