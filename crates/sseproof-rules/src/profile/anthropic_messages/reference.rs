//! The reference: a message that comes in blocks.

use serde_json::{Value, json};
use sseproof_http::{Plan, Visit};

use crate::profile::refused::{ARGUMENTS, TOKENS, asked, has_tools};
use crate::profile::written::{Written, stream};

pub(super) fn answer(visit: &Visit<'_>) -> Plan {
    let (model, asked) = match asked(visit, super::NEEDED, error) {
        Ok(asked) => asked,
        Err(refusal) => return refusal,
    };
    let tools = has_tools(&asked);
    let mut blocks = Vec::new();
    if asked["thinking"]["type"] == "enabled" {
        blocks.push(thinking_block());
    }
    blocks.push(text_block());
    if tools {
        blocks.push(tool_block());
    }
    let mut events = vec![start(&model)];
    for (index, block) in blocks.into_iter().enumerate() {
        events.extend(block.into_iter().map(|mut event| {
            if event["type"] != "ping" {
                event["index"] = json!(index);
            }
            event
        }));
    }
    let reason = if tools { "tool_use" } else { "end_turn" };
    events.extend([
        json!({
            "type": "message_delta", "delta": { "stop_reason": reason, "stop_sequence": null },
            "usage": { "output_tokens": 15 },
        }),
        json!({ "type": "message_stop" }),
    ]);
    stream(visit, events.into_iter().map(named))
}

fn named(event: Value) -> Written {
    let name = event["type"].as_str().unwrap_or_default().to_owned();
    Written::named(&name, event)
}

fn error(status: u16, message: &str) -> Plan {
    let body = json!({
        "type": "error", "error": { "type": "invalid_request_error", "message": message },
    });
    Plan::answer(status, "application/json", body.to_string())
}

fn start(model: &str) -> Value {
    json!({
        "type": "message_start",
        "message": {
            "id": "msg_1nZdL29xx5MUA1yADyHTEsnR8uuvGzszyY", "type": "message",
            "role": "assistant", "content": [], "model": model, "stop_reason": null,
            "stop_sequence": null, "usage": { "input_tokens": 25, "output_tokens": 1 },
        },
    })
}

fn thinking_block() -> Vec<Value> {
    let block = json!({ "type": "thinking", "thinking": "", "signature": "" });
    let thinking = |text| json!({ "type": "thinking_delta", "thinking": text });
    let signature =
        json!({ "type": "signature_delta", "signature": "EqQBCgIYAhIM1gbcDa9GJwZA2b3h" });
    block_of(block, [thinking("They greet"), thinking(" me."), signature])
}

fn text_block() -> Vec<Value> {
    let deltas = TOKENS.map(|text| json!({ "type": "text_delta", "text": text }));
    let mut events = block_of(json!({ "type": "text", "text": "" }), deltas);
    events.insert(1, json!({ "type": "ping" }));
    events
}

fn tool_block() -> Vec<Value> {
    let block = json!({
        "type": "tool_use", "id": "toolu_01T1x1fJ34qAmk2tNTrN7Up6", "name": "get_weather",
        "input": {},
    });
    let delta = |piece| json!({ "type": "input_json_delta", "partial_json": piece });
    block_of(block, [""].into_iter().chain(ARGUMENTS).map(delta))
}

/// The events of a block, without its index.
fn block_of(block: Value, deltas: impl IntoIterator<Item = Value>) -> Vec<Value> {
    let mut events = vec![json!({ "type": "content_block_start", "content_block": block })];
    let delta = |delta| json!({ "type": "content_block_delta", "delta": delta });
    events.extend(deltas.into_iter().map(delta));
    events.push(json!({ "type": "content_block_stop" }));
    events
}
