//! The results of an operation go to the stream of the reservation.

use serde_json::Value;
use sseproof_record::{Action, Plan};

use super::traffic::{each_reserved, is_invalid, is_reserved, messages, operation_id, stream_of};
use super::{reference, rewritten};
use crate::profile::json::{read, shown};
use crate::profile::written::status;
use crate::{Fault, Mutant, Place, Record, Rule, Verdict, View};

pub(super) const RULE: Rule = Rule {
    id: "graphql-sse/single-result",
    judge,
    mutants: &[
        Mutant::new(
            "graphql-result-as-answer",
            "answers an operation with its result and sends it on the stream, too",
            |visit| {
                let plan = reference::answer(visit);
                if status(&plan) != 202 {
                    return plan;
                }
                let body = r#"{"data":{"__typename":"Query"}}"#;
                let answer = Plan::answer(200, "application/json", body).actions;
                let published = plan
                    .actions
                    .into_iter()
                    .filter(|action| matches!(action, Action::Publish { .. }));
                Plan { actions: published.chain(answer).collect() }
            },
        ),
        Mutant::new(
            "graphql-result-lost",
            "takes an operation and sends no result of it",
            |visit| {
                rewritten(visit, |_, event| {
                    let is_result = event.data.contains("\"payload\"");
                    if is_result { Vec::new() } else { vec![event] }
                })
            },
        ),
    ],
};

fn judge(record: &Record<'_>) -> Verdict {
    let none = "no operation was asked for with the token of an open stream";
    let wanted = |view: &View<'_>| {
        is_reserved(record, view)
            && view.request.method == "POST"
            && operation_id(&view.request).is_some()
            && !is_invalid(&view.request)
            && stream_of(record, view).is_some()
    };
    each_reserved(record, "operation", none, wanted, |view, tally| {
        tally.look();
        let status = view.status().unwrap_or_default();
        if !(200..300).contains(&status) {
            let message =
                format!("an operation with the token of an open stream is answered with {status}");
            tally.fault(|| Fault::new(view, Place::StatusLine, message));
            return;
        }
        let body = read(&String::from_utf8_lossy(&view.body_bytes())).unwrap_or_default();
        if let Some(data) = body.get("data") {
            let message = format!("the answer to the request holds the result: {}", shown(data));
            tally.fault(|| Fault::at(view, 0, message));
        } else if !is_told(record, view) {
            let message = "nothing of the operation came on the stream of its reservation";
            tally.fault(|| Fault::whole(view, message));
        }
    })
}

/// Whether a result of the operation came on the stream; one with another id, or with none, is told
/// by `graphql-sse/envelope`.
fn is_told(record: &Record<'_>, view: &View<'_>) -> bool {
    let id = operation_id(&view.request).map(Value::String).unwrap_or_default();
    let own = |json: &Value| json["id"] == id || !json["id"].is_string();
    stream_of(record, view).is_some_and(|stream| {
        messages(&stream).iter().any(|message| message.event != "complete" && own(&message.json))
    })
}
