//! The rules on the members that the types of Anthropic's libraries require of events.

use serde_json::{Value, json};

use super::reference::answer;
use crate::profile::library_types::{Members, Types};
use crate::profile::table::TYPED;
use crate::profile::written::Changed;
use crate::{Mutant, Rule};

/// By the package `anthropic` 2.14, and by what its `messages.stream()` makes of an event without
/// the member. Other rules are on `type`, the content of the start, deltas, counts and errors.
const TYPES: &[Types] = &[
    Types {
        on: "",
        at: &[""],
        of: &[
            ("message_start", "message:object!"),
            ("content_block_start", "index:number! content_block:object!"),
            ("content_block_delta", "index:number! delta:any!"),
            ("content_block_stop", "index:number!"),
            ("message_delta", "delta:object! usage:object!"),
        ],
    },
    Types {
        on: "",
        at: &["message"],
        of: &[(
            "",
            "usage:object! content:list! id type role model stop_reason:null stop_sequence:null",
        )],
    },
    Types { on: "", at: &["message.usage"], of: &[("", "output_tokens:number")] },
    Types {
        on: "message_delta",
        at: &["delta"],
        of: &[("", "stop_reason:null stop_sequence:null")],
    },
    Types {
        on: "",
        at: &["content_block"],
        of: &[
            ("", "type!"),
            ("text", "text!"),
            ("thinking", "thinking! signature"),
            ("redacted_thinking", "data!"),
            ("tool_use server_tool_use", "id! name! input:object"),
            (
                "web_search_tool_result web_fetch_tool_result code_execution_tool_result \
                 bash_code_execution_tool_result text_editor_code_execution_tool_result \
                 tool_search_tool_result",
                "tool_use_id content:any",
            ),
            ("container_upload", "file_id"),
        ],
    },
];

const NONE: &str = "no stream carried an event of a message";

pub(super) const NEEDED_MEMBERS: Rule = Rule {
    id: "anthropic-messages/needed-members",
    judge: |record| TYPED.counting("event", NONE).judge_types(record, TYPES, Members::Needed),
    mutants: &[
        Mutant::new(
            "bare-message",
            "writes the members of the message into the data, not under `message`",
            |visit| {
                answer(visit).json(|_, event| {
                    if let Some(mut message) = event.get("message").cloned() {
                        message["type"] = event["type"].take();
                        *event = message;
                    }
                })
            },
        ),
        Mutant::new("no-block-index", "sends the events of blocks without `index`", |visit| {
            answer(visit).json(|_, event| remove(event, "", "index"))
        }),
        Mutant::new("delta-without-index", "sends deltas without `index`", |visit| {
            answer(visit).json(|_, event| {
                if event["type"] == "content_block_delta" {
                    remove(event, "", "index");
                }
            })
        }),
        Mutant::new("tool-without-name", "starts a tool block with null as its name", |visit| {
            answer(visit).json(|_, event| {
                if event["content_block"]["type"] == "tool_use" {
                    event["content_block"]["name"] = Value::Null;
                }
            })
        }),
        Mutant::new("block-without-text", "starts a text block without `text`", |visit| {
            answer(visit).json(|_, event| remove(event, "/content_block", "text"))
        }),
        Mutant::new("start-without-usage", "starts a message without `usage`", |visit| {
            answer(visit).json(|_, event| remove(event, "/message", "usage"))
        }),
        Mutant::new("message-without-usage", "omits the usage of a message", |visit| {
            answer(visit).set("message_delta", "/usage", Value::Null)
        }),
    ],
};

pub(super) const TYPED_MEMBERS: Rule = Rule {
    id: "anthropic-messages/typed-members",
    judge: |record| TYPED.counting("event", NONE).judge_types(record, TYPES, Members::Typed),
    mutants: &[
        Mutant::new("message-without-model", "starts a message without its model", |visit| {
            answer(visit).json(|_, event| remove(event, "/message", "model"))
        }),
        Mutant::new("no-null-stop", "leaves out `stop_sequence` if it is null", |visit| {
            answer(visit).json(|_, event| {
                remove(event, "/message", "stop_sequence");
                remove(event, "/delta", "stop_sequence");
            })
        }),
        Mutant::new("tool-without-input", "starts a tool block without `input`", |visit| {
            answer(visit).json(|_, event| remove(event, "/content_block", "input"))
        }),
        Mutant::new("input-as-text", "starts a tool block with a string as `input`", |visit| {
            answer(visit).json(|_, event| {
                if event["content_block"]["type"] == "tool_use" {
                    event["content_block"]["input"] = json!("");
                }
            })
        }),
    ],
};

fn remove(event: &mut Value, at: &str, name: &str) {
    if let Some(members) = event.pointer_mut(at).and_then(Value::as_object_mut) {
        members.remove(name);
    }
}
