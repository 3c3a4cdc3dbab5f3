//! What is wrong with an operation is the answer to its request, where that is a request of its own.

use serde_json::Value;

use super::traffic::{each_reserved, is_invalid, is_reserved};
use super::{mistaken, reference};
use crate::profile::json::read;
use crate::profile::written::status;
use crate::{Fault, Mutant, Place, Record, Rule, Verdict, View};

pub(super) const RULE: Rule = Rule {
    id: "graphql-sse/invalid-operation",
    judge,
    mutants: &[
        Mutant::new(
            "graphql-single-invalid-202",
            "accepts an operation that does not validate with 202",
            |visit| {
                let is_it = is_invalid(visit.request);
                let plan = mistaken(visit, |request| {
                    if is_it && request.headers.has(super::traffic::TOKEN) {
                        let text = request.body.to_text();
                        request.body = text.replace(super::traffic::NO_FIELD, "__typename").into();
                    }
                });
                if is_it && status(&plan) == 202 {
                    // Nothing comes of it.
                    let kept = |action: &sseproof_record::Action| {
                        !matches!(action, sseproof_record::Action::Publish { .. })
                    };
                    let actions = plan.actions.into_iter().filter(kept).collect();
                    return sseproof_record::Plan { actions };
                }
                plan
            },
        ),
        Mutant::new(
            "graphql-single-invalid-untold",
            "refuses an operation that does not validate and does not say why",
            |visit| {
                let plan = reference::answer(visit);
                if is_invalid(visit.request) && status(&plan) == 400 {
                    return sseproof_record::Plan::answer(400, "text/plain", "Bad Request");
                }
                plan
            },
        ),
    ],
};

fn judge(record: &Record<'_>) -> Verdict {
    let none = "no operation that does not validate was asked for with a token";
    let wanted = |view: &View<'_>| {
        view.request.method == "POST" && is_reserved(record, view) && is_invalid(&view.request)
    };
    each_reserved(record, "operation that does not validate", none, wanted, |view, tally| {
        tally.look();
        let status = view.status().unwrap_or_default();
        let body = read(&String::from_utf8_lossy(&view.body_bytes())).unwrap_or_default();
        let tells = body["errors"].as_array().is_some_and(|errors: &Vec<Value>| !errors.is_empty());
        if tells {
            return;
        }
        let message = format!(
            "an operation that does not validate is answered with {status}, and its errors are not in the body"
        );
        tally.fault(|| Fault::new(view, Place::StatusLine, message));
    })
}
