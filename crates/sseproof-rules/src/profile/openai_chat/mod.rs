//! Chat completions as OpenAI streams them, and everybody else since.

mod choice_index;
mod chunk_object;
mod chunks;
mod delta_content;
mod done_exact;
mod done_last;
mod error_body;
mod error_object;
mod error_told;
mod finish_reason;
mod reference;
mod refused_status;
mod role_first;
mod same_created;
mod same_id;
mod same_model;
mod steady;
mod tool_calls;
mod usage_asked;
mod usage_unasked;
mod whole_characters;

use serde_json::Value;
use sseproof_record::{Plan, Visit};

use super::Profile;
use super::refused::Needed;
use super::written::{Written, edit_events, edit_json};

/// The profile.
pub(super) const PROFILE: Profile = Profile {
    id: "openai-chat",
    aliases: &[],
    title: "chat completions as OpenAI streams them (POST /v1/chat/completions)",
    path: "/v1/chat/completions",
    method: "POST",
    headers: &[("Content-Type", "application/json")],
    body: r#"{"model":${model:json},"stream":true,"messages":[{"role":"user","content":${prompt:json}}]}"#,
    variables: &[("model", "gpt-4o-mini"), ("prompt", "Say good morning, and name ten rivers.")],
    omits: super::OF_ANSWERS,
    rules: &[
        &chunk_object::RULE,
        &same_id::RULE,
        &same_created::RULE,
        &same_model::RULE,
        &choice_index::RULE,
        &role_first::RULE,
        &delta_content::RULE,
        &whole_characters::RULE,
        &tool_calls::RULE,
        &finish_reason::RULE,
        &usage_asked::RULE,
        &usage_unasked::RULE,
        &done_last::RULE,
        &done_exact::RULE,
        &error_told::RULE,
        &error_object::RULE,
        &refused_status::RULE,
        &error_body::RULE,
    ],
    answer: reference::answer,
};

/// What a request must have.
const NEEDED: Needed = Needed { name: "messages", fits: Value::is_array };

/// Why there is nothing to judge where no stream has a chunk.
const NO_CHUNK: &str = "no stream carried a chunk of a completion";

/// For mutants: the reference, each event replaced by what `edit` makes of it.
fn rewritten(visit: &Visit<'_>, edit: impl FnMut(usize, Written) -> Vec<Written>) -> Plan {
    edit_events(reference::answer(visit), edit)
}

/// For mutants: the reference with each chunk changed.
fn rechunked(visit: &Visit<'_>, edit: impl FnMut(usize, &mut Value)) -> Plan {
    edit_json(reference::answer(visit), edit)
}
