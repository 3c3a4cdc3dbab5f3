//! One completion has one id.

use serde_json::json;

use super::rechunked;
use super::steady::{is_name, steady};
use crate::{Mutant, Rule};

pub(super) const RULE: Rule = Rule {
    id: "openai-chat/same-id",
    requirement: "openai-chat/same-id",
    title: "each chunk of a completion carries the same `id`",
    why: "Clients put a message together by its id: with another one in each chunk they show a new message for each token, and logs cannot be matched.",
    fix: "Make the id once, before the first chunk, and not where a chunk is written.",
    recipes: &[],
    judge: |record| steady(record, "id", "a text", is_name),
    mutants: &[Mutant {
        id: "id-per-chunk",
        wrong: "makes a new completion id for each chunk",
        serve: |visit| {
            rechunked(visit, |index, chunk| chunk["id"] = json!(format!("chatcmpl-{index}")))
        },
    }],
};
