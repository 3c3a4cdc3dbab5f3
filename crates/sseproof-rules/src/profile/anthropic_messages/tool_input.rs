//! The input of a tool adds up to JSON.

use serde_json::{Value, json};

use super::reworded;
use crate::profile::typed::each_typed;
use crate::stream::quoted;
use crate::{Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "anthropic-messages/tool-input",
    judge,
    mutants: &[Mutant::new("input-so-far", "repeats the input so far in each piece", |visit| {
        let mut sum = String::new();
        reworded(visit, |_, event| {
            if let Some(piece) = event["delta"]["partial_json"].as_str() {
                sum += piece;
                event["delta"]["partial_json"] = json!(sum);
            }
        })
    })],
};

fn judge(record: &Record<'_>) -> Verdict {
    let none = "no stream carried the input of a tool to its end";
    each_typed(record, "input of a tool", none, |stream, tally| {
        // What was cut at the limit of tokens adds up to nothing.
        let is_cut = |piece: &&crate::profile::typed::Piece<'_>| {
            piece.json["delta"]["stop_reason"] == "max_tokens"
        };
        if stream.pieces.iter().any(|piece| is_cut(&piece)) {
            return;
        }
        let mut sum: Option<String> = None;
        for piece in &stream.pieces {
            match piece.kind() {
                "content_block_start" => sum = None,
                "content_block_delta" => {
                    if let Some(text) = piece.json["delta"]["partial_json"].as_str() {
                        sum.get_or_insert_default().push_str(text);
                    }
                }
                "content_block_stop" => {
                    let Some(sum) = sum.take() else { continue };
                    tally.look();
                    // A tool without parameters may get nothing at all.
                    let is_object = sum.trim().is_empty()
                        || serde_json::from_str::<Value>(&sum).is_ok_and(|value| value.is_object());
                    if !is_object {
                        let sum = quoted(sum.as_bytes());
                        let message =
                            format!("the input of the tool adds up to no JSON object: {sum}");
                        tally.fault(|| stream.fault(piece, message));
                    }
                }
                _ => {}
            }
        }
    })
}
