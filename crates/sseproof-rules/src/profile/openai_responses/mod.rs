//! Responses as OpenAI streams them.

mod agreement;
mod items;
mod members;
mod reference;
mod typed_members;

use sseproof_http::Plan;

use super::Profile;
use super::refused::Needed;
use super::written::{Changed, Written};

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
        &members::EVENT_OBJECT,
        &members::EVENT_NAME,
        &members::SEQUENCE,
        &typed_members::NEEDED_MEMBERS,
        &typed_members::TYPED_MEMBERS,
        &members::CREATED_FIRST,
        &members::SAME_RESPONSE,
        &members::STATUS,
        &items::NESTING,
        &items::ITEM_DONE,
        &items::DELTAS_ADD_UP,
        &items::WHOLE_CHARACTERS,
        &agreement::DELTA_TYPE,
        &agreement::ITEM_ID,
        &agreement::SAME_ITEM,
        &agreement::OUTPUT_REPEATED,
        &agreement::TEXT_IN_DELTAS,
        &agreement::TOOL_REQUIRED,
        &members::TERMINAL_LAST,
        &members::USAGE,
        &members::ERROR_OBJECT,
        &members::REFUSED_STATUS,
        &members::ERROR_BODY,
    ],
    answer: reference::answer,
};

/// The member that a request must have.
const NEEDED: Needed =
    Needed { name: "input", fits: |input| input.is_string() || input.is_array() };

/// For mutants: the plan with its events renumbered; works on text, since some payloads are not JSON.
fn numbered(plan: Plan) -> Plan {
    const NAME: &str = "\"sequence_number\":";
    let mut number = 0;
    plan.replaced(NAME, |event| {
        let (before, rest) = event.data.split_once(NAME).unwrap_or_default();
        let rest = rest.trim_start_matches(|char: char| char.is_ascii_digit());
        let counted = rest.starts_with([',', '}']);
        let data = format!("{before}{NAME}{number}{rest}");
        number += u64::from(counted);
        vec![if counted { Written { data, ..event } } else { event }]
    })
}
