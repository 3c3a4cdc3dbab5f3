//! Unsupported methods are refused cleanly.
//!
//! The probe uses PROPFIND and OPTIONS, which are safe methods: a check must not change anything on
//! a production server.

use sseproof_http::{Plan, Request, Visit};

use super::clean::{Clean, answered};
use crate::outcome::Outcome;
use crate::{Fault, Mutant, Place, Record, Rule, Verdict, View, reference};

pub(crate) const RULE: Rule = Rule {
    id: "response/other-method",
    judge,
    mutants: &[
        Mutant::new("any-method", "opens the stream for any method", |visit| {
            let method = visit.request.method.as_str();
            if !is_other(method) {
                return reference::answer(visit);
            }
            let request = Request { method: "GET".to_owned(), ..visit.request.clone() };
            reference::answer(&Visit { request: &request, ..*visit })
        }),
        Mutant::new("method-crash", "answers a method that it does not know with 500", |visit| {
            match visit.request.method.as_str() {
                "PROPFIND" => Plan::answer(500, "text/plain", "unhandled\n"),
                _ => reference::answer(visit),
            }
        }),
    ],
};

/// The safe methods that are neither GET nor HEAD: nothing else is sent uninvited.
fn is_other(method: &str) -> bool {
    matches!(method, "PROPFIND" | "OPTIONS" | "REPORT" | "SEARCH" | "TRACE")
}

fn judge(record: &Record<'_>) -> Verdict {
    let target = &record.target().method;
    let others = record
        .judged()
        .filter(|view| is_other(&view.request.method) && view.request.method != *target);
    let texts = Clean {
        noun: "other request",
        none: "no other method was tried",
        not_http: "no answer to another method was HTTP",
        unanswered: Some("the client waits in vain"),
    };
    let has_stream = record.judged().any(|view| view.is_stream() && view.request.method == *target);
    let name = |view: &View<'_>| view.request.method.clone();
    texts.judge(record, others, has_stream, name, |view, outcome, method| match outcome {
        Outcome::Stream => {
            Some(Fault::new(view, Place::StatusLine, format!("{method} opens the stream")))
        }
        Outcome::Status(500 | 502..=599) => Some(answered(view, method, outcome).so(
            "an unsupported request looks like a failure of the server, in its logs and to its clients",
        )),
        _ => None,
    })
}
