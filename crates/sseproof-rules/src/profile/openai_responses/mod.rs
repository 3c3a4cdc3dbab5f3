//! Responses as OpenAI streams them.

mod created_first;
mod deltas_add_up;
mod error_body;
mod error_object;
mod event_name;
mod event_object;
mod item_done;
mod nesting;
mod reference;
mod refused_status;
mod same_response;
mod sequence;
mod status;
mod terminal_last;
mod usage_told;
mod whole_characters;

use serde_json::json;
use sseproof_record::{Plan, Visit};

use super::Profile;
use super::refused::Needed;
use super::written::{Written, edit_events, edit_json};

/// The profile.
pub(super) const PROFILE: Profile = Profile {
    id: "openai-responses",
    aliases: &[],
    title: "responses as OpenAI streams them (POST /v1/responses)",
    path: "/v1/responses",
    method: "POST",
    headers: &[("Content-Type", "application/json")],
    body: r#"{"model":${model:json},"stream":true,"input":${prompt:json}}"#,
    variables: &[("model", "gpt-4o-mini"), ("prompt", "Say good morning, and name ten rivers.")],
    omits: super::OF_ANSWERS,
    rules: &[
        &event_object::RULE,
        &event_name::RULE,
        &sequence::RULE,
        &created_first::RULE,
        &same_response::RULE,
        &status::RULE,
        &nesting::RULE,
        &item_done::RULE,
        &deltas_add_up::RULE,
        &whole_characters::RULE,
        &terminal_last::RULE,
        &usage_told::RULE,
        &error_object::RULE,
        &refused_status::RULE,
        &error_body::RULE,
    ],
    answer: reference::answer,
};

/// What a request must have.
const NEEDED: Needed =
    Needed { name: "input", fits: |input| input.is_string() || input.is_array() };

/// The types of the events that end a response.
const TERMINAL: [&str; 4] =
    ["response.completed", "response.failed", "response.incomplete", "error"];

/// For mutants: the reference, each event replaced by what `edit` makes of it, and all of them
/// numbered anew.
fn rewritten(visit: &Visit<'_>, edit: impl FnMut(usize, Written) -> Vec<Written>) -> Plan {
    let mut number = 0;
    edit_json(edit_events(reference::answer(visit), edit), |_, event| {
        if event["sequence_number"].is_u64() {
            event["sequence_number"] = json!(number);
            number += 1;
        }
    })
}

/// For mutants: the reference with the payload of each event changed.
fn reworded(visit: &Visit<'_>, edit: impl FnMut(usize, &mut serde_json::Value)) -> Plan {
    edit_json(reference::answer(visit), edit)
}
