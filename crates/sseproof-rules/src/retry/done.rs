//! Whether a stream says that it is over for good.
//!
//! The answer of a language model or the progress of a job is an event stream too, but no client
//! is meant to reconnect when it has ended.

use crate::View;

/// Event types, and values of `type` in JSON data, with which streams say that they are over.
const LAST_WORDS: [&str; 13] = [
    "[done]",
    "close",
    "complete",
    "completed",
    "done",
    "end",
    "eof",
    "finish",
    "finished",
    "message_stop",
    "response.completed",
    "response.failed",
    "stop",
];

/// Whether one of the last two events says that there is nothing more to come.
pub(crate) fn says_done(view: &View<'_>) -> bool {
    let events: Vec<_> = view.events().map(|(event, _)| event).collect();
    events.iter().rev().take(2).any(|event| {
        is_last_word(&event.event_type) || is_last_word(&event.data) || {
            let json = serde_json::from_str::<serde_json::Value>(&event.data).ok();
            let kind = json.as_ref().and_then(|json| json.get("type"));
            kind.and_then(serde_json::Value::as_str).is_some_and(is_last_word)
        }
    })
}

fn is_last_word(text: &str) -> bool {
    LAST_WORDS.contains(&text.trim().to_ascii_lowercase().as_str())
}
