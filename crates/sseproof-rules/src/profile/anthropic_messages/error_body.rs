//! A refusal says what is wrong, as JSON.

use serde_json::Value;
use sseproof_record::Plan;

use super::{NEEDED, reference};
use crate::profile::refused;
use crate::{Mutant, Rule};

pub(super) const RULE: Rule = Rule {
    id: "anthropic-messages/error-body",
    judge: |record| refused::body(record, NEEDED, missing),
    mutants: &[Mutant::new(
        "message-detail-of-framework",
        "refuses a request with the error of its framework, as `{\"detail\":…}`",
        |visit| {
            if refused::is_refused(&reference::answer(visit)) {
                return Plan::answer(422, "application/json", r#"{"detail":"field required"}"#);
            }
            reference::answer(visit)
        },
    )],
};

fn missing(body: &Value) -> Option<&'static str> {
    match body {
        _ if body["type"] != "error" => Some("`type` that is `error`"),
        _ if !body["error"]["type"].is_string() => Some("`error.type`"),
        _ if !body["error"]["message"].is_string() => Some("`error.message`"),
        _ => None,
    }
}
