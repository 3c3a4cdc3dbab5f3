//! The rules on the events of a stream.

use std::collections::BTreeSet;

use serde_json::json;
use sseproof_codec::AnomalyKind;

use super::reference::answer;
use super::traffic::{each, is_open_stream, is_single_stream, messages};
use crate::profile::events::{Piece, is_ended};
use crate::profile::look::answered;
use crate::profile::table::Must::{Be, HaveOneOf};
use crate::profile::table::{FILLED, OBJECT, Row, Scope, TEXT, each as every};
use crate::profile::written::{Changed, Written};
use crate::stream::tally::Tally;
use crate::{Fault, Mutant, Record, Rule, Verdict, View};

pub(super) const EVENT_TYPE: Rule = Rule {
    id: "graphql-sse/event-type",
    judge: event_type,
    mutants: &[
        Mutant::new(
            "graphql-next-unnamed",
            "sends results without an event type, as servers did before the protocol existed",
            |visit| {
                answer(visit).events(|_, event| match event.event.as_deref() {
                    Some("next") => vec![Written { event: None, ..event }],
                    _ => vec![event],
                })
            },
        ),
        Mutant::new("graphql-ping-as-event", "keeps the connection alive with an event", |visit| {
            let ping = Written::named("ping", "{}");
            answer(visit).events(|index, event| match index {
                0 => vec![ping.clone(), event],
                _ => vec![event],
            })
        }),
    ],
};

fn event_type(record: &Record<'_>) -> Verdict {
    each(record, "event", "no stream carried an event", is_open_stream, |view, tally| {
        for message in messages(view) {
            tally.look();
            let wrong = match message.event {
                "next" | "complete" => continue,
                "message" => "the event has no `event` field".to_owned(),
                other => format!("the event has the type `{other}`"),
            };
            tally.fault(|| Fault::at(view, message.offset, wrong));
        }
    })
}

/// The members of an execution result; the last four are for incremental delivery.
const MEMBERS: &[&str] = &["data", "errors", "incremental", "hasNext", "pending", "completed"];

pub(super) const NEXT_RESULT: Rule = Rule {
    id: "graphql-sse/next-result",
    judge: |record| results(record, &[every("", Be(OBJECT)), every("", HaveOneOf(MEMBERS))]),
    mutants: &[
        Mutant::new(
            "graphql-bare-data",
            "sends the data of a result without the result around it",
            |visit| {
                answer(visit).json(|_, event| match event.get("payload") {
                    Some(result) => event["payload"] = result["data"].clone(),
                    None if event.get("data").is_some() => *event = event["data"].clone(),
                    None => {}
                })
            },
        ),
        Mutant::new(
            "graphql-next-no-json",
            "sends results as the language prints them, not as JSON",
            |visit| {
                answer(visit).events(|_, mut event| {
                    if event.data.starts_with("{\"data\"") {
                        event.data = event.data.replace('"', "'");
                    }
                    vec![event]
                })
            },
        ),
    ],
};

pub(super) const ERROR_OBJECT: Rule = Rule {
    id: "graphql-sse/error-object",
    judge: |record| {
        let scope = Scope {
            of: |view| {
                let results = (RESULTS.of)(view).into_iter();
                results.filter(|result| result.json.get("errors").is_some()).collect()
            },
            ..RESULTS.counting("list of errors", "no result had `errors`")
        };
        let rows = [every("errors", Be(FILLED)), every("errors.*.message", Be(TEXT))];
        scope.judge_all(&answered(record, is_open_stream), &rows)
    },
    mutants: &[
        Mutant::new("graphql-errors-as-texts", "sends errors as plain strings", |visit| {
            answer(visit).json(|_, event| {
                if let Some(message) = event["errors"][0]["message"].as_str() {
                    event["errors"] = json!([message]);
                }
            })
        }),
        Mutant::new(
            "graphql-empty-errors",
            "sends an empty list of errors with each result",
            |visit| {
                answer(visit).json(|_, event| {
                    let result =
                        if event.get("payload").is_some() { &mut event["payload"] } else { event };
                    if result.get("data").is_some() {
                        result["errors"] = json!([]);
                    }
                })
            },
        ),
    ],
};

/// The results; `graphql-sse/envelope` reports an event without a payload.
const RESULTS: Scope = Scope {
    noun: "result",
    none: "no stream carried a `next`",
    name: "the result",
    of: |view| {
        let nexts = messages(view).into_iter().filter(|message| message.event == "next");
        let results = nexts.filter_map(|message| match is_single_stream(view) {
            true => message.json.get("payload").map(|result| message.part(result)),
            false => Some(message),
        });
        results.collect()
    },
};

fn results(record: &Record<'_>, rows: &[Row]) -> Verdict {
    RESULTS.judge_all(&answered(record, is_open_stream), rows)
}

pub(super) const COMPLETE_LAST: Rule = Rule {
    id: "graphql-sse/complete-last",
    judge: complete_last,
    mutants: &[
        Mutant::new(
            "graphql-no-complete",
            "ends the stream of an operation without `complete`",
            |visit| answer(visit).without("complete"),
        ),
        Mutant::new("graphql-complete-twice", "completes each operation twice", |visit| {
            answer(visit).twice("complete")
        }),
        Mutant::new("graphql-next-behind-complete", "sends a result after `complete`", |visit| {
            let late = r#"{"data":{"__typename":"Query"}}"#;
            answer(visit).events(|_, event| match event.data.as_str() {
                "" => vec![event, Written::named("next", late)],
                _ => vec![event],
            })
        }),
    ],
};

fn complete_last(record: &Record<'_>) -> Verdict {
    let none = "no operation was read to its end";
    each(record, "operation", none, is_open_stream, |view, tally| {
        let messages = messages(view);
        after_complete(view, &messages, tally);
        let completed = messages.iter().any(|message| message.event == "complete");
        let cut = !is_ended(view) || messages.is_empty();
        if !completed && !cut && !is_single_stream(view) && !is_mangled(view) {
            tally.look();
            let message = "the stream ends without `complete`";
            tally.fault(|| Fault::at(view, view.body_len(), message));
        }
    })
}

/// Judges events after the end of an operation; one connection may carry several operations.
fn after_complete(view: &View<'_>, messages: &[Piece<'_>], tally: &mut Tally) {
    let mut completed = BTreeSet::new();
    for message in messages.iter().filter(|message| is_known(message)) {
        let id =
            if is_single_stream(view) { message.json["id"].to_string() } else { String::new() };
        if completed.contains(&id) {
            let of = if id.is_empty() { String::new() } else { format!(" of operation {id}") };
            let wrong = format!("a `{}`{of} comes after its `complete`", message.event);
            tally.fault(|| Fault::at(view, message.offset, wrong));
        } else if message.event == "complete" {
            tally.look();
            completed.insert(id);
        }
    }
}

fn is_known(message: &Piece<'_>) -> bool {
    matches!(message.event, "next" | "complete")
}

/// Whether a `complete` is malformed, so that no client recognizes it: rules on the stream format
/// report that.
fn is_mangled(view: &View<'_>) -> bool {
    let body = view.body_bytes();
    let text = String::from_utf8_lossy(&body);
    text.contains("complete")
        || view.anomalies().any(|anomaly| anomaly.kind == AnomalyKind::UnterminatedBlock)
}
