//! An error in mid-stream has a message.

use serde_json::json;

use super::rewritten;
use crate::profile::json::shown;
use crate::profile::typed::each_typed;
use crate::profile::written::Written;
use crate::{Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "openai-responses/error-object",
    judge,
    mutants: &[Mutant::new(
        "error-without-message",
        "ends with an error event that has a detail and no message",
        |visit| {
            rewritten(visit, |index, event| match index {
                0..4 => vec![event],
                4 => vec![Written::named(
                    "error",
                    json!({ "type": "error", "detail": "gone", "sequence_number": 0 }),
                )],
                _ => Vec::new(),
            })
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    let none = "no stream told of an error";
    each_typed(record, "error", none, |stream, tally| {
        for piece in &stream.pieces {
            let messages = match piece.kind() {
                "error" => [&piece.json["message"], &piece.json["error"]["message"]],
                "response.failed" => [&piece.json["response"]["error"]["message"]; 2],
                _ => continue,
            };
            tally.look();
            if !messages.iter().any(|message| message.is_string()) {
                let message = format!("`{}` has no message: {}", piece.kind(), shown(&piece.json));
                tally.fault(|| stream.fault(piece, message));
            }
        }
    })
}
