//! What is refused has the status of a refusal.

use sseproof_exchange::{Plan, Visit};

use super::reference;
use super::refusals::{NOT_ASKED, refusals};
use crate::profile::look::each;
use crate::profile::written::{Written, stream};
use crate::{Fault, Mutant, Place, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "openai-chat/refused-status",
    requirement: "openai-chat/refused-status",
    title: "a request that cannot be served is refused with a status from 400",
    why: "Clients look at the status first: behind a 200 they wait for chunks, and their users see an empty answer in the place of what is wrong.",
    fix: "Check the request before you write the head of the stream, and answer 400 with the error as JSON.",
    recipes: &[],
    judge,
    mutants: &[Mutant {
        id: "error-as-stream",
        wrong: "answers a request that it cannot serve with 200 and a stream that holds the error",
        serve: |visit| {
            let plan = reference::answer(visit);
            if is_refused(visit) {
                let error = r#"{"error":{"message":"no messages","type":"invalid_request_error"}}"#;
                return stream(visit, [Written::data(error), Written::data("[DONE]")]);
            }
            plan
        },
    }],
};

/// For mutants: whether the request has no list of messages.
pub(super) fn is_refused(visit: &Visit<'_>) -> bool {
    let refused = |plan: Plan| {
        plan.actions
            .iter()
            .any(|action| matches!(action, sseproof_exchange::Action::Head { status: 400, .. }))
    };
    refused(reference::answer(visit))
}

fn judge(record: &Record<'_>) -> Verdict {
    each(&refusals(record), "refusal", NOT_ASKED, |view, tally| {
        tally.look();
        let status = view.status().unwrap_or(0);
        let wrong = match status {
            400.. => return,
            200 if view.is_stream() => {
                "a request without messages is answered with 200 and an event stream".to_owned()
            }
            _ => format!("a request without messages is answered with {status}"),
        };
        tally.fault(|| Fault::new(view, Place::StatusLine, wrong));
    })
}
