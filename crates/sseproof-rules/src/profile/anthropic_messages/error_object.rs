//! An error in mid-stream has a type and a message.

use serde_json::json;

use super::rewritten;
use crate::profile::json::shown;
use crate::profile::typed::each_typed;
use crate::profile::written::Written;
use crate::{Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "anthropic-messages/error-object",
    judge,
    mutants: &[Mutant::new(
        "message-error-as-text",
        "tells of an error in mid-stream as a text",
        |visit| {
            rewritten(visit, |index, event| match index {
                0..4 => vec![event],
                4 => vec![Written::named("error", json!({ "type": "error", "error": "gone" }))],
                _ => Vec::new(),
            })
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    each_typed(record, "error", "no stream told of an error", |stream, tally| {
        for piece in stream.pieces.iter().filter(|piece| piece.kind() == "error") {
            tally.look();
            let error = &piece.json["error"];
            if let Some(name) = ["type", "message"].iter().find(|name| !error[**name].is_string()) {
                let message = format!("the error has no `error.{name}`: {}", shown(&piece.json));
                tally.fault(|| stream.fault(piece, message));
            }
        }
    })
}
