//! Each event is a message of JSON-RPC.

use serde_json::Value;

use super::traffic::{each, messages};
use super::{reworded, rewritten};
use crate::profile::json::shown;
use crate::profile::written::Written;
use crate::stream::quoted;
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "mcp/message",
    judge,
    mutants: &[
        Mutant::new("mcp-no-jsonrpc", "leaves out `jsonrpc` where it tells of progress", |visit| {
            reworded(visit, |_, message| {
                if message["method"] == "notifications/progress" {
                    message["jsonrpc"] = Value::Null;
                }
            })
        }),
        Mutant::new(
            "mcp-ping-as-event",
            "keeps the connection alive with an event that is no message",
            |visit| {
                rewritten(visit, |_, event| match event.data.contains("\"progress\":2") {
                    true => vec![Written::data("ping"), event],
                    false => vec![event],
                })
            },
        ),
    ],
};

fn judge(record: &Record<'_>) -> Verdict {
    each(
        record,
        "message",
        "no stream carried a message",
        |view| view.is_stream(),
        |view, tally| {
            for message in messages(view) {
                tally.look();
                let json = &message.json;
                let wrong = match json {
                    Value::Null => {
                        format!("the data is no JSON: {}", quoted(message.text.as_bytes()))
                    }
                    _ if json["jsonrpc"] != "2.0" => {
                        format!("the message has no `\"jsonrpc\":\"2.0\"`: {}", shown(json))
                    }
                    _ if !json["method"].is_string() && !message.is_response() => {
                        format!("the message has no `method`, `result` or `error`: {}", shown(json))
                    }
                    _ => continue,
                };
                tally.fault(|| Fault::at(view, message.offset, wrong));
            }
        },
    )
}
