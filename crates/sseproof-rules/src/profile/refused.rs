//! Invalid requests to models, and the responses to them.

use serde_json::{Value, json};
use sseproof_http::{Plan, Visit};

use super::look::{answered, each, statuses};
use super::table::{EVENTS, Row};
use crate::{Fault, Record, Verdict, View};

/// A member that a request must have, and that the probe omits or replaces.
#[derive(Clone, Copy)]
pub(super) struct Needed {
    pub(super) name: &'static str,
    pub(super) fits: fn(&Value) -> bool,
}

/// The exchanges whose request lacks the member and that have a response.
fn refusals<'r>(record: &'r Record<'_>, needed: Needed) -> Vec<View<'r>> {
    let is_wrong = |view: &View<'_>| {
        let body: Option<Value> = serde_json::from_slice(&view.request.body).ok();
        body.is_some_and(|body| body.is_object() && !(needed.fits)(&body[needed.name]))
    };
    answered(record, |view| view.request.method == "POST" && is_wrong(view))
}

fn not_asked(needed: Needed) -> String {
    format!("no request without `{}` was sent", needed.name)
}

/// Judges whether such a request gets an error status.
pub(super) fn status(record: &Record<'_>, needed: Needed) -> Verdict {
    let what = format!("a request without `{}`", needed.name);
    let fits = |status| Some(status >= 400);
    statuses(&refusals(record, needed), "refusal", &what, &not_asked(needed), fits)
}

/// Judges whether the body of the refusal is JSON and meets the rows.
pub(super) fn body(record: &Record<'_>, needed: Needed, rows: &[Row]) -> Verdict {
    let mut refused = refusals(record, needed);
    // The status of the others is wrong, so their body is not a refusal.
    refused.retain(|view| view.status().is_some_and(|status| status >= 400));
    let scope = EVENTS.named("the refusal");
    each(&refused, "refusal", &not_asked(needed), |view, tally| {
        tally.look();
        let media = view.head.as_ref().and_then(|head| head.media_type()).unwrap_or_default();
        if media != "application/json" && !media.ends_with("+json") {
            let message = format!("the refusal is `{media}`, not JSON");
            tally.fault(|| Fault::header(view, "content-type", message));
        } else if let Some(wrong) = scope.wrong_with(&view.body_bytes(), rows) {
            tally.fault(|| Fault::at(view, 0, wrong));
        }
    })
}

/// The text of the references, one token per event, with characters of one to four bytes.
pub(super) const TOKENS: [&str; 8] =
    ["Good", " morning", ",", " café", " ☕", " 日本", "語", " 👋🏽"];
/// The arguments of the tool that the references call.
pub(super) const ARGUMENTS: [&str; 3] = ["{\"ci", "ty\":", "\"Kyoto\"}"];

/// For references: the requested model and the body of the request, or the refusal.
pub(super) fn asked(
    visit: &Visit<'_>,
    needed: Needed,
    error: fn(u16, &str) -> Plan,
) -> Result<(String, Value), Plan> {
    if visit.request.method != "POST" {
        return Err(error(405, "use POST").with_header("Allow", "POST"));
    }
    let Ok(asked) = serde_json::from_slice::<Value>(&visit.request.body) else {
        return Err(error(400, "the body is not JSON"));
    };
    let Some(model) = asked["model"].as_str().map(str::to_owned) else {
        return Err(error(400, "you must provide a model"));
    };
    if !(needed.fits)(&asked[needed.name]) {
        return Err(error(400, &format!("`{}` is missing or invalid", needed.name)));
    }
    Ok((model, asked))
}

pub(super) fn has_tools(asked: &Value) -> bool {
    asked["tools"].as_array().is_some_and(|tools| !tools.is_empty())
}

/// For references: a response with an error of OpenAI's API.
pub(super) fn openai_error(status: u16, message: &str) -> Plan {
    let body = json!({
        "error": {
            "message": message, "type": "invalid_request_error", "param": null, "code": null,
        },
    });
    Plan::answer(status, "application/json", body.to_string())
}
