//! What a response used is told at its end.

use serde_json::Value;

use super::reworded;
use crate::profile::typed::each_typed;
use crate::{Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "openai-responses/usage-told",
    judge,
    mutants: &[Mutant::new(
        "completed-without-usage",
        "completes a response without its usage",
        |visit| {
            reworded(visit, |_, event| {
                if event["response"].is_object() {
                    event["response"]["usage"] = Value::Null;
                }
            })
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    let none = "no stream carried `response.completed`";
    each_typed(record, "response", none, |stream, tally| {
        let completed = stream.pieces.iter().filter(|piece| piece.kind() == "response.completed");
        for piece in completed {
            tally.look();
            let usage = &piece.json["response"]["usage"];
            let names = ["input_tokens", "output_tokens", "total_tokens"];
            let missing = names.iter().find(|name| !usage[**name].is_u64());
            let wrong = match (usage, missing) {
                (Value::Null, _) => "`response.completed` has no `usage`".to_owned(),
                (_, Some(name)) => format!("the usage has no `{name}`"),
                (_, None) => continue,
            };
            tally.fault(|| stream.fault(piece, wrong));
        }
    })
}
