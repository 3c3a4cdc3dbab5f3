//! Requests that no server can serve, and what is answered to them.

use serde_json::Value;

use super::look::each;
use super::table::{EVENTS, Row};
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

/// Judges whether the body of the refusal is JSON and keeps the rows.
pub(super) fn body(record: &Record<'_>, needed: Needed, rows: &[Row]) -> Verdict {
    let mut refused = refusals(record, needed);
    // The others have no body that could be judged: their status is wrong.
    refused.retain(|view| view.status().is_some_and(|status| status >= 400));
    let scope = EVENTS.named("the refusal");
    each(&refused, "refusal", &not_asked(needed), |view, tally| {
        tally.look();
        let media = view.head.as_ref().and_then(|head| head.media_type()).unwrap_or_default();
        if media != "application/json" && !media.ends_with("+json") {
            let message = format!("the refusal is `{media}`, and not JSON");
            tally.fault(|| Fault::header(view, "content-type", message));
        } else if let Some(wrong) = scope.wrong_with(&view.body_bytes(), rows) {
            tally.fault(|| Fault::at(view, 0, wrong));
        }
    })
}
