//! Requests that no server can serve: those that have no list of messages.

use serde_json::Value;

use crate::{Record, View};

/// Why there is nothing to judge.
pub(super) const NOT_ASKED: &str = "no request without messages was sent";

/// The requests for a completion of nothing, and that were answered.
pub(super) fn refusals<'r>(record: &'r Record<'_>) -> Vec<View<'r>> {
    let is_wrong = |view: &View<'_>| {
        let body: Option<Value> = serde_json::from_slice(&view.request.body).ok();
        body.is_some_and(|body| body.is_object() && !body["messages"].is_array())
    };
    record
        .all()
        .filter(|view| view.request.method == "POST" && view.head.is_some() && is_wrong(view))
        .collect()
}
