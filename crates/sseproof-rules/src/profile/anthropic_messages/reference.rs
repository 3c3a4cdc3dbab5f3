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
    let mut events = vec![start(&model)];
    events.extend(text_block());
    if tools {
        events.extend(tool_block());
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

fn text_block() -> Vec<Value> {
    let delta = |text| {
        json!({
            "type": "content_block_delta", "index": 0,
            "delta": { "type": "text_delta", "text": text },
        })
    };
    let mut events = vec![
        json!({
            "type": "content_block_start", "index": 0,
            "content_block": { "type": "text", "text": "" },
        }),
        json!({ "type": "ping" }),
    ];
    events.extend(TOKENS.map(delta));
    events.push(json!({ "type": "content_block_stop", "index": 0 }));
    events
}

fn tool_block() -> Vec<Value> {
    let delta = |piece| {
        json!({
            "type": "content_block_delta", "index": 1,
            "delta": { "type": "input_json_delta", "partial_json": piece },
        })
    };
    let mut events = vec![json!({
        "type": "content_block_start", "index": 1,
        "content_block": {
            "type": "tool_use", "id": "toolu_01T1x1fJ34qAmk2tNTrN7Up6", "name": "get_weather",
            "input": {},
        },
    })];
    events.extend([""].into_iter().chain(ARGUMENTS).map(delta));
    events.push(json!({ "type": "content_block_stop", "index": 1 }));
    events
}
