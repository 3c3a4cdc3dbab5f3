//! Messages as Anthropic streams them.

mod agreement;
mod blocks;
mod members;
mod reference;
mod typed_members;

use serde_json::Value;

use super::Profile;
use super::refused::Needed;

pub(super) const PROFILE: Profile = Profile {
    id: "anthropic-messages",
    aliases: &[],
    title: "messages as Anthropic streams them (POST /v1/messages)",
    path: "/v1/messages",
    method: "POST",
    headers: &[("Content-Type", "application/json"), ("anthropic-version", "2023-06-01")],
    body: r#"{"model":${model:json},"max_tokens":512,"stream":true,"messages":[{"role":"user","content":${prompt:json}}]}"#,
    variables: &[
        ("model", "claude-3-5-haiku-latest"),
        ("prompt", "Say good morning, and name ten rivers."),
    ],
    omits: super::OF_ANSWERS,
    rules: &[
        &members::EVENT_OBJECT,
        &members::EVENT_NAME,
        &typed_members::NEEDED_MEMBERS,
        &typed_members::TYPED_MEMBERS,
        &members::MESSAGE_START,
        &blocks::BLOCK_ORDER,
        &blocks::DELTA_TYPE,
        &blocks::TOOL_INPUT,
        &blocks::WHOLE_CHARACTERS,
        &agreement::THINKING_SIGNED,
        &agreement::STOP_AGREES,
        &agreement::TOOL_REQUIRED,
        &members::MESSAGE_DELTA,
        &members::MESSAGE_STOP,
        &members::USAGE,
        &members::ERROR_OBJECT,
        &members::REFUSED_STATUS,
        &members::ERROR_BODY,
    ],
    answer: reference::answer,
};

/// The member that a request must have.
const NEEDED: Needed = Needed { name: "messages", fits: Value::is_array };
