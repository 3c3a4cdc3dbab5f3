//! A choice begins with the role of who speaks.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::chunks::each_completion;
use super::{NO_CHUNK, rechunked};
use crate::profile::json::shown;
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "openai-chat/role-first",
    judge,
    mutants: &[
        Mutant::new("no-role", "begins with the first token and never says who speaks", |visit| {
            rechunked(visit, |_, chunk| {
                for choice in chunk["choices"].as_array_mut().into_iter().flatten() {
                    choice["delta"].as_object_mut().map(|delta| delta.remove("role"));
                }
            })
        }),
        Mutant::new("model-as-role", "calls the role of the answer `model`", |visit| {
            rechunked(visit, |_, chunk| {
                for choice in chunk["choices"].as_array_mut().into_iter().flatten() {
                    if choice["delta"]["role"].is_string() {
                        choice["delta"]["role"] = json!("model");
                    }
                }
            })
        }),
    ],
};

fn judge(record: &Record<'_>) -> Verdict {
    each_completion(record, "choice", NO_CHUNK, |completion, tally| {
        let mut begun = BTreeSet::new();
        for (piece, index, choice) in completion.choices() {
            let role = &choice["delta"]["role"];
            let is_first = begun.insert(index);
            if is_first {
                tally.look();
            }
            let wrong = match role {
                Value::Null if is_first => {
                    format!("choice {index} begins without a `role`: {}", shown(&choice["delta"]))
                }
                Value::Null => continue,
                role if role == "assistant" => continue,
                role => format!("the `role` of choice {index} is {}", shown(role)),
            };
            tally.fault(|| Fault::at(&completion.view, piece.offset, wrong));
        }
    })
}
