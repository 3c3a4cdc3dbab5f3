//! The reference: a response whose items come in pieces.

use serde_json::{Value, json};
use sseproof_record::{Plan, Visit};

use crate::profile::written::{Written, stream};

const TOKENS: [&str; 8] = ["Good", " morning", ",", " café", " ☕", " 日本", "語", " 👋🏽"];
const ID: &str = "resp_67c9fdcecf488190bdd9a0409de3a1ec";
const MESSAGE: &str = "msg_67c9fdcf37fc8190ba82116e33fb28c5";
const CALL: &str = "fc_67c9fdd0a1c08190b3c4b0d3c2a0a1b2";

/// The right answer to any request.
pub(super) fn answer(visit: &Visit<'_>) -> Plan {
    if visit.request.method != "POST" {
        return error(405, "use POST for responses").with_header("Allow", "POST");
    }
    let Ok(asked) = serde_json::from_slice::<Value>(&visit.request.body) else {
        return error(400, "the body is no JSON");
    };
    let Some(model) = asked["model"].as_str() else {
        return error(400, "you must provide a model");
    };
    if !(super::NEEDED.fits)(&asked["input"]) {
        return error(400, "`input` must be a text or a list of items");
    }
    if asked["stream"] != true {
        let body = response(model, "completed", json!([message(&TOKENS.concat(), "completed")]));
        return Plan::answer(200, "application/json", body.to_string());
    }
    let tools = asked["tools"].as_array().is_some_and(|tools| !tools.is_empty());
    let (middle, item) = if tools { call_events() } else { message_events() };
    let begun =
        |kind: &str| json!({ "type": kind, "response": response(model, "in_progress", json!([])) });
    let mut events = vec![begun("response.created"), begun("response.in_progress")];
    events.extend(middle);
    let whole = response(model, "completed", json!([item]));
    events.push(json!({ "type": "response.completed", "response": whole }));
    let numbered = events.into_iter().enumerate().map(|(number, mut event)| {
        event["sequence_number"] = json!(number);
        let name = event["type"].as_str().unwrap_or_default().to_owned();
        Written::named(&name, event)
    });
    stream(visit, numbered)
}

fn error(status: u16, message: &str) -> Plan {
    let body = json!({
        "error": {
            "message": message, "type": "invalid_request_error", "param": null, "code": null,
        },
    });
    Plan::answer(status, "application/json", body.to_string())
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
    events.extend(
        TOKENS.map(|token| place(json!({ "type": "response.output_text.delta", "delta": token }))),
    );
    events.extend([
        place(json!({ "type": "response.output_text.done", "text": text })),
        place(json!({ "type": "response.content_part.done", "part": part(&text) })),
        json!({ "type": "response.output_item.done", "output_index": 0, "item": item }),
    ]);
    (events, item)
}

fn call_events() -> (Vec<Value>, Value) {
    let pieces = ["{\"ci", "ty\":", "\"Kyoto\"}"];
    let call = |arguments: &str, status: &str| {
        json!({
            "id": CALL, "type": "function_call", "status": status, "call_id": "call_1",
            "name": "get_weather", "arguments": arguments,
        })
    };
    let item = call(&pieces.concat(), "completed");
    let mut events = vec![json!({
        "type": "response.output_item.added", "output_index": 0, "item": call("", "in_progress"),
    })];
    events.extend(pieces.map(|piece| {
        json!({
            "type": "response.function_call_arguments.delta", "item_id": CALL,
            "output_index": 0, "delta": piece,
        })
    }));
    events.extend([
        json!({
            "type": "response.function_call_arguments.done", "item_id": CALL,
            "output_index": 0, "arguments": pieces.concat(),
        }),
        json!({ "type": "response.output_item.done", "output_index": 0, "item": item }),
    ]);
    (events, item)
}
