//! The kinds of events of an answer: a token, the end, a failure, or something else.

use serde::Deserialize;
use sseproof_load_model::Protocol;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Token,
    End,
    Failure,
    /// Anything else: a role, a ping, the usage.
    Other,
}

pub(crate) fn part(protocol: Protocol, event: &str, data: &str) -> Part {
    match protocol {
        Protocol::Plain => Part::Token,
        Protocol::OpenaiChat if data == "[DONE]" => Part::End,
        Protocol::OpenaiChat => chat(data),
        Protocol::OpenaiResponses => {
            let typed = serde_json::from_str::<Typed>(data).unwrap_or_default();
            match typed.kind.as_deref().unwrap_or(event) {
                "response.output_text.delta"
                | "response.reasoning_text.delta"
                | "response.reasoning_summary_text.delta"
                | "response.function_call_arguments.delta" => text(typed.delta.as_ref()),
                "response.completed" | "response.incomplete" => Part::End,
                "error" | "response.failed" => Part::Failure,
                _ => Part::Other,
            }
        }
        Protocol::AnthropicMessages => {
            let typed = serde_json::from_str::<Typed>(data).unwrap_or_default();
            match typed.kind.as_deref().unwrap_or(event) {
                "content_block_delta" => {
                    let delta = typed.delta.unwrap_or_default();
                    let has = ["text", "thinking", "partial_json"]
                        .iter()
                        .any(|key| text(delta.get(key)) == Part::Token);
                    if has { Part::Token } else { Part::Other }
                }
                "message_stop" => Part::End,
                "error" => Part::Failure,
                _ => Part::Other,
            }
        }
    }
}

#[derive(Default, Deserialize)]
struct Typed {
    #[serde(rename = "type")]
    kind: Option<String>,
    delta: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Chunk {
    #[serde(default)]
    choices: Vec<Choice>,
    error: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Choice {
    delta: Option<serde_json::Value>,
}

fn chat(data: &str) -> Part {
    let Ok(chunk) = serde_json::from_str::<Chunk>(data) else { return Part::Other };
    if chunk.error.is_some() {
        return Part::Failure;
    }
    let has = chunk.choices.iter().filter_map(|choice| choice.delta.as_ref()).any(|delta| {
        let says = |key| text(delta.get(key)) == Part::Token;
        let calls = delta.get("tool_calls").and_then(serde_json::Value::as_array);
        says("content")
            || says("reasoning_content")
            || says("refusal")
            || calls.is_some_and(|calls| !calls.is_empty())
    });
    if has { Part::Token } else { Part::Other }
}

fn text(value: Option<&serde_json::Value>) -> Part {
    let says = value.and_then(serde_json::Value::as_str).is_some_and(|text| !text.is_empty());
    if says { Part::Token } else { Part::Other }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_protocol_has_its_own_tokens() {
        use Part::{End, Failure, Other, Token};
        use Protocol::{AnthropicMessages, OpenaiChat, OpenaiResponses, Plain};
        for (protocol, event, data, expected) in [
            (Plain, "message", "anything", Token),
            (OpenaiChat, "", r#"{"choices":[{"delta":{"role":"assistant","content":""}}]}"#, Other),
            (OpenaiChat, "", r#"{"choices":[{"delta":{"content":"Hi"}}]}"#, Token),
            (OpenaiChat, "", r#"{"choices":[{"delta":{"reasoning_content":"Hm"}}]}"#, Token),
            (OpenaiChat, "", r#"{"choices":[{"delta":{"tool_calls":[{"index":0}]}}]}"#, Token),
            (OpenaiChat, "", r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#, Other),
            (OpenaiChat, "", r#"{"choices":[],"usage":{}}"#, Other),
            (OpenaiChat, "", r#"{"error":{"message":"x"}}"#, Failure),
            (OpenaiChat, "", "[DONE]", End),
            (OpenaiResponses, "", r#"{"type":"response.output_text.delta","delta":"a"}"#, Token),
            (OpenaiResponses, "response.completed", "{}", End),
            (OpenaiResponses, "", r#"{"type":"response.failed"}"#, Failure),
            (
                AnthropicMessages,
                "",
                r#"{"type":"content_block_delta","delta":{"type":"text_delta","text":"a"}}"#,
                Token,
            ),
            (AnthropicMessages, "ping", r#"{"type":"ping"}"#, Other),
            (AnthropicMessages, "message_stop", "{}", End),
            (AnthropicMessages, "", r#"{"type":"error"}"#, Failure),
        ] {
            assert_eq!(part(protocol, event, data), expected, "{data}");
        }
    }
}
