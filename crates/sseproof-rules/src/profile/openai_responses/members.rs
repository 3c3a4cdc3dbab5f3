//! The rules on single members of the events, on their order, and on a refusal.

use serde_json::{Value, json};
use sseproof_http::Plan;

use super::reference::answer;
use super::{NEEDED, numbered};
use crate::profile::events::{names, typed};
use crate::profile::refused;
use crate::profile::table::Must::{Be, BeOneOf, ComeFirst, ComeLast, CountUp, Stay};
use crate::profile::table::{EVENTS, NAME, NUMBER, OBJECT, Scope, TEXT, TYPED, each, on};
use crate::profile::written::{Changed, Written, stream};
use crate::{Mutant, Rule};

const NO_RESPONSE: &str = "no stream carried an event with the response";
/// The events with a response; `openai-responses/needed-members` reports those that lack it.
const WITH_RESPONSE: Scope = Scope {
    noun: "event",
    none: NO_RESPONSE,
    name: "",
    of: |view| typed(view).into_iter().filter(|piece| piece.json["response"].is_object()).collect(),
};
const COMPLETED: &[&str] = &["response.completed"];
/// The types of the events that end a response.
const TERMINAL: &[&str] =
    &["response.completed", "response.failed", "response.incomplete", "error"];

pub(super) const EVENT_OBJECT: Rule = Rule {
    id: "openai-responses/event-object",
    judge: |record| EVENTS.judge(record, &[each("", Be(OBJECT)), each("type", Be(NAME))]),
    mutants: &[
        Mutant::new(
            "untyped-ping",
            "keeps the connection alive with an object that has no type",
            |visit| {
                let ping = Written::data(json!({ "ping": true }));
                answer(visit)
                    .preceded_by("\"delta\":\" morning\"", &ping)
                    .preceded_by("\"ty\\\":\"", &ping)
            },
        ),
        Mutant::new("ping-as-text", "keeps the connection alive with data not in JSON", |visit| {
            answer(visit).preceded_by("\"delta\":\" morning\"", &Written::data("ping"))
        }),
    ],
};

pub(super) const EVENT_NAME: Rule = Rule {
    id: "openai-responses/event-name",
    judge: names,
    mutants: &[
        Mutant::new("unnamed-events", "writes its events without a name", |visit| {
            answer(visit).replaced("", |event| vec![Written { event: None, ..event }])
        }),
        Mutant::new(
            "names-without-prefix",
            "names its events without the prefix that their type has",
            |visit| {
                answer(visit).replaced("", |event| {
                    let name = event.event.as_deref().unwrap_or_default();
                    let short = name.trim_start_matches("response.").to_owned();
                    vec![Written { event: Some(short), ..event }]
                })
            },
        ),
    ],
};

pub(super) const SEQUENCE: Rule = Rule {
    id: "openai-responses/sequence",
    judge: |record| TYPED.judge(record, &[each("sequence_number", CountUp)]),
    mutants: &[
        Mutant::new(
            "sequence-stands-still",
            "writes the same sequence_number into each event",
            |visit| answer(visit).set("", "/sequence_number", 0),
        ),
        Mutant::new("sequence-without-deltas", "does not count the deltas", |visit| {
            numbered(answer(visit).json(|_, event| {
                if event["delta"].is_string() {
                    event["sequence_number"] = Value::Null;
                }
            }))
        }),
    ],
};

pub(super) const CREATED_FIRST: Rule = Rule {
    id: "openai-responses/created-first",
    judge: |record| {
        // A response that fails before its creation has no other event.
        let first = ComeFirst { aside: &[], or: &["error"] };
        let scope = TYPED.counting("response", TYPED.none);
        scope.judge(record, &[on(&["response.created"], "", first)])
    },
    mutants: &[
        Mutant::new(
            "no-created",
            "begins with `response.in_progress` and never sends `response.created`",
            |visit| numbered(answer(visit).without("response.created")),
        ),
        Mutant::new("created-twice", "sends `response.created` twice", |visit| {
            numbered(answer(visit).twice("response.created"))
        }),
    ],
};

pub(super) const SAME_RESPONSE: Rule = Rule {
    id: "openai-responses/same-response",
    judge: |record| WITH_RESPONSE.judge(record, &[each("response.id", Stay(TEXT))]),
    mutants: &[Mutant::new(
        "response-id-per-event",
        "makes a new response id for each event that carries the response",
        |visit| {
            let mut count = 0;
            answer(visit).changed("\"response\":{", "/response/id", |_| {
                count += 1;
                json!(format!("resp_{count}"))
            })
        },
    )],
};

pub(super) const STATUS: Rule = Rule {
    id: "openai-responses/status",
    judge: |record| {
        let rows = [
            on(&["response.created"], "response.status", BeOneOf(&["in_progress", "queued"])),
            on(&["response.queued"], "response.status", BeOneOf(&["queued"])),
            on(&["response.in_progress"], "response.status", BeOneOf(&["in_progress"])),
            on(COMPLETED, "response.status", BeOneOf(&["completed"])),
            on(&["response.failed"], "response.status", BeOneOf(&["failed"])),
            on(&["response.incomplete"], "response.status", BeOneOf(&["incomplete"])),
        ];
        WITH_RESPONSE.judge(record, &rows)
    },
    mutants: &[Mutant::new(
        "completed-in-progress",
        "sends `response.completed` with a response that is in progress",
        |visit| answer(visit).set("response.completed", "/response/status", "in_progress"),
    )],
};

pub(super) const TERMINAL_LAST: Rule = Rule {
    id: "openai-responses/terminal-last",
    judge: |record| {
        // After `error` clients still accept the failed response.
        let last = ComeLast(|end, late| end == "error" && TERMINAL.contains(&late));
        let none = "no stream of a response was read to its end";
        TYPED.counting("end", none).judge(record, &[on(TERMINAL, "", last)])
    },
    mutants: &[
        Mutant::new(
            "no-terminal-event",
            "ends the stream after its last item and never sends `response.completed`",
            |visit| answer(visit).without("response.completed"),
        ),
        Mutant::new("completed-twice", "completes a response twice", |visit| {
            numbered(answer(visit).twice("response.completed"))
        }),
    ],
};

pub(super) const USAGE: Rule = Rule {
    id: "openai-responses/usage-told",
    judge: |record| {
        let rows = [
            on(COMPLETED, "response.usage", Be(OBJECT)),
            on(COMPLETED, "response.usage.input_tokens", Be(NUMBER)),
            on(COMPLETED, "response.usage.output_tokens", Be(NUMBER)),
            on(COMPLETED, "response.usage.total_tokens", Be(NUMBER)),
        ];
        let none = "no stream carried `response.completed`";
        WITH_RESPONSE.counting("response", none).judge(record, &rows)
    },
    mutants: &[Mutant::new(
        "completed-without-usage",
        "completes a response without its usage",
        |visit| answer(visit).set("", "/response/usage", Value::Null),
    )],
};

pub(super) const ERROR_OBJECT: Rule = Rule {
    id: "openai-responses/error-object",
    judge: |record| {
        let rows = [
            on(&["error"], "message|error.message", Be(TEXT)),
            on(&["response.failed"], "response.error.message", Be(TEXT)),
        ];
        TYPED.counting("error", "no stream reported an error").judge(record, &rows)
    },
    mutants: &[Mutant::new(
        "error-without-message",
        "ends with an error event that has a detail and no message",
        |visit| {
            let error = json!({
                "type": "error", "code": null, "param": null, "detail": "gone",
                "sequence_number": 0,
            });
            numbered(answer(visit).broken_off(4, &Written::named("error", error)))
        },
    )],
};

pub(super) const REFUSED_STATUS: Rule = Rule {
    id: "openai-responses/refused-status",
    judge: |record| refused::status(record, NEEDED),
    mutants: &[Mutant::new(
        "refusal-as-stream",
        "answers a request that it cannot serve with 200 and a stream with the error",
        |visit| {
            let error = r#"{"type":"error","code":null,"message":"no input","param":null,"sequence_number":0}"#;
            let events = [Written::named("error", error)];
            answer(visit).instead_of(400, || stream(visit, events))
        },
    )],
};

pub(super) const ERROR_BODY: Rule = Rule {
    id: "openai-responses/error-body",
    judge: |record| refused::body(record, NEEDED, &[each("error.message", Be(TEXT))]),
    mutants: &[Mutant::new(
        "response-detail-of-framework",
        "refuses a request with the error of its framework, as `{\"detail\":…}`",
        |visit| {
            let detail = r#"{"detail":[{"loc":["body","input"],"msg":"field required"}]}"#;
            answer(visit).instead_of(400, || Plan::answer(422, "application/json", detail))
        },
    )],
};
