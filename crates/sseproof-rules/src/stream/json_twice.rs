//! JSON is encoded once.

use sseproof_codec::Event;
use sseproof_http::Bytes;

use super::tally::{counted, first_of, none_of};
use super::{quoted, spoil};
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "stream/json-twice",
    judge,
    mutants: &[Mutant::new("json-in-json", "encodes each JSON payload a second time", |visit| {
        spoil(visit, |plan| {
            plan.map_writes(|_, bytes| {
                let lines: Vec<_> = bytes.to_text().lines().map(encode_again).collect();
                Bytes::from(lines.concat())
            })
        })
    })],
};

fn encode_again(line: &str) -> String {
    match line.strip_prefix("data: ") {
        Some(data) => format!("data: {}\n", serde_json::Value::from(data)),
        None => format!("{line}\n"),
    }
}

fn judge(record: &Record<'_>) -> Verdict {
    let mut events = 0;
    let mut strings = 0_usize;
    let mut twice = Vec::new();
    for view in record.streams() {
        for (event, _) in view.events() {
            events += 1;
            let Some(inner) = string(event) else { continue };
            strings += 1;
            if is_json(&inner) {
                let message = format!(
                    "the payload is a JSON string with JSON in it: {}",
                    quoted(event.data.as_bytes())
                );
                twice.push(Fault::at(&view, event.span.start, message));
            }
        }
    }
    // A single one may be a string that happens to look so, and one among other strings is.
    match twice.len() {
        _ if events == 0 => Verdict::Skip(none_of("event")),
        0 => Verdict::Pass(counted(events, "event")),
        1 => Verdict::Inconclusive("a single payload is a JSON string with JSON in it".to_owned()),
        found if found < strings => Verdict::Pass(format!(
            "{}; some are JSON strings with JSON in them, others are plain strings",
            counted(events, "event")
        )),
        _ => first_of(twice),
    }
}

/// The text, where the payload is a JSON string.
fn string(event: &Event<'_>) -> Option<String> {
    event.data.trim_start().starts_with('"').then(|| serde_json::from_str(&event.data).ok())?
}

/// Whether the text is an object or an array with something in it.
fn is_json(text: &str) -> bool {
    match serde_json::from_str(text) {
        Ok(serde_json::Value::Object(fields)) => !fields.is_empty(),
        Ok(serde_json::Value::Array(items)) => !items.is_empty(),
        _ => false,
    }
}
