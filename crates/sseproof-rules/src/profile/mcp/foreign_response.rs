//! The stream of a request carries no response to another one.

use serde_json::{Value, json};

use super::traffic::{asked, each_answer, messages};
use super::{reworded, rewritten};
use crate::profile::json::shown;
use crate::profile::written::Written;
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "mcp/foreign-response",
    judge,
    mutants: &[
        Mutant::new(
            "mcp-id-as-text",
            "answers a request whose id is a number with the same id as a text",
            |visit| {
                reworded(visit, |_, message| {
                    if message.get("result").is_some() {
                        message["id"] = json!(message["id"].to_string());
                    }
                })
            },
        ),
        Mutant::new(
            "mcp-response-of-another",
            "sends the response to another request on the stream, too",
            |visit| {
                let other = r#"{"jsonrpc":"2.0","id":987,"result":{}}"#;
                rewritten(visit, |_, event| match event.data.contains("\"progress\":2") {
                    true => vec![Written::data(other), event],
                    false => vec![event],
                })
            },
        ),
    ],
};

fn judge(record: &Record<'_>) -> Verdict {
    each_answer(record, "response", "no stream carried a response", |view, tally| {
        let wanted = &asked(view)["id"];
        for message in messages(view).iter().filter(|message| message.is_response()) {
            tally.look();
            let id = &message.json["id"];
            // An error may be told before the id is known.
            let unknown = id.is_null() && message.json.get("error").is_some();
            if id != wanted && !unknown {
                let id = if *id == Value::Null { "no id".to_owned() } else { shown(id) };
                let wrong = format!("the response to request {wanted} has {id}");
                tally.fault(|| Fault::at(view, message.offset, wrong));
            }
        }
    })
}
