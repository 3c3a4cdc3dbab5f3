//! The rules on the mode with a single connection.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sseproof_http::{Plan, Visit};

use super::mistaken;
use super::reference::answer;
use super::requests::has_errors;
use super::traffic::{
    NO_FIELD, NO_TOKEN, TOKEN, each_reserved, is_invalid, is_reserved, is_single_stream, messages,
    operation_id, parameter, stream_of, token,
};
use crate::profile::events::Piece;
use crate::profile::json::{read, shown};
use crate::profile::written::{Changed, but_to, status};
use crate::timing::UNDER_WAY;
use crate::{Fault, Mutant, Place, Record, Rule, Verdict, View};

pub(super) const ONE_STREAM: Rule = Rule {
    id: "graphql-sse/one-stream",
    judge: one_stream,
    mutants: &[Mutant::new(
        "graphql-token-twice",
        "opens a second stream for a reservation",
        |visit| answer(&Visit { open: 0, ..*visit }),
    )],
};

fn one_stream(record: &Record<'_>) -> Verdict {
    let none = "no stream of a reservation was opened";
    let wanted = |view: &View<'_>| is_single_stream(view) && is_reserved(record, view);
    each_reserved(record, "stream of a reservation", none, wanted, |view, tally| {
        tally.look();
        let is_same = |other: &View<'_>| {
            other.number < view.number
                && wanted(other)
                && token(&other.request) == token(&view.request)
                && other.overlaps(view)
        };
        if let Some(first) = record.all().find(is_same) {
            let message = format!(
                "a second stream opens for a reservation that has an open stream in exchange {}",
                first.number
            );
            tally.fault(|| Fault::new(view, Place::StatusLine, message));
        }
    })
}

pub(super) const UNKNOWN_TOKEN: Rule = Rule {
    id: "graphql-sse/unknown-token",
    judge: unknown_token,
    mutants: &[Mutant::new("graphql-any-token", "opens a stream for any token", |visit| {
        let any = token(visit.request).as_deref() == Some(NO_TOKEN);
        let open = if any { 0 } else { visit.open };
        mistaken(&Visit { open, ..*visit }, |request| {
            if any {
                request.headers.set(TOKEN, "reservation-0");
            }
        })
    })],
};

fn unknown_token(record: &Record<'_>) -> Verdict {
    let none = "no request with an unknown token was answered";
    let wanted = |view: &View<'_>| token(&view.request).as_deref() == Some(NO_TOKEN);
    each_reserved(record, "refusal", none, wanted, |view, tally| {
        tally.look();
        // A stream that only carries an error is also a refusal.
        if is_single_stream(view) && !has_errors(view) {
            let message = "a token that the server never issued opens a stream";
            tally.fault(|| Fault::new(view, Place::StatusLine, message));
        }
    })
}

pub(super) const SINGLE_RESULT: Rule = Rule {
    id: "graphql-sse/single-result",
    judge: single_result,
    mutants: &[
        Mutant::new(
            "graphql-result-as-answer",
            "responds to an operation with its result and also sends it on the stream",
            |visit| {
                let body = r#"{"data":{"__typename":"Query"}}"#;
                let result = Plan::answer(200, "application/json", body);
                answer(visit).instead_of(202, || answer(visit).answering(result))
            },
        ),
        Mutant::new("graphql-result-lost", "accepts an operation and sends no result", |visit| {
            answer(visit).without("\"payload\"")
        }),
    ],
};

fn single_result(record: &Record<'_>) -> Verdict {
    let none = "no operation was sent with the token of an open stream";
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
            let message =
                format!("the response to the request contains the result: {}", shown(data));
            tally.fault(|| Fault::at(view, 0, message));
        } else if !has_result(record, view) {
            let message = "no result arrived on the stream of the reservation";
            tally.fault(|| Fault::whole(view, message));
        }
    })
}

/// Whether a result of the operation came on the stream; `graphql-sse/envelope` reports one without an
/// id or with a wrong id.
fn has_result(record: &Record<'_>, view: &View<'_>) -> bool {
    let id = operation_id(&view.request).map(Value::String).unwrap_or_default();
    let own = |json: &Value| json["id"] == id || !json["id"].is_string();
    stream_of(record, view).is_some_and(|stream| {
        messages(&stream).iter().any(|message| message.event != "complete" && own(&message.json))
    })
}

pub(super) const ENVELOPE: Rule = Rule {
    id: "graphql-sse/envelope",
    judge: envelope,
    mutants: &[
        Mutant::new(
            "graphql-single-bare-result",
            "sends results on the stream of a reservation without the id of the operation",
            |visit| {
                answer(visit).json(|_, event| {
                    if event.get("payload").is_some() {
                        *event = event["payload"].take();
                    }
                })
            },
        ),
        Mutant::new(
            "graphql-complete-without-id",
            "completes operations on the stream of a reservation without their id",
            |visit| {
                answer(visit).json(|_, event| {
                    if event.get("id").is_some() && event.get("payload").is_none() {
                        *event = json!({});
                    }
                })
            },
        ),
    ],
};

fn envelope(record: &Record<'_>) -> Verdict {
    let none = "no stream of a reservation carried an event";
    let wanted = |view: &View<'_>| is_single_stream(view) && is_reserved(record, view);
    each_reserved(record, "event", none, wanted, |view, tally| {
        let ids = asked_for(record, view);
        for message in messages(view) {
            // `graphql-sse/event-type` reports other types.
            if !matches!(message.event, "next" | "complete") {
                continue;
            }
            tally.look();
            if let Some(wrong) = wrong(&message, &ids) {
                tally.fault(|| Fault::at(view, message.offset, wrong));
            }
        }
    })
}

/// The operations that were requested with the token of the stream.
fn asked_for(record: &Record<'_>, stream: &View<'_>) -> BTreeSet<String> {
    let own = |view: &View<'_>| token(&view.request) == token(&stream.request);
    record.all().filter(own).filter_map(|view| operation_id(&view.request)).collect()
}

fn wrong(message: &Piece<'_>, ids: &BTreeSet<String>) -> Option<String> {
    let (event, json) = (message.event, &message.json);
    match &json["id"] {
        Value::String(id) if !ids.contains(id) => {
            Some(format!("the `{event}` is about operation {id:?}, which was not requested"))
        }
        Value::String(_) if event == "next" && json.get("payload").is_none() => {
            Some(format!("the `next` has no `payload`: {}", shown(json)))
        }
        Value::String(_) => None,
        Value::Null => Some(format!("the `{event}` names no operation: it has no `id`")),
        other => Some(format!("the `id` of the `{event}` is not a string: {}", shown(other))),
    }
}

pub(super) const INVALID_OPERATION: Rule = Rule {
    id: "graphql-sse/invalid-operation",
    judge: invalid_operation,
    mutants: &[
        Mutant::new(
            "graphql-single-invalid-202",
            "accepts an invalid operation with 202",
            |visit| {
                let is_it = is_invalid(visit.request);
                let plan = mistaken(visit, |request| {
                    if is_it && request.headers.has(TOKEN) {
                        let text = request.body.to_text();
                        request.body = text.replace(NO_FIELD, "__typename").into();
                    }
                });
                if is_it && status(&plan) == 202 {
                    // The operation has no results.
                    return plan.without("");
                }
                plan
            },
        ),
        Mutant::new(
            "graphql-single-invalid-untold",
            "refuses an invalid operation without a reason",
            |visit| {
                let plain = || Plan::answer(400, "text/plain", "Bad Request");
                let plan = answer(visit);
                if is_invalid(visit.request) { plan.instead_of(400, plain) } else { plan }
            },
        ),
    ],
};

fn invalid_operation(record: &Record<'_>) -> Verdict {
    let none = "no invalid operation was sent with a token";
    let wanted = |view: &View<'_>| {
        view.request.method == "POST" && is_reserved(record, view) && is_invalid(&view.request)
    };
    each_reserved(record, "invalid operation", none, wanted, |view, tally| {
        tally.look();
        let status = view.status().unwrap_or_default();
        let body = read(&String::from_utf8_lossy(&view.body_bytes())).unwrap_or_default();
        let has_errors =
            body["errors"].as_array().is_some_and(|errors: &Vec<Value>| !errors.is_empty());
        if has_errors {
            return;
        }
        let message =
            format!("an invalid operation is answered with {status}, without errors in the body");
        tally.fault(|| Fault::new(view, Place::StatusLine, message));
    })
}

pub(super) const DELETE: Rule = Rule {
    id: "graphql-sse/delete",
    judge: delete,
    mutants: &[Mutant::new("graphql-delete-405", "has no DELETE", |visit| {
        let refusal = Plan::answer(405, "text/plain", "method not allowed\n");
        but_to("DELETE", refusal.with_header("Allow", "GET, POST, PUT"), answer, visit)
    })],
};

fn delete(record: &Record<'_>) -> Verdict {
    let none = "no DELETE was answered";
    let wanted = |view: &View<'_>| view.request.method == "DELETE" && is_reserved(record, view);
    each_reserved(record, "DELETE", none, wanted, |view, tally| {
        tally.look();
        let status = view.status().unwrap_or_default();
        let state = state(record, view);
        match status {
            200..300 => {}
            // The server may have forgotten a completed operation.
            404 | 410 if state == State::Over => {}
            _ => {
                let message = format!("DELETE is answered with {status}");
                tally.fault(|| Fault::new(view, Place::StatusLine, message));
                return;
            }
        }
        if let State::Runs(number, offset) = state {
            let message = "the operation sends results after a DELETE stopped it";
            let fault = Fault {
                exchange: number,
                place: Place::Body(offset),
                ..Fault::whole(view, message)
            };
            tally.fault(|| fault);
        }
    })
}

/// The state of the operation after a DELETE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It was completed before.
    Over,
    Stopped,
    /// It continues: the exchange and the offset of a later result.
    Runs(usize, u64),
}

fn state(record: &Record<'_>, view: &View<'_>) -> State {
    let id = parameter(&view.request, "operationId").unwrap_or_default();
    let Some(stream) = stream_of(record, view) else { return State::Stopped };
    let own = messages(&stream).into_iter().filter(|message| message.json["id"] == id);
    let answered = view.head.as_ref().map_or(view.end.at, |head| head.at);
    for message in own {
        let at = stream.arrival(message.offset);
        if message.event == "complete" && at <= view.started {
            return State::Over;
        }
        if message.event == "next" && at > answered + UNDER_WAY {
            return State::Runs(stream.number, message.offset);
        }
    }
    State::Stopped
}
