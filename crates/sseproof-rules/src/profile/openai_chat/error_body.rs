//! A refusal says what is wrong, as JSON.

use serde_json::Value;

use super::reference;
use super::refusals::{NOT_ASKED, refusals};
use super::refused_status::is_refused;
use crate::profile::look::each;
use crate::{Fault, Mutant, Record, Rule, Verdict};
use sseproof_exchange::Plan;

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
    judge,
    mutants: &[Mutant {
        id: "detail-of-framework",
        wrong: "refuses a request with the error of its framework, as `{\"detail\":…}`",
        serve: |visit| {
            if is_refused(visit) {
                let detail = r#"{"detail":[{"loc":["body","messages"],"msg":"field required"}]}"#;
                return Plan::answer(422, "application/json", detail);
            }
            reference::answer(visit)
        },
    }],
};

fn judge(record: &Record<'_>) -> Verdict {
    let mut refused = refusals(record);
    // The others have no body that could be judged: see `openai-chat/refused-status`.
    refused.retain(|view| view.status().is_some_and(|status| status >= 400));
    each(&refused, "refusal", NOT_ASKED, |view, tally| {
        tally.look();
        let media = view.head.as_ref().and_then(|head| head.media_type()).unwrap_or_default();
        if media != "application/json" && !media.ends_with("+json") {
            let message = format!("the refusal is `{media}`, and not JSON");
            tally.fault(|| Fault::header(view, "content-type", message));
            return;
        }
        let body: Value = serde_json::from_slice(&view.body_bytes()).unwrap_or_default();
        if !body["error"]["message"].is_string() {
            let shown = crate::stream::quoted(&view.body_bytes());
            let message = format!("the refusal has no `error.message`: {shown}");
            tally.fault(|| Fault::at(view, 0, message));
        }
    })
}
