//! One completion comes from one model.

use serde_json::json;

use super::rechunked;
use super::steady::{is_name, steady};
use crate::{Mutant, Rule};

pub(super) const RULE: Rule = Rule {
    id: "openai-chat/same-model",
    judge: |record| steady(record, "model", "a text", is_name),
    mutants: &[Mutant::new(
        "model-changes",
        "names an alias in the first chunk and the model behind it in the others",
        |visit| {
            rechunked(visit, |index, chunk| {
                chunk["model"] = json!(if index == 0 { "latest" } else { "model-2024-07-18" });
            })
        },
    )],
};
