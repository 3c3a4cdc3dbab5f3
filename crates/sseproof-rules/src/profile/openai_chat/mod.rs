//! Chat completions as OpenAI streams them, and many compatible servers.

mod agreement;
mod choices;
mod chunks;
mod ends;
mod members;
mod reference;
mod tool_calls;

use serde_json::Value;
use sseproof_http::{Plan, Visit};

use super::Profile;
use super::refused::Needed;
use super::written::Changed;

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
        &members::CHUNK_OBJECT,
        &members::SAME_ID,
        &members::SAME_CREATED,
        &members::SAME_MODEL,
        &choices::CHOICE_INDEX,
        &choices::ROLE_FIRST,
        &members::DELTA_CONTENT,
        &choices::WHOLE_CHARACTERS,
        &tool_calls::RULE,
        &choices::FINISH_REASON,
        &agreement::TYPED_MEMBERS,
        &agreement::FINISH_AGREES,
        &agreement::TOOL_REQUIRED,
        &ends::USAGE_ASKED,
        &ends::USAGE_UNASKED,
        &ends::DONE_LAST,
        &ends::DONE_EXACT,
        &ends::ERROR_REPORTED,
        &members::ERROR_OBJECT,
        &members::REFUSED_STATUS,
        &members::ERROR_BODY,
    ],
    answer: reference::answer,
};

/// The member that a request must have.
const NEEDED: Needed = Needed { name: "messages", fits: Value::is_array };

/// For mutants: the reference with each choice changed.
fn choices(visit: &Visit<'_>, mut edit: impl FnMut(&mut Value)) -> Plan {
    reference::answer(visit).json(|_, chunk| {
        chunk["choices"].as_array_mut().into_iter().flatten().for_each(&mut edit);
    })
}
