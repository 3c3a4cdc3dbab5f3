//! What a message used is told.

use serde_json::Value;

use super::reworded;
use crate::profile::typed::each_typed;
use crate::{Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "anthropic-messages/usage-told",
    judge,
    mutants: &[Mutant::new("message-without-usage", "leaves out what a message used", |visit| {
        reworded(visit, |_, event| {
            if event["type"] == "message_delta" {
                event["usage"] = Value::Null;
            }
        })
    })],
};

fn judge(record: &Record<'_>) -> Verdict {
    let none = "no stream carried `message_start`";
    each_typed(record, "event", none, |stream, tally| {
        for piece in &stream.pieces {
            let (value, name) = match piece.kind() {
                "message_start" => {
                    (&piece.json["message"]["usage"]["input_tokens"], "message.usage.input_tokens")
                }
                "message_delta" => (&piece.json["usage"]["output_tokens"], "usage.output_tokens"),
                _ => continue,
            };
            tally.look();
            if !value.is_u64() {
                let message = format!("`{}` has no number `{name}`", piece.kind());
                tally.fault(|| stream.fault(piece, message));
            }
        }
    })
}
