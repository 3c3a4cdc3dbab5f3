//! A delta is of the kind of its block.

use std::collections::BTreeMap;

use serde_json::json;

use super::reworded;
use crate::profile::typed::each_typed;
use crate::{Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "anthropic-messages/delta-type",
    judge,
    mutants: &[
        Mutant::new("text-for-tool", "sends the input of a tool as text", |visit| {
            reworded(visit, |_, event| {
                if event["delta"]["type"] == "input_json_delta" {
                    event["delta"] = json!({
                        "type": "text_delta", "text": event["delta"]["partial_json"],
                    });
                }
            })
        }),
        Mutant::new("text-as-delta", "sends a delta that is the text itself", |visit| {
            reworded(visit, |_, event| {
                if event["delta"]["type"] == "text_delta" {
                    event["delta"] = event["delta"]["text"].take();
                }
            })
        }),
    ],
};

/// The blocks that a delta of this type fits, and the member that holds its text; `None` for a type
/// that is not known here: clients must pass over those.
fn known(delta: &str) -> Option<(&'static [&'static str], &'static str)> {
    Some(match delta {
        "text_delta" => (&["text"], "text"),
        "input_json_delta" => (&["tool_use", "server_tool_use", "mcp_tool_use"], "partial_json"),
        "thinking_delta" => (&["thinking"], "thinking"),
        "signature_delta" => (&["thinking"], "signature"),
        _ => return None,
    })
}

fn judge(record: &Record<'_>) -> Verdict {
    each_typed(record, "delta", "no stream carried a delta", |stream, tally| {
        let mut blocks: BTreeMap<u64, &str> = BTreeMap::new();
        for piece in &stream.pieces {
            let index = piece.number("index");
            match piece.kind() {
                "content_block_start" => {
                    let kind = piece.json["content_block"]["type"].as_str().unwrap_or_default();
                    blocks.insert(index, kind);
                    continue;
                }
                "content_block_delta" => tally.look(),
                _ => continue,
            }
            let delta = &piece.json["delta"];
            let kind = delta["type"].as_str().unwrap_or_default();
            let wrong = match (known(kind), blocks.get(&index)) {
                _ if kind.is_empty() => "the delta has no `type`".to_owned(),
                (Some((fits, _)), Some(block)) if !fits.contains(block) => {
                    format!("`{kind}` is sent to block {index}, which is `{block}`")
                }
                (Some((_, name)), _) if !delta[name].is_string() => {
                    format!("`{kind}` has no text `{name}`")
                }
                _ => continue,
            };
            tally.fault(|| stream.fault(piece, wrong));
        }
    })
}
