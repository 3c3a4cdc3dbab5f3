//! What is wrong with an operation is told in the stream.

use sseproof_record::Plan;

use super::traffic::{each, is_invalid, messages, token};
use super::{reference, rewritten};
use crate::outcome::NO_STREAM;
use crate::profile::written::Written;
use crate::{Fault, Mutant, Place, Record, Rule, Verdict, View};

pub(super) const RULE: Rule = Rule {
    id: "graphql-sse/validation",
    judge,
    mutants: &[
        Mutant::new(
            "graphql-invalid-400",
            "refuses an operation that does not validate with 400",
            |visit| {
                if is_asked(visit.request) {
                    let body = r#"{"errors":[{"message":"no such field"}]}"#;
                    return Plan::answer(400, "application/json", body);
                }
                reference::answer(visit)
            },
        ),
        Mutant::new(
            "graphql-invalid-silent",
            "completes an operation that does not validate and says nothing of its errors",
            |visit| {
                if !is_asked(visit.request) {
                    return reference::answer(visit);
                }
                rewritten(visit, |_, event| match event.event.as_deref() {
                    Some("next") => vec![Written::named("next", r#"{"data":{}}"#)],
                    _ => vec![event],
                })
            },
        ),
    ],
};

/// Whether the request asks for what does not validate, with a connection of its own.
pub(super) fn is_asked(request: &sseproof_record::Request) -> bool {
    is_invalid(request) && token(request).is_none()
}

/// Whether the event tells errors.
pub(super) fn tells_errors(view: &View<'_>) -> bool {
    messages(view).iter().any(|message| message.json.get("errors").is_some())
}

fn judge(record: &Record<'_>) -> Verdict {
    // Of a server that gives no stream to anybody, other rules speak.
    if !record.subscriptions().any(|view| view.is_stream()) {
        return Verdict::Skip(NO_STREAM.to_owned());
    }
    let none = "no operation that does not validate was answered";
    let wanted = |view: &View<'_>| is_asked(&view.request);
    each(record, "operation that does not validate", none, wanted, |view, tally| {
        tally.look();
        let status = view.status().unwrap_or_default();
        let what = "an operation that does not validate";
        if status != 200 || !view.is_stream() {
            let kind = if status == 200 { " and no event stream" } else { "" };
            let message = format!("{what} is answered with {status}{kind}");
            tally.fault(|| Fault::new(view, Place::StatusLine, message));
        } else if !tells_errors(view) {
            let message = format!("the stream of {what} tells no errors");
            tally.fault(|| Fault::at(view, 0, message));
        }
    })
}
