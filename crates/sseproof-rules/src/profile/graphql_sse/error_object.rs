//! What an error is.

use serde_json::{Value, json};

use super::reworded;
use super::traffic::{each_stream, messages, result};
use crate::profile::json::shown;
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "graphql-sse/error-object",
    judge,
    mutants: &[
        Mutant::new("graphql-errors-as-texts", "sends errors as bare texts", |visit| {
            reworded(visit, |_, event| {
                if let Some(message) = event["errors"][0]["message"].as_str() {
                    event["errors"] = json!([message]);
                }
            })
        }),
        Mutant::new(
            "graphql-empty-errors",
            "sends an empty list of errors with each result",
            |visit| {
                reworded(visit, |_, event| {
                    let result =
                        if event.get("payload").is_some() { &mut event["payload"] } else { event };
                    if result.get("data").is_some() {
                        result["errors"] = json!([]);
                    }
                })
            },
        ),
    ],
};

fn judge(record: &Record<'_>) -> Verdict {
    each_stream(record, "list of errors", "no result had `errors`", |view, tally| {
        for message in messages(view).iter().filter(|message| message.event == "next") {
            let Some(errors) = result(view, message).get("errors") else { continue };
            tally.look();
            let wrong = match errors {
                Value::Array(errors) if errors.is_empty() => "`errors` is empty".to_owned(),
                Value::Array(errors) => {
                    let is_wrong = |error: &&Value| !error["message"].is_string();
                    match errors.iter().find(is_wrong) {
                        Some(error) => format!("an error has no `message`: {}", shown(error)),
                        None => continue,
                    }
                }
                other => format!("`errors` is no list: {}", shown(other)),
            };
            tally.fault(|| Fault::at(view, message.offset, wrong));
        }
    })
}
