//! Each event is a chunk.

use serde_json::{Value, json};

use super::chunks::{What, each_completion};
use super::{rechunked, rewritten};
use crate::profile::json::shown;
use crate::profile::written::Written;
use crate::stream::quoted;
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "openai-chat/chunk-object",
    judge,
    mutants: &[
        Mutant::new("bare-tokens", "sends each token as text and not as a chunk", |visit| {
            rewritten(visit, |index, event| {
                let token = serde_json::from_str::<Value>(&event.data).ok().and_then(|chunk| {
                    chunk["choices"][0]["delta"]["content"].as_str().map(str::to_owned)
                });
                match token {
                    Some(token) if index == 1 => vec![event, Written::data(token)],
                    _ => vec![event],
                }
            })
        }),
        Mutant::new(
            "whole-object",
            "calls its chunks `chat.completion`, as an answer in one piece is called",
            |visit| rechunked(visit, |_, chunk| chunk["object"] = json!("chat.completion")),
        ),
        Mutant::new(
            "ping-as-data",
            "keeps the connection alive with an event of another shape",
            |visit| {
                rewritten(visit, |index, event| match index {
                    2 => vec![Written::data(json!({ "type": "ping" })), event],
                    _ => vec![event],
                })
            },
        ),
    ],
};

fn judge(record: &Record<'_>) -> Verdict {
    each_completion(record, "event", "no stream carried an event", |completion, tally| {
        for piece in &completion.pieces {
            tally.look();
            let wrong = match &piece.what {
                What::Done | What::Nearly | What::Error(_) => continue,
                What::Text => format!("the data is no JSON: {}", quoted(piece.data.as_bytes())),
                What::Chunk(chunk) => match wrong(chunk) {
                    Some(wrong) => wrong,
                    None => continue,
                },
            };
            tally.fault(|| Fault::at(&completion.view, piece.offset, wrong));
        }
    })
}

fn wrong(chunk: &Value) -> Option<String> {
    if !chunk.is_object() {
        return Some(format!("the data is JSON, but no object: {}", shown(chunk)));
    }
    if chunk["object"] != "chat.completion.chunk" {
        let object = &chunk["object"];
        return Some(match object {
            Value::Null => format!("the data is an object without `object`: {}", shown(chunk)),
            _ => format!("`object` is {}, and not `chat.completion.chunk`", shown(object)),
        });
    }
    match &chunk["choices"] {
        Value::Array(_) => None,
        Value::Null => Some("the chunk has no list `choices`".to_owned()),
        other => Some(format!("`choices` is {}, and not a list", shown(other))),
    }
}
