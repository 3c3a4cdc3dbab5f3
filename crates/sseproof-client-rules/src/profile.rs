//! Protocols on top of streams, for clients that understand nothing else.
//!
//! The cases send plain text, such as `data: one`. Under a profile the server sends it as a chunk of
//! the protocol, and the text of the chunk that the client reports is judged in its place.

use serde_json::{Value, json};
use sseproof_http::{Action, Bytes, Plan};

use crate::protocol::Event;
use crate::{Call, Case, Kind};

/// A protocol of a client.
pub struct ClientProfile {
    /// As in `openai-chat`.
    pub id: &'static str,
    /// The lines, without the last line end, that send the text.
    wrap: fn(&str) -> String,
    /// The place of the text in what the client reports.
    pointer: &'static str,
    /// Whether the protocol has the streams of the case.
    has: fn(&Case) -> bool,
}

/// All profiles of clients.
pub static CLIENT_PROFILES: [ClientProfile; 3] = [
    ClientProfile {
        id: "openai-chat",
        wrap: |text| {
            let choice = json!({ "index": 0, "delta": { "content": text }, "finish_reason": null });
            let chunk = json!({
                "id": "chatcmpl-1",
                "object": "chat.completion.chunk",
                "created": 1,
                "model": "m",
                "choices": [choice],
            });
            format!("data: {chunk}")
        },
        pointer: "/choices/0/delta/content",
        has: answers_once,
    },
    ClientProfile {
        id: "anthropic-messages",
        wrap: |text| {
            let delta = json!({ "type": "text_delta", "text": text });
            let chunk = json!({ "type": "content_block_delta", "index": 0, "delta": delta });
            format!("event: content_block_delta\ndata: {chunk}")
        },
        pointer: "/delta/text",
        has: |case| answers_once(case) && case.id != "reader-done",
    },
    ClientProfile {
        id: "mcp",
        wrap: |text| {
            let params = json!({ "level": "info", "data": text });
            let message = json!({
                "jsonrpc": "2.0",
                "method": "notifications/message",
                "params": params,
            });
            format!("data: {message}")
        },
        pointer: "/params/data",
        has: |case| !RAW.contains(&case.id) && !OF_MODELS.contains(&case.id),
    },
];

/// The cases of clients that send one request and read its response.
fn answers_once(case: &Case) -> bool {
    case.id == "plain" || case.kinds == [Kind::Reader]
}

/// The cases whose events are in bytes that are not the lines of a plain stream.
const RAW: [&str; 3] = ["http10", "chunks", "coding"];
/// The cases of what only APIs of models send, or end in this way: a stream of MCP that answers a
/// request ends after its response.
const OF_MODELS: [&str; 3] = ["reader-done", "reader-error-event", "reader-end"];

impl ClientProfile {
    /// Whether the protocol has the streams of the case: none of those that are about how a stream
    /// is read.
    pub fn has(&self, case: &Case) -> bool {
        !case.id.starts_with("parse-") && (self.has)(case)
    }

    pub fn named(id: &str) -> Option<&'static Self> {
        CLIENT_PROFILES.iter().find(|profile| profile.id == id)
    }

    /// The same plan with each text as a chunk of the protocol.
    #[must_use]
    pub fn plan(&self, mut plan: Plan) -> Plan {
        for action in &mut plan.actions {
            if let Action::Write(bytes) = action
                && let Ok(text) = std::str::from_utf8(bytes)
            {
                *bytes = Bytes::from(self.lines(text));
            }
        }
        plan
    }

    fn lines(&self, text: &str) -> String {
        let line = |line: &str| {
            let (line, end) = match line.strip_suffix('\n') {
                Some(line) => (line, "\n"),
                None => (line, ""),
            };
            match line.strip_prefix("data:").map(str::trim_start) {
                // JSON and `[DONE]` are of the protocol already.
                Some(text) if !text.starts_with(['{', '[']) && !end.is_empty() => {
                    format!("{}{end}", (self.wrap)(text))
                }
                _ => format!("{line}{end}"),
            }
        };
        text.split_inclusive('\n').map(line).collect()
    }

    /// The same call, with the text of the chunk for its data.
    #[must_use]
    pub fn call(&self, call: Call) -> Call {
        match call {
            Call::Event(event) => Call::Event(Event { data: self.text(event.data), ..event }),
            other => other,
        }
    }

    /// The text of the chunk; the data itself if it is not a chunk.
    fn text(&self, data: String) -> String {
        let text = serde_json::from_str::<Value>(&data).ok();
        let text = text.as_ref().and_then(|value| value.pointer(self.pointer)?.as_str());
        text.map_or_else(|| data.clone(), str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_comes_out_of_its_chunk() {
        let stream = "retry: 50\ndata:one\n\n: ping\n\ndata: {}\n\ndata: [DONE]\n\ndata: cut";
        for profile in &CLIENT_PROFILES {
            let lines = profile.lines(stream);
            let events = sseproof_codec::decode(lines.as_bytes());
            let data = events.into_iter().filter_map(|item| match item {
                sseproof_codec::Item::Event(event) => Some(profile.text(event.data.into_owned())),
                _ => None,
            });
            assert_eq!(data.collect::<Vec<_>>(), ["one", "{}", "[DONE]"], "{}", profile.id);
            assert!(lines.starts_with("retry: 50\n") && lines.ends_with("data: cut"), "{lines}");
        }
    }
}
