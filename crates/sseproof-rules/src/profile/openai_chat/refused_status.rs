//! What is refused has the status of a refusal.

use super::{NEEDED, reference};
use crate::profile::refused;
use crate::profile::written::{Written, stream};
use crate::{Mutant, Rule};

pub(super) const RULE: Rule = Rule {
    id: "openai-chat/refused-status",
    judge: |record| refused::status(record, NEEDED),
    mutants: &[Mutant::new(
        "error-as-stream",
        "answers a request that it cannot serve with 200 and a stream that holds the error",
        |visit| {
            if !refused::is_refused(&reference::answer(visit)) {
                return reference::answer(visit);
            }
            let error = r#"{"error":{"message":"no messages","type":"invalid_request_error"}}"#;
            stream(visit, [Written::data(error), Written::data("[DONE]")])
        },
    )],
};
