//! Messages as Anthropic streams them.

mod block_order;
mod delta_type;
mod error_body;
mod error_object;
mod event_name;
mod event_object;
mod message_delta;
mod message_start;
mod message_stop;
mod reference;
mod refused_status;
mod tool_input;
mod usage_told;
mod whole_characters;

use serde_json::Value;
use sseproof_record::{Plan, Visit};

use super::Profile;
use super::refused::Needed;
use super::written::{Written, edit_events, edit_json};

/// The profile.
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
        &event_object::RULE,
        &event_name::RULE,
        &message_start::RULE,
        &block_order::RULE,
        &delta_type::RULE,
        &tool_input::RULE,
        &whole_characters::RULE,
        &message_delta::RULE,
        &message_stop::RULE,
        &usage_told::RULE,
        &error_object::RULE,
        &refused_status::RULE,
        &error_body::RULE,
    ],
    answer: reference::answer,
};

/// What a request must have.
const NEEDED: Needed = Needed { name: "messages", fits: Value::is_array };

/// For mutants: the reference, each event replaced by what `edit` makes of it.
fn rewritten(visit: &Visit<'_>, edit: impl FnMut(usize, Written) -> Vec<Written>) -> Plan {
    edit_events(reference::answer(visit), edit)
}

/// For mutants: the reference with the payload of each event changed.
fn reworded(visit: &Visit<'_>, edit: impl FnMut(usize, &mut Value)) -> Plan {
    edit_json(reference::answer(visit), edit)
}

/// For mutants: the reference without the events of that type.
fn without(visit: &Visit<'_>, kind: &str) -> Plan {
    rewritten(
        visit,
        |_, event| {
            if event.event.as_deref() == Some(kind) { Vec::new() } else { vec![event] }
        },
    )
}
