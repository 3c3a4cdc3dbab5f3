//! The deltas are the whole.

use std::collections::BTreeMap;

use serde_json::json;

use super::rewritten;
use crate::profile::typed::each_typed;
use crate::profile::written::Written;
use crate::stream::quoted;
use crate::{Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "openai-responses/deltas-add-up",
    judge,
    mutants: &[
        Mutant::new("delta-lost", "drops one delta on the way", |visit| {
            rewritten(visit, |_, event| {
                let is_it = event.data.contains("\"delta\":\" morning\"");
                if is_it { Vec::new() } else { vec![event] }
            })
        }),
        Mutant::new(
            "done-text-cleaned",
            "cleans the text of the `done` event of what its deltas had",
            |visit| {
                rewritten(visit, |_, event| {
                    let mut value: serde_json::Value =
                        serde_json::from_str(&event.data).unwrap_or_default();
                    if value["type"] == "response.output_text.done" {
                        value["text"] = json!("Good morning");
                    }
                    vec![Written { data: value.to_string(), ..event }]
                })
            },
        ),
    ],
};

/// The member of a `done` event that holds the whole, by the kind of the text.
fn whole(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "response.output_text" | "response.reasoning_text" | "response.reasoning_summary_text" => {
            "text"
        }
        "response.refusal" => "refusal",
        "response.function_call_arguments" | "response.mcp_call_arguments" => "arguments",
        "response.custom_tool_call_input" => "input",
        _ => return None,
    })
}

fn judge(record: &Record<'_>) -> Verdict {
    let none = "no stream carried a text to its end";
    each_typed(record, "text", none, |stream, tally| {
        let mut sums: BTreeMap<(&str, [u64; 3]), String> = BTreeMap::new();
        for piece in &stream.pieces {
            let place = ["output_index", "content_index", "summary_index"];
            let place = place.map(|name| piece.number(name));
            if let Some(kind) = piece.kind().strip_suffix(".delta") {
                let delta = piece.json["delta"].as_str().unwrap_or_default();
                sums.entry((kind, place)).or_default().push_str(delta);
                continue;
            }
            let Some(kind) = piece.kind().strip_suffix(".done") else { continue };
            let Some(name) = whole(kind) else { continue };
            // A text that came without any delta was not streamed at all.
            let Some(sum) = sums.remove(&(kind, place)) else { continue };
            tally.look();
            let text = piece.json[name].as_str().unwrap_or_default();
            if sum != text {
                let (sum, text) = (quoted(sum.as_bytes()), quoted(text.as_bytes()));
                let message = format!("the deltas add up to {sum}, and `{name}` is {text}");
                tally.fault(|| stream.fault(piece, message));
            }
        }
    })
}
