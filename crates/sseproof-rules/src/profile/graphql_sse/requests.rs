//! The rules on single requests.

use serde_json::Value;
use sseproof_http::{Plan, Request};

use super::mistaken;
use super::reference::answer;
use super::traffic::{asked, each, is_invalid, messages, parameter, token};
use crate::outcome::NO_STREAM;
use crate::profile::json::{read, shown};
use crate::profile::written::{Changed, Written};
use crate::{Fault, Mutant, Place, Record, Rule, Verdict, View};

pub(super) const VALIDATION: Rule = Rule {
    id: "graphql-sse/validation",
    judge: validation,
    mutants: &[
        Mutant::new("graphql-invalid-400", "refuses an invalid operation with 400", |visit| {
            if is_asked(visit.request) {
                let body = r#"{"errors":[{"message":"no such field"}]}"#;
                return Plan::answer(400, "application/json", body);
            }
            answer(visit)
        }),
        Mutant::new(
            "graphql-invalid-silent",
            "completes an invalid operation without its errors",
            |visit| {
                if !is_asked(visit.request) {
                    return answer(visit);
                }
                answer(visit).events(|_, event| match event.event.as_deref() {
                    Some("next") => vec![Written::named("next", r#"{"data":{}}"#)],
                    _ => vec![event],
                })
            },
        ),
    ],
};

/// Whether the request is an invalid operation with a connection of its own.
pub(super) fn is_asked(request: &Request) -> bool {
    is_invalid(request) && token(request).is_none()
}

pub(super) fn has_errors(view: &View<'_>) -> bool {
    messages(view).iter().any(|message| message.json.get("errors").is_some())
}

fn validation(record: &Record<'_>) -> Verdict {
    // Other rules report a server without any stream.
    if !record.subscriptions().any(|view| view.is_stream()) {
        return Verdict::Skip(NO_STREAM.to_owned());
    }
    let none = "no invalid operation was answered";
    let wanted = |view: &View<'_>| is_asked(&view.request);
    each(record, "invalid operation", none, wanted, |view, tally| {
        tally.look();
        let status = view.status().unwrap_or_default();
        let what = "an invalid operation";
        if status != 200 || !view.is_stream() {
            let kind = if status == 200 { " and no event stream" } else { "" };
            let message = format!("{what} is answered with {status}{kind}");
            tally.fault(|| Fault::new(view, Place::StatusLine, message));
        } else if !has_errors(view) {
            let message = format!("the stream of {what} has no errors");
            tally.fault(|| Fault::at(view, 0, message));
        }
    })
}

pub(super) const REQUEST_ERROR: Rule = Rule {
    id: "graphql-sse/request-error",
    judge: request_error,
    mutants: &[Mutant::new(
        "graphql-null-data",
        "sends `data: null` with the errors of an operation that was never executed",
        |visit| answer(visit).set("\"errors\"", "/data", Value::Null),
    )],
};

fn request_error(record: &Record<'_>) -> Verdict {
    let none = "no errors of an invalid operation were streamed";
    let wanted = |view: &View<'_>| view.is_stream() && is_asked(&view.request);
    each(record, "result", none, wanted, |view, tally| {
        for message in messages(view).iter().filter(|message| message.json.get("errors").is_some())
        {
            tally.look();
            if let Some(data) = message.json.get("data") {
                let wrong = format!(
                    "the operation was not executed, but the result has `data`: {}",
                    shown(data)
                );
                tally.fault(|| Fault::at(view, message.offset, wrong));
            }
        }
    })
}

pub(super) const GET_MUTATION: Rule = Rule {
    id: "graphql-sse/get-mutation",
    judge: get_mutation,
    mutants: &[Mutant::new("graphql-mutation-by-get", "executes a mutation by GET", |visit| {
        mistaken(visit, |request| {
            let query = parameter(request, "query").unwrap_or_default();
            if request.method == "GET" && query.starts_with("mutation") {
                request.method = "POST".to_owned();
                request.body = r#"{"query":"mutation { __typename }"}"#.into();
            }
        })
    })],
};

fn get_mutation(record: &Record<'_>) -> Verdict {
    let none = "no mutation by GET was answered";
    let wanted = |view: &View<'_>| {
        let query = parameter(&view.request, "query").unwrap_or_default();
        view.request.method == "GET"
            && asked(&view.request).is_null()
            && query.starts_with("mutation")
    };
    each(record, "mutation by GET", none, wanted, |view, tally| {
        tally.look();
        if let Some((offset, data)) = executed(view) {
            let message =
                format!("a mutation by GET is executed, with the result {}", shown(&data));
            tally.fault(|| Fault::at(view, offset, message));
        }
    })
}

/// The offset and the result of the mutation, from the stream or from a JSON body.
fn executed(view: &View<'_>) -> Option<(u64, Value)> {
    let data = |json: &Value| json.get("data").filter(|data| !data.is_null()).cloned();
    let streamed = messages(view)
        .into_iter()
        .find_map(|message| data(&message.json).map(|data| (message.offset, data)));
    let whole = || {
        let body = read(&String::from_utf8_lossy(&view.body_bytes()))?;
        data(&body).map(|data| (0, data))
    };
    streamed.or_else(whole)
}
