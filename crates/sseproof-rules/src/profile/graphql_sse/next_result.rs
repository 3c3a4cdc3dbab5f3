//! What `next` carries.

use serde_json::Value;

use super::traffic::{each_stream, is_single_stream, messages, result};
use super::{reworded, rewritten};
use crate::profile::json::shown;
use crate::stream::quoted;
use crate::{Fault, Mutant, Record, Rule, Verdict};

/// What an execution result has one of: the last four where it is delivered in parts.
const MEMBERS: [&str; 6] = ["data", "errors", "incremental", "hasNext", "pending", "completed"];

pub(super) const RULE: Rule = Rule {
    id: "graphql-sse/next-result",
    judge,
    mutants: &[
        Mutant::new(
            "graphql-bare-data",
            "sends the data of a result without the result around it",
            |visit| {
                reworded(visit, |_, event| match event.get("payload") {
                    Some(result) => event["payload"] = result["data"].clone(),
                    None if event.get("data").is_some() => *event = event["data"].clone(),
                    None => {}
                })
            },
        ),
        Mutant::new(
            "graphql-next-no-json",
            "sends results as what the language prints, and not as JSON",
            |visit| {
                rewritten(visit, |_, mut event| {
                    if event.data.starts_with("{\"data\"") {
                        event.data = event.data.replace('"', "'");
                    }
                    vec![event]
                })
            },
        ),
    ],
};

fn judge(record: &Record<'_>) -> Verdict {
    each_stream(record, "result", "no stream carried a `next`", |view, tally| {
        for message in messages(view).iter().filter(|message| message.event == "next") {
            // What has no payload is no fault of the result: see `graphql-sse/envelope`.
            if is_single_stream(view) && message.json.get("payload").is_none() {
                continue;
            }
            tally.look();
            let result = result(view, message);
            let wrong = match result {
                Value::Object(members) => {
                    if MEMBERS.iter().any(|name| members.contains_key(*name)) {
                        continue;
                    }
                    format!("the result has neither `data` nor `errors`: {}", shown(result))
                }
                Value::Null if message.json.is_null() => {
                    format!("the data is no JSON: {}", quoted(message.data.as_bytes()))
                }
                other => format!("the result is no object: {}", shown(other)),
            };
            tally.fault(|| Fault::at(view, message.offset, wrong));
        }
    })
}
