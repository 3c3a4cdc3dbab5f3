//! The rules on single members of a chunk, and of a refusal.

use serde_json::{Value, json};
use sseproof_http::Plan;

use super::chunks::{CHOICES, CHUNK, CHUNKS, ERRORS, EVENTS, NO_CHUNK, TEXT as NO_JSON};
use super::{NEEDED, choices, reference::answer};
use crate::profile::refused;
use crate::profile::table::Must::{Be, BeOneOf, Count, MayBe, Stay};
use crate::profile::table::{Kind, LIST, NAME, OBJECT, TEXT, each, on};
use crate::profile::written::{Changed, Written, stream};
use crate::{Mutant, Rule};

const SECONDS: Kind = Kind("a whole number of seconds", Value::is_u64);

pub(super) const CHUNK_OBJECT: Rule = Rule {
    id: "openai-chat/chunk-object",
    judge: |record| {
        let rows = [
            each("", Count),
            on(&[CHUNK, NO_JSON], "", Be(OBJECT)),
            on(&[CHUNK], "object", BeOneOf(&["chat.completion.chunk"])),
            on(&[CHUNK], "choices", Be(LIST)),
        ];
        EVENTS.judge(record, &rows)
    },
    mutants: &[
        Mutant::new("bare-tokens", "sends each token as text and not as a chunk", |visit| {
            answer(visit).followed_by("\"content\":\"Good\"", &Written::data("Good"))
        }),
        Mutant::new(
            "whole-object",
            "calls its chunks `chat.completion`, as an answer in one piece is called",
            |visit| answer(visit).set("", "/object", "chat.completion"),
        ),
        Mutant::new(
            "ping-as-data",
            "keeps the connection alive with an event of another shape",
            |visit| {
                let ping = Written::data(json!({ "type": "ping" }));
                answer(visit).preceded_by("\"content\":\" morning\"", &ping)
            },
        ),
    ],
};

pub(super) const SAME_ID: Rule = Rule {
    id: "openai-chat/same-id",
    judge: |record| CHUNKS.judge(record, &[each("id", Stay(NAME))]),
    mutants: &[Mutant::new("id-per-chunk", "makes a new completion id for each chunk", |visit| {
        answer(visit).json(|index, chunk| chunk["id"] = json!(format!("chatcmpl-{index}")))
    })],
};

pub(super) const SAME_CREATED: Rule = Rule {
    id: "openai-chat/same-created",
    judge: |record| CHUNKS.judge(record, &[each("created", Stay(SECONDS))]),
    mutants: &[
        Mutant::new("created-per-chunk", "reads the clock for each chunk", |visit| {
            answer(visit).json(|index, chunk| chunk["created"] = json!(1_700_000_000 + index / 3))
        }),
        Mutant::new(
            "created-with-fraction",
            "writes `created` as the clock gives it, with a fraction",
            |visit| answer(visit).set("", "/created", 1_700_000_000.25),
        ),
    ],
};

pub(super) const SAME_MODEL: Rule = Rule {
    id: "openai-chat/same-model",
    judge: |record| CHUNKS.judge(record, &[each("model", Stay(NAME))]),
    mutants: &[Mutant::new(
        "model-changes",
        "names an alias in the first chunk and its model in the others",
        |visit| {
            answer(visit).set("", "/model", "model-2024-07-18").set(
                "\"role\":\"assistant\"",
                "/model",
                "latest",
            )
        },
    )],
};

pub(super) const DELTA_CONTENT: Rule = Rule {
    id: "openai-chat/delta-content",
    judge: |record| {
        let rows = [each("delta", Be(OBJECT)), each("delta.content", MayBe(TEXT))];
        CHOICES.counting("delta", NO_CHUNK).judge(record, &rows)
    },
    mutants: &[
        Mutant::new(
            "message-for-delta",
            "calls the delta `message`, as in an answer in one piece",
            |visit| {
                choices(visit, |choice| {
                    // The first one, with the role, stays.
                    let delta = &choice["delta"];
                    if delta["content"].is_string() && delta["role"].is_null() {
                        choice["message"] = choice["delta"].take();
                    }
                })
            },
        ),
        Mutant::new(
            "content-in-parts",
            "sends content as a list of parts, as a request may have it",
            |visit| {
                choices(visit, |choice| {
                    if let Some(text) = choice["delta"]["content"].as_str() {
                        choice["delta"]["content"] = json!([{ "type": "text", "text": text }]);
                    }
                })
            },
        ),
    ],
};

pub(super) const ERROR_OBJECT: Rule = Rule {
    id: "openai-chat/error-object",
    judge: |record| {
        let rows = [each("error", Be(OBJECT)), each("error.message", Be(TEXT))];
        ERRORS.judge(record, &rows)
    },
    mutants: &[Mutant::new(
        "error-as-text",
        "sends an error in mid-stream as `{\"error\":\"…\"}`",
        |visit| {
            let error = Written::data(json!({ "error": "the model is gone" }));
            answer(visit).broken_off(4, &error)
        },
    )],
};

pub(super) const REFUSED_STATUS: Rule = Rule {
    id: "openai-chat/refused-status",
    judge: |record| refused::status(record, NEEDED),
    mutants: &[Mutant::new(
        "error-as-stream",
        "answers a request that it cannot serve with 200 and a stream with the error",
        |visit| {
            let error = r#"{"error":{"message":"no messages","type":"invalid_request_error"}}"#;
            let events = [Written::data(error), Written::data("[DONE]")];
            answer(visit).instead_of(400, || stream(visit, events))
        },
    )],
};

pub(super) const ERROR_BODY: Rule = Rule {
    id: "openai-chat/error-body",
    judge: |record| refused::body(record, NEEDED, &[each("error.message", Be(TEXT))]),
    mutants: &[Mutant::new(
        "detail-of-framework",
        "refuses a request with the error of its framework, as `{\"detail\":…}`",
        |visit| {
            let detail = r#"{"detail":[{"loc":["body","messages"],"msg":"field required"}]}"#;
            answer(visit).instead_of(400, || Plan::answer(422, "application/json", detail))
        },
    )],
};
