//! The rules on the messages of a stream.

use serde_json::{Value, json};
use sseproof_http::{Action, Plan};
use sseproof_record::Ending;

use super::answer;
use super::traffic::{
    asked, each, each_answer, is_request, is_response, messages, session, version,
};
use crate::profile::events::{Piece, is_ended};
use crate::profile::json::shown;
use crate::profile::written::{Changed, Written};
use crate::stream::quoted;
use crate::stream::tally::Tally;
use crate::timing::OPEN_AFTER_RESPONSE;
use crate::{Fault, Mutant, Record, Rule, Verdict, View};

/// A text in the second message that the tool of the reference sends.
const SECOND: &str = "\"progress\":2";
/// A text in the response.
const RESULT: &str = "\"result\"";

pub(super) const MESSAGE: Rule = Rule {
    id: "mcp/message",
    judge: message,
    mutants: &[
        Mutant::new("mcp-no-jsonrpc", "omits `jsonrpc` in progress notifications", |visit| {
            answer(visit).set("notifications/progress", "/jsonrpc", Value::Null)
        }),
        Mutant::new(
            "mcp-ping-as-event",
            "keeps the connection alive with an event that is not a message",
            |visit| answer(visit).preceded_by(SECOND, &Written::data("ping")),
        ),
    ],
};

fn message(record: &Record<'_>) -> Verdict {
    let is_stream = |view: &View<'_>| view.is_stream();
    each(record, "message", "no stream carried a message", is_stream, |view, tally| {
        for message in messages(view) {
            tally.look();
            let json = &message.json;
            let wrong = match json {
                Value::Null => format!("the data is not JSON: {}", quoted(message.data.as_bytes())),
                _ if json["jsonrpc"] != "2.0" => {
                    format!("the message has no `\"jsonrpc\":\"2.0\"`: {}", shown(json))
                }
                _ if !json["method"].is_string() && !is_response(json) => {
                    format!("the message has no `method`, `result` or `error`: {}", shown(json))
                }
                _ => continue,
            };
            tally.fault(|| Fault::at(view, message.offset, wrong));
        }
    })
}

pub(super) const FOREIGN_RESPONSE: Rule = Rule {
    id: "mcp/foreign-response",
    judge: foreign_response,
    mutants: &[
        Mutant::new(
            "mcp-id-as-text",
            "answers a request whose id is a number with the same id as a string",
            |visit| answer(visit).changed(RESULT, "/id", |id| json!(id.to_string())),
        ),
        Mutant::new(
            "mcp-response-of-another",
            "also sends the response to another request on the stream",
            |visit| {
                let other = r#"{"jsonrpc":"2.0","id":987,"result":{}}"#;
                answer(visit).preceded_by(SECOND, &Written::data(other))
            },
        ),
    ],
};

fn foreign_response(record: &Record<'_>) -> Verdict {
    each_answer(record, "response", "no stream carried a response", |view, tally| {
        let wanted = &asked(view)["id"];
        for message in messages(view).iter().filter(|message| is_response(&message.json)) {
            tally.look();
            let id = &message.json["id"];
            // A server may report an error before it knows the id.
            let unknown = id.is_null() && message.json.get("error").is_some();
            if id != wanted && !unknown {
                let id =
                    if id.is_null() { "no id".to_owned() } else { format!("the id {}", shown(id)) };
                let wrong = format!("the response to request {wanted} has {id}");
                tally.fault(|| Fault::at(view, message.offset, wrong));
            }
        }
    })
}

pub(super) const SERVER_REQUEST: Rule = Rule {
    id: "mcp/server-request",
    judge: server_request,
    mutants: &[Mutant::new(
        "mcp-asks-on-stream",
        "asks the client for a sample on the stream of its request",
        |visit| {
            let ask =
                r#"{"jsonrpc":"2.0","id":"s1","method":"sampling/createMessage","params":{}}"#;
            answer(visit).preceded_by(SECOND, &Written::data(ask))
        },
    )],
};

fn server_request(record: &Record<'_>) -> Verdict {
    each_answer(record, "message", "no stream carried a message", |view, tally| {
        for message in messages(view) {
            tally.look();
            let method = &message.json["method"];
            if method.is_string() && !message.json["id"].is_null() {
                let wrong = format!("the server sends a request: {}", shown(method));
                tally.fault(|| Fault::at(view, message.offset, wrong));
            }
        }
    })
}

pub(super) const RESPONSE_PRESENT: Rule = Rule {
    id: "mcp/response-told",
    judge: response_present,
    mutants: &[Mutant::new(
        "mcp-no-response",
        "ends the stream of a request after the progress, without the response",
        |visit| {
            answer(visit).without(RESULT).replaced("", |event| match event.data.as_str() {
                "" => Vec::new(),
                _ => vec![Written { id: None, ..event }],
            })
        },
    )],
};

fn response_present(record: &Record<'_>) -> Verdict {
    // From then on a server may close the connection early, once the client has an id to resume after.
    let may_poll = &*version(record) >= "2025-11-25";
    let has_id = |view: &View<'_>| view.events().any(|(event, _)| event.sets_id);
    let has_response =
        |view: &View<'_>| messages(view).iter().any(|message| is_response(&message.json));
    let is_early =
        |view: &View<'_>| is_ended(view) && !has_response(view) && may_poll && has_id(view);
    let is_answer = |view: &View<'_>| is_request(view) && view.is_stream();
    let none = match record.all().any(|view| is_answer(&view) && is_early(&view)) {
        true => {
            "the server ended each stream early, after an id with which its client can resume it"
        }
        false => "no stream of a request was read to its end",
    };
    each_answer(record, "stream", none, |view, tally| {
        if !is_ended(view) || is_early(view) {
            return;
        }
        tally.look();
        if !has_response(view) {
            let message = "the stream ends without the response";
            tally.fault(|| Fault::at(view, view.body_len(), message));
        }
    })
}

pub(super) const RESPONSE_LAST: Rule = Rule {
    id: "mcp/response-last",
    judge: response_last,
    mutants: &[
        Mutant::new("mcp-response-twice", "sends the response twice", |visit| {
            let twice = |event: Written| vec![event.clone(), Written { id: None, ..event }];
            answer(visit).replaced(RESULT, twice)
        }),
        Mutant::new(
            "mcp-progress-behind-response",
            "sends a notification after the response",
            |visit| {
                let late = r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"done"}}"#;
                answer(visit).followed_by(RESULT, &Written::data(late))
            },
        ),
        Mutant::new("mcp-stays-open", "leaves the stream open after the response", |visit| {
            let plan = answer(visit);
            let is_stream = plan.actions.iter().any(|action| matches!(action, Action::Wait(_)));
            let open = |action| match action {
                Action::Finish if is_stream => Action::Hold,
                action => action,
            };
            Plan { actions: plan.actions.into_iter().map(open).collect() }
        }),
    ],
};

fn response_last(record: &Record<'_>) -> Verdict {
    let none = "no stream carried a response";
    let wanted = |view: &View<'_>| view.is_stream() && (is_request(view) || resumes(view));
    each(record, "response", none, wanted, |view, tally| {
        let messages = messages(view);
        let resumed = resumed(record, view);
        let is_resumed = resumed.is_some();
        // `mcp/foreign-response` judges responses with another id.
        let id = &asked(&resumed.unwrap_or(*view))["id"];
        let is_own = |message: &Piece<'_>| is_response(&message.json) && message.json["id"] == *id;
        let Some(first) = messages.iter().position(is_own) else { return };
        tally.look();
        // `mcp/resume` and `mcp/resume-apart` judge the messages of a replay.
        if is_resumed {
            open_after(view, messages[first].offset, "the resumed stream", tally);
            return;
        }
        if let Some(late) = messages.get(first + 1) {
            // A batch is one event, in any order.
            if late.offset != messages[first].offset {
                let what = if is_response(&late.json) { "a second response" } else { "a message" };
                let message = format!("{what} comes after the response");
                tally.fault(|| Fault::at(view, late.offset, message));
            }
            return;
        }
        open_after(view, messages[first].offset, "the stream", tally);
    })
}

/// Whether it is a GET that resumes a stream.
fn resumes(view: &View<'_>) -> bool {
    view.request.method == "GET" && view.request.last_event_id().is_some()
}

/// The request whose stream this GET resumes.
fn resumed<'r>(record: &'r Record<'_>, view: &View<'_>) -> Option<View<'r>> {
    let last = view.request.last_event_id().filter(|_| resumes(view))?.to_text();
    record.all().find(|other| {
        other.number < view.number
            && is_request(other)
            && session(other) == session(view)
            && other.events().any(|(event, _)| event.sets_id && event.last_event_id == last)
    })
}

/// A fault if the server left the stream open after the response, which came at this offset.
fn open_after(view: &View<'_>, offset: u64, what: &str, tally: &mut Tally) {
    let open = view.end.at.saturating_sub(view.arrival(offset));
    if view.end.how == Ending::Disconnected && open >= OPEN_AFTER_RESPONSE {
        let message = format!("{what} is still open {} s after the response", open.as_secs());
        tally.fault(|| Fault::at(view, offset, message));
    }
}
