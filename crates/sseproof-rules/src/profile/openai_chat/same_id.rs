//! One completion has one id.

use serde_json::json;

use super::rechunked;
use super::steady::{is_name, steady};
use crate::{Mutant, Rule};

pub(super) const RULE: Rule = Rule {
    id: "openai-chat/same-id",
    judge: |record| steady(record, "id", "a text", is_name),
    mutants: &[Mutant::new("id-per-chunk", "makes a new completion id for each chunk", |visit| {
        rechunked(visit, |index, chunk| chunk["id"] = json!(format!("chatcmpl-{index}")))
    })],
};
