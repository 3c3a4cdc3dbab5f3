//! A refusal says what is wrong, as JSON.

use sseproof_record::Plan;

use super::{NEEDED, reference};
use crate::profile::refused;
use crate::{Mutant, Rule};

pub(super) const RULE: Rule = Rule {
    id: "openai-chat/error-body",
    requirement: "openai-chat/error-body",
    title: "a refused request is answered with `{\"error\":{\"message\":…}}` as JSON",
    why: "Clients show `error.message` to whoever made the mistake; a page of HTML or another shape leaves them with a bare status.",
    fix: "Answer with `Content-Type: application/json` and an object `error` that has `message`, `type`, `param` and `code`; turn the errors of the framework into that, too.",
    recipes: &[crate::Recipe {
        with: "FastAPI",
        write: "@app.exception_handler(RequestValidationError)\nasync def refused(request, error):\n    return JSONResponse({\"error\": {\"message\": str(error), \"type\": \"invalid_request_error\", \"param\": None, \"code\": None}}, 400)",
    }],
    judge: |record| refused::body(record, NEEDED, refused::no_message),
    mutants: &[Mutant {
        id: "detail-of-framework",
        wrong: "refuses a request with the error of its framework, as `{\"detail\":…}`",
        serve: |visit| {
            if refused::is_refused(&reference::answer(visit)) {
                let detail = r#"{"detail":[{"loc":["body","messages"],"msg":"field required"}]}"#;
                return Plan::answer(422, "application/json", detail);
            }
            reference::answer(visit)
        },
    }],
};
