//! A message begins with its start.

use serde_json::{Value, json};

use super::{reworded, without};
use crate::profile::json::shown;
use crate::profile::typed::{NO_EVENT, each_typed};
use crate::{Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "anthropic-messages/message-start",
    judge,
    mutants: &[
        Mutant::new(
            "no-message-start",
            "begins with the first block and never starts the message",
            |visit| without(visit, "message_start"),
        ),
        Mutant::new(
            "content-in-start",
            "starts the message with a block in its content, and then sends it",
            |visit| {
                reworded(visit, |_, event| {
                    if event["type"] == "message_start" {
                        event["message"]["content"] = json!([{ "type": "text", "text": "" }]);
                    }
                })
            },
        ),
    ],
};

fn judge(record: &Record<'_>) -> Verdict {
    each_typed(record, "message", NO_EVENT, |stream, tally| {
        // An error may well be the first thing that there is to say.
        let others = ["", "ping", "error"];
        let mut events = stream.pieces.iter().filter(|piece| !others.contains(&piece.kind()));
        let Some(first) = events.next() else { return };
        tally.look();
        let content = &first.json["message"]["content"];
        let wrong = match (first.kind(), content) {
            ("message_start", Value::Array(content)) if content.is_empty() => None,
            ("message_start", content) => {
                Some(format!("`message_start` has the content {}, and not none", shown(content)))
            }
            (kind, _) => Some(format!("the first event is `{kind}`")),
        };
        if let Some(wrong) = wrong {
            tally.fault(|| stream.fault(first, wrong));
        }
        if let Some(again) = events.find(|piece| piece.kind() == "message_start") {
            tally.fault(|| stream.fault(again, "`message_start` comes in mid-stream"));
        }
    })
}
