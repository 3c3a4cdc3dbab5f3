//! Requests that no server can serve, and what is answered to them.

use serde_json::Value;
use sseproof_record::{Action, Plan};

use super::look::each;
use crate::{Fault, Place, Record, Verdict, View};

/// A member that a request must have, and that the probe makes one of another kind.
#[derive(Clone, Copy)]
pub(super) struct Needed {
    /// Its name.
    pub(super) name: &'static str,
    /// Whether a value will do.
    pub(super) fits: fn(&Value) -> bool,
}

/// The requests without what is needed, and that were answered.
fn refusals<'r>(record: &'r Record<'_>, needed: Needed) -> Vec<View<'r>> {
    let is_wrong = |view: &View<'_>| {
        let body: Option<Value> = serde_json::from_slice(&view.request.body).ok();
        body.is_some_and(|body| body.is_object() && !(needed.fits)(&body[needed.name]))
    };
    record
        .all()
        .filter(|view| view.request.method == "POST" && view.head.is_some() && is_wrong(view))
        .collect()
}

fn not_asked(needed: Needed) -> String {
    format!("no request without `{}` was sent", needed.name)
}

/// Judges whether such a request is refused by its status.
pub(super) fn status(record: &Record<'_>, needed: Needed) -> Verdict {
    each(&refusals(record, needed), "refusal", &not_asked(needed), |view, tally| {
        tally.look();
        let what = match view.status().unwrap_or(0) {
            400.. => return,
            200 if view.is_stream() => "200 and an event stream".to_owned(),
            status => status.to_string(),
        };
        let message = format!("a request without `{}` is answered with {what}", needed.name);
        tally.fault(|| Fault::new(view, Place::StatusLine, message));
    })
}

/// Judges whether the body of the refusal is JSON with `error.message`, and fits.
pub(super) fn body(
    record: &Record<'_>,
    needed: Needed,
    wrong: fn(&Value) -> Option<&'static str>,
) -> Verdict {
    let mut refused = refusals(record, needed);
    // The others have no body that could be judged: their status is wrong.
    refused.retain(|view| view.status().is_some_and(|status| status >= 400));
    each(&refused, "refusal", &not_asked(needed), |view, tally| {
        tally.look();
        let media = view.head.as_ref().and_then(|head| head.media_type()).unwrap_or_default();
        if media != "application/json" && !media.ends_with("+json") {
            let message = format!("the refusal is `{media}`, and not JSON");
            tally.fault(|| Fault::header(view, "content-type", message));
            return;
        }
        let body: Value = serde_json::from_slice(&view.body_bytes()).unwrap_or_default();
        if let Some(wrong) = wrong(&body) {
            let shown = crate::stream::quoted(&view.body_bytes());
            tally.fault(|| Fault::at(view, 0, format!("the refusal has no {wrong}: {shown}")));
        }
    })
}

/// What is missing where a body is not the error of OpenAI's API.
pub(super) fn no_message(body: &Value) -> Option<&'static str> {
    (!body["error"]["message"].is_string()).then_some("`error.message`")
}

/// For mutants: whether the reference refuses the request.
pub(super) fn is_refused(plan: &Plan) -> bool {
    plan.actions.iter().any(|action| matches!(action, Action::Head { status: 400, .. }))
}
