//! The rules on single members of the events, on their order, and on a refusal.

use serde_json::{Value, json};
use sseproof_http::Plan;

use super::NEEDED;
use super::reference::answer;
use crate::profile::events::{Piece, each as each_stream, names, typed};
use crate::profile::refused;
use crate::profile::table::Must::{Be, BeOneOf, ComeFirst, ComeLast, MayBe};
use crate::profile::table::{EMPTY, EVENTS, NAME, NUMBER, OBJECT, Scope, TEXT, TYPED, each, on};
use crate::profile::written::{Changed, Written, stream};
use crate::{Fault, Mutant, Record, Rule, Verdict};

const START: &[&str] = &["message_start"];

pub(super) const EVENT_OBJECT: Rule = Rule {
    id: "anthropic-messages/event-object",
    judge: |record| EVENTS.judge(record, &[each("", Be(OBJECT)), each("type", Be(NAME))]),
    mutants: &[
        Mutant::new("empty-ping", "keeps the connection alive with an empty object", |visit| {
            answer(visit).preceded_by("ping", &Written::named("ping", json!({})))
        }),
        Mutant::new("token-as-text", "sends a token as text and not as an event", |visit| {
            answer(visit).preceded_by("ping", &Written::named("content_block_delta", "Good"))
        }),
    ],
};

pub(super) const EVENT_NAME: Rule = Rule {
    id: "anthropic-messages/event-name",
    judge: names,
    mutants: &[Mutant::new(
        "unnamed-message-events",
        "writes the events of a message without a name",
        |visit| answer(visit).replaced("", |event| vec![Written { event: None, ..event }]),
    )],
};

pub(super) const MESSAGE_START: Rule = Rule {
    id: "anthropic-messages/message-start",
    judge: |record| {
        // An error may come first.
        let first = ComeFirst { aside: &["ping", "error"], or: &[] };
        // `anthropic-messages/needed-members` reports a start without `content`.
        let rows = [on(START, "", first), on(START, "message.content", MayBe(EMPTY))];
        TYPED.counting("message", TYPED.none).judge(record, &rows)
    },
    mutants: &[
        Mutant::new(
            "no-message-start",
            "begins with the first block and never starts the message",
            |visit| answer(visit).without("message_start"),
        ),
        Mutant::new(
            "content-in-start",
            "starts the message with a block in its content, and then sends it",
            |visit| {
                let content = json!([{ "type": "text", "text": "" }]);
                answer(visit).set("message_start", "/message/content", content)
            },
        ),
    ],
};

pub(super) const MESSAGE_DELTA: Rule = Rule {
    id: "anthropic-messages/message-delta",
    judge: message_delta,
    mutants: &[
        Mutant::new("no-message-delta", "stops a message without a `message_delta`", |visit| {
            answer(visit).without("message_delta")
        }),
        Mutant::new("stop-without-reason", "never says why a message stops", |visit| {
            answer(visit).set("message_delta", "/delta/stop_reason", Value::Null)
        }),
    ],
};

fn message_delta(record: &Record<'_>) -> Verdict {
    let none = "no stream carried `message_stop`";
    each_stream(record, "message", none, |view, pieces, tally| {
        let Some(stop) = pieces.iter().position(|piece| piece.kind == "message_stop") else {
            return;
        };
        tally.look();
        let mut deltas = pieces[..stop].iter().filter(|piece| piece.kind == "message_delta");
        let wrong = match deltas.clone().count() {
            0 => "the message stops without a `message_delta`",
            _ if deltas.any(|piece| piece.json["delta"]["stop_reason"].is_string()) => return,
            _ => "the message stops, but no `message_delta` has a `stop_reason`",
        };
        tally.fault(|| Fault::at(view, pieces[stop].offset, wrong));
    })
}

pub(super) const MESSAGE_STOP: Rule = Rule {
    id: "anthropic-messages/message-stop",
    judge: |record| {
        let last = ComeLast(|_, late| matches!(late, "ping" | "error"));
        let none = "no stream of a message was read to its end";
        TYPED.counting("end", none).judge(record, &[on(&["message_stop", "error"], "", last)])
    },
    mutants: &[
        Mutant::new("no-message-stop", "ends the response without stopping the message", |visit| {
            answer(visit).without("message_stop")
        }),
        Mutant::new("message-stops-twice", "stops a message twice", |visit| {
            answer(visit).twice("message_stop")
        }),
    ],
};

pub(super) const USAGE: Rule = Rule {
    id: "anthropic-messages/usage-told",
    judge: |record| {
        let rows = [
            on(START, "message.usage.input_tokens", Be(NUMBER)),
            on(&["message_delta"], "usage.output_tokens", Be(NUMBER)),
        ];
        // `anthropic-messages/needed-members` reports a missing `usage`.
        let scope = Scope {
            none: "no stream carried the usage of a message",
            of: |view| {
                let is_used = |piece: &Piece<'_>| match &*piece.kind {
                    "message_start" => piece.json["message"]["usage"].is_object(),
                    _ => piece.json["usage"].is_object(),
                };
                typed(view).into_iter().filter(is_used).collect()
            },
            ..TYPED
        };
        scope.judge(record, &rows)
    },
    mutants: &[Mutant::new(
        "message-without-tokens",
        "sends the usage of a message without the number of output tokens",
        |visit| answer(visit).set("message_delta", "/usage/output_tokens", Value::Null),
    )],
};

pub(super) const ERROR_OBJECT: Rule = Rule {
    id: "anthropic-messages/error-object",
    judge: |record| {
        let rows =
            [on(&["error"], "error.type", Be(TEXT)), on(&["error"], "error.message", Be(TEXT))];
        TYPED.counting("error", "no stream reported an error").judge(record, &rows)
    },
    mutants: &[Mutant::new(
        "message-error-as-text",
        "sends an error in mid-stream as a string",
        |visit| {
            let error = json!({ "type": "error", "error": "gone" });
            answer(visit).broken_off(4, &Written::named("error", error))
        },
    )],
};

pub(super) const REFUSED_STATUS: Rule = Rule {
    id: "anthropic-messages/refused-status",
    judge: |record| refused::status(record, NEEDED),
    mutants: &[Mutant::new(
        "message-refusal-as-stream",
        "answers a request that it cannot serve with 200 and a stream with the error",
        |visit| {
            let error =
                r#"{"type":"error","error":{"type":"invalid_request_error","message":"no"}}"#;
            let events = [Written::named("error", error)];
            answer(visit).instead_of(400, || stream(visit, events))
        },
    )],
};

pub(super) const ERROR_BODY: Rule = Rule {
    id: "anthropic-messages/error-body",
    judge: |record| {
        let rows = [
            each("type", BeOneOf(&["error"])),
            each("error.type", Be(TEXT)),
            each("error.message", Be(TEXT)),
        ];
        refused::body(record, NEEDED, &rows)
    },
    mutants: &[Mutant::new(
        "message-detail-of-framework",
        "refuses a request with the error of its framework, as `{\"detail\":…}`",
        |visit| {
            let detail = r#"{"detail":"field required"}"#;
            answer(visit).instead_of(400, || Plan::answer(422, "application/json", detail))
        },
    )],
};
