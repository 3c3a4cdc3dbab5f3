//! A refusal says what is wrong, as JSON.

use sseproof_record::Plan;

use super::{NEEDED, reference};
use crate::profile::refused;
use crate::{Mutant, Rule};

pub(super) const RULE: Rule = Rule {
    id: "openai-responses/error-body",
    judge: |record| refused::body(record, NEEDED, refused::no_message),
    mutants: &[Mutant::new(
        "response-detail-of-framework",
        "refuses a request with the error of its framework, as `{\"detail\":…}`",
        |visit| {
            if refused::is_refused(&reference::answer(visit)) {
                let detail = r#"{"detail":[{"loc":["body","input"],"msg":"field required"}]}"#;
                return Plan::answer(422, "application/json", detail);
            }
            reference::answer(visit)
        },
    )],
};
