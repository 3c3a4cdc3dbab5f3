//! The reference: a chat completion that comes in chunks, as the request asks for it.

use serde_json::{Value, json};
use sseproof_http::{Plan, Visit};

use crate::profile::refused::{ARGUMENTS, TOKENS, asked, has_tools, openai_error};
use crate::profile::written::{Written, stream};

const ID: &str = "chatcmpl-7QyqpwdfhqwajicIEznoc6Q47XAyW";
const CREATED: u64 = 1_700_000_000;

pub(super) fn answer(visit: &Visit<'_>) -> Plan {
    let (model, asked) = match asked(visit, super::NEEDED, openai_error) {
        Ok(asked) => asked,
        Err(refusal) => return refusal,
    };
    if asked["stream"] != true {
        return Plan::answer(200, "application/json", whole(&model).to_string());
    }
    stream(visit, events(&asked, &model))
}

fn events(asked: &Value, model: &str) -> Vec<Written> {
    let usage = asked["stream_options"]["include_usage"] == true;
    let chunk = |choices: Value| {
        let mut chunk = json!({
            "id": ID, "object": "chat.completion.chunk", "created": CREATED, "model": model,
            "choices": choices,
        });
        if usage {
            chunk["usage"] = Value::Null;
        }
        chunk
    };
    let of_choice = |index: u64, delta: Value, finish_reason: Option<&str>| {
        chunk(json!([{
            "index": index, "delta": delta, "logprobs": null, "finish_reason": finish_reason,
        }]))
    };
    let (deltas, reason) =
        if has_tools(asked) { (tool_call(), "tool_calls") } else { (text(), "stop") };
    let choices = asked["n"].as_u64().unwrap_or(1);
    let mut chunks: Vec<Value> = deltas
        .into_iter()
        .flat_map(|delta| (0..choices).map(move |index| (index, delta.clone())))
        .map(|(index, delta)| of_choice(index, delta, None))
        .collect();
    chunks.extend((0..choices).map(|index| of_choice(index, json!({}), Some(reason))));
    if usage {
        let mut last = chunk(json!([]));
        last["usage"] = json!({ "prompt_tokens": 9, "completion_tokens": 8, "total_tokens": 17 });
        chunks.push(last);
    }
    let done = Written::data("[DONE]");
    chunks.into_iter().map(Written::data).chain([done]).collect()
}

fn text() -> Vec<Value> {
    let first = json!({ "role": "assistant", "content": "", "refusal": null });
    let rest = TOKENS.map(|token| json!({ "content": token }));
    std::iter::once(first).chain(rest).collect()
}

fn tool_call() -> Vec<Value> {
    let call = json!({
        "index": 0, "id": "call_1", "type": "function",
        "function": { "name": "get_weather", "arguments": "" },
    });
    let first = json!({ "role": "assistant", "content": null, "tool_calls": [call] });
    let rest = ARGUMENTS
        .map(|piece| json!({ "tool_calls": [{ "index": 0, "function": { "arguments": piece } }] }));
    std::iter::once(first).chain(rest).collect()
}

fn whole(model: &str) -> Value {
    json!({
        "id": ID, "object": "chat.completion", "created": CREATED, "model": model,
        "choices": [{
            "index": 0, "finish_reason": "stop",
            "message": { "role": "assistant", "content": TOKENS.concat() },
        }],
    })
}
