//! The reference: a response whose items come in pieces.

use serde_json::{Value, json};
use sseproof_http::{Plan, Visit};

use crate::profile::refused::{ARGUMENTS, TOKENS, asked, has_tools, openai_error};
use crate::profile::written::{Written, stream};

const ID: &str = "resp_67c9fdcecf488190bdd9a0409de3a1ec";
const MESSAGE: &str = "msg_67c9fdcf37fc8190ba82116e33fb28c5";
const REASONING: &str = "rs_67c9fdd0a1c08190b3c4b0d3c2a0a1b1";
const CALL: &str = "fc_67c9fdd0a1c08190b3c4b0d3c2a0a1b2";

pub(super) fn answer(visit: &Visit<'_>) -> Plan {
    let (model, asked) = match asked(visit, super::NEEDED, openai_error) {
        Ok(asked) => asked,
        Err(refusal) => return refusal,
    };
    let model = &*model;
    if asked["stream"] != true {
        let body = response(model, "completed", json!([message(&TOKENS.concat(), "completed")]));
        return Plan::answer(200, "application/json", body.to_string());
    }
    let (middle, output) = if has_tools(&asked) { call_events() } else { message_events() };
    let begun =
        |kind: &str| json!({ "type": kind, "response": response(model, "in_progress", json!([])) });
    let mut events = vec![begun("response.created"), begun("response.in_progress")];
    events.extend(middle);
    let whole = response(model, "completed", output);
    events.push(json!({ "type": "response.completed", "response": whole }));
    let numbered = events.into_iter().enumerate().map(|(number, mut event)| {
        event["sequence_number"] = json!(number);
        let name = event["type"].as_str().unwrap_or_default().to_owned();
        Written::named(&name, event)
    });
    stream(visit, numbered)
}

fn response(model: &str, status: &str, output: Value) -> Value {
    let usage = match status {
        "completed" => json!({ "input_tokens": 9, "output_tokens": 8, "total_tokens": 17 }),
        _ => Value::Null,
    };
    json!({
        "id": ID, "object": "response", "created_at": 1_741_290_958, "status": status,
        "error": null, "incomplete_details": null, "model": model, "output": output,
        "usage": usage,
    })
}

fn message(text: &str, status: &str) -> Value {
    let part = json!({ "type": "output_text", "text": text, "annotations": [] });
    let content = if status == "completed" { json!([part]) } else { json!([]) };
    json!({
        "id": MESSAGE, "type": "message", "status": status, "role": "assistant", "content": content,
    })
}

fn message_events() -> (Vec<Value>, Value) {
    let place = |mut event: Value| {
        event["item_id"] = json!(MESSAGE);
        event["output_index"] = json!(0);
        event["content_index"] = json!(0);
        event
    };
    let text = TOKENS.concat();
    let part = |text: &str| json!({ "type": "output_text", "text": text, "annotations": [] });
    let item = message(&text, "completed");
    let mut events = vec![
        json!({
            "type": "response.output_item.added", "output_index": 0,
            "item": message("", "in_progress"),
        }),
        place(json!({ "type": "response.content_part.added", "part": part("") })),
    ];
    events.extend(TOKENS.map(|token| {
        place(json!({ "type": "response.output_text.delta", "delta": token, "logprobs": [] }))
    }));
    events.extend([
        place(json!({ "type": "response.output_text.done", "text": text, "logprobs": [] })),
        place(json!({ "type": "response.content_part.done", "part": part(&text) })),
        json!({ "type": "response.output_item.done", "output_index": 0, "item": item }),
    ]);
    (events, json!([item]))
}

/// A summary of the reasoning, and a call.
fn call_events() -> (Vec<Value>, Value) {
    let call = |arguments: &str, status: &str| {
        json!({
            "id": CALL, "type": "function_call", "status": status, "call_id": "call_1",
            "name": "get_weather", "arguments": arguments,
        })
    };
    let item = call(&ARGUMENTS.concat(), "completed");
    let (mut events, reasoning) = reasoning_events();
    events.push(json!({
        "type": "response.output_item.added", "output_index": 1, "item": call("", "in_progress"),
    }));
    events.extend(ARGUMENTS.map(|piece| {
        json!({
            "type": "response.function_call_arguments.delta", "item_id": CALL,
            "output_index": 1, "delta": piece,
        })
    }));
    events.extend([
        json!({
            "type": "response.function_call_arguments.done", "item_id": CALL,
            "output_index": 1, "arguments": ARGUMENTS.concat(),
        }),
        json!({ "type": "response.output_item.done", "output_index": 1, "item": item }),
    ]);
    (events, json!([reasoning, item]))
}

fn reasoning_events() -> (Vec<Value>, Value) {
    const TEXT: &str = "They ask for the weather.";
    let part = |text: &str| json!({ "type": "summary_text", "text": text });
    let item = |summary: Value| json!({ "id": REASONING, "type": "reasoning", "summary": summary });
    let event = |kind: &str, name: &str, value: Value| {
        json!({
            "type": format!("response.reasoning_summary_{kind}"), "item_id": REASONING,
            "output_index": 0, "summary_index": 0, name: value,
        })
    };
    let whole = item(json!([part(TEXT)]));
    let events = vec![
        json!({
            "type": "response.output_item.added", "output_index": 0, "item": item(json!([])),
        }),
        event("part.added", "part", part("")),
        event("text.delta", "delta", json!(TEXT)),
        event("text.done", "text", json!(TEXT)),
        event("part.done", "part", part(TEXT)),
        json!({ "type": "response.output_item.done", "output_index": 0, "item": whole }),
    ];
    (events, whole)
}
