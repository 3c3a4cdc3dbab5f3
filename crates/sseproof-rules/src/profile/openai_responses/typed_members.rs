//! The rules on the members that the types of OpenAI's libraries require of events.

use serde_json::{Value, json};

use super::numbered;
use super::reference::answer;
use crate::profile::library_types::{Members, Types};
use crate::profile::table::TYPED;
use crate::profile::written::{Changed, Written};
use crate::{Mutant, Rule};

/// By the package `openai` 3.57, and by what its `responses.stream()` makes of an event without the
/// member. Other rules are on `type`, `sequence_number`, the id of the response, and errors' texts.
const TYPES: &[Types] = &[
    Types {
        on: "",
        at: &[""],
        of: &[
            (
                "response.created response.queued response.in_progress response.completed \
                 response.failed response.incomplete",
                "response:object!",
            ),
            (
                "response.output_item.added response.output_item.done",
                "output_index:number! item:object!",
            ),
            (
                "response.content_part.added",
                "output_index:number! part:object! content_index:number! item_id",
            ),
            (
                "response.content_part.done",
                "output_index:number! content_index:number! item_id part:object",
            ),
            (
                "response.output_text.delta",
                "output_index:number! content_index:number! delta! item_id logprobs:list",
            ),
            (
                "response.output_text.done",
                "output_index:number! content_index:number! item_id text logprobs:list",
            ),
            (
                "response.output_text.annotation.added",
                "output_index:number! content_index:number! annotation_index:number item_id",
            ),
            (
                "response.refusal.delta response.reasoning_text.delta",
                "output_index:number! content_index:number! delta! item_id",
            ),
            ("response.refusal.done", "output_index:number! content_index:number! item_id refusal"),
            (
                "response.reasoning_text.done",
                "output_index:number! content_index:number! item_id text",
            ),
            (
                "response.reasoning_summary_part.*",
                "output_index:number! summary_index:number! item_id part:object",
            ),
            (
                "response.reasoning_summary_text.delta",
                "output_index:number! summary_index:number! delta! item_id",
            ),
            (
                "response.reasoning_summary_text.done",
                "output_index:number! summary_index:number! item_id text",
            ),
            (
                "response.function_call_arguments.delta response.mcp_call_arguments.delta \
                 response.custom_tool_call_input.delta response.code_interpreter_call_code.delta",
                "output_index:number! delta! item_id",
            ),
            (
                "response.function_call_arguments.done response.mcp_call_arguments.done",
                "output_index:number! item_id arguments",
            ),
            ("response.custom_tool_call_input.done", "output_index:number! item_id input"),
            ("response.code_interpreter_call_code.done", "output_index:number! item_id code"),
            (
                "response.web_search_call.* response.file_search_call.* response.mcp_call.* \
                 response.mcp_list_tools.* response.code_interpreter_call.* \
                 response.image_generation_call.* response.compaction.*",
                "output_index:number! item_id",
            ),
            (
                "response.image_generation_call.partial_image",
                "partial_image_b64 partial_image_index:any",
            ),
            ("response.audio.delta response.audio.transcript.delta", "delta!"),
            (
                "response.shell_call_command.added response.shell_call_command.done",
                "output_index:number! command_index:number command",
            ),
            (
                "response.shell_call_command.delta",
                "output_index:number! command_index:number delta!",
            ),
            (
                "response.shell_call_output_content.delta",
                "output_index:number! command_index:number item_id delta:object!",
            ),
            (
                "response.shell_call_output_content.done",
                "output_index:number! command_index:number item_id output:list",
            ),
            ("error", "code:null param:null"),
        ],
    },
    Types { on: "", at: &["response"], of: &[("", "object created_at:any model")] },
    Types { on: "response.completed", at: &["response"], of: &[("", "output:list!")] },
    Types {
        on: "response.created response.in_progress",
        at: &["response"],
        of: &[("", "output:list")],
    },
    Types {
        on: "",
        at: &["item", "response.output.*"],
        of: &[
            ("", "type!"),
            ("message", "content:list! id role status"),
            ("function_call", "call_id! name! arguments!"),
            ("custom_tool_call", "call_id! name! input!"),
            ("reasoning", "id summary:list"),
            ("mcp_call mcp_approval_request", "id name arguments server_label"),
            ("mcp_list_tools", "id server_label tools:list"),
            (
                "computer_call computer_call_output local_shell_call shell_call shell_call_output \
                 apply_patch_call apply_patch_call_output custom_tool_call_output",
                "id call_id status",
            ),
            (
                "web_search_call file_search_call code_interpreter_call image_generation_call",
                "id status",
            ),
        ],
    },
    Types {
        on: "",
        at: &["part", "item.content.*", "response.output.*.content.*"],
        of: &[
            ("", "type!"),
            ("output_text", "text! annotations:list"),
            ("refusal", "refusal!"),
            ("reasoning_text summary_text", "text!"),
        ],
    },
];

const NONE: &str = "no stream carried an event of a response";

pub(super) const NEEDED_MEMBERS: Rule = Rule {
    id: "openai-responses/needed-members",
    judge: |record| TYPED.counting("event", NONE).judge_types(record, TYPES, Members::Needed),
    mutants: &[
        Mutant::new(
            "bare-response",
            "writes the members of the response into the data, not under `response`",
            |visit| {
                answer(visit).json(|_, event| {
                    let kind = event["type"].clone();
                    if let Some(Value::Object(mut bare)) = event.get("response").cloned() {
                        bare.insert("type".to_owned(), kind);
                        bare.insert("sequence_number".to_owned(), event["sequence_number"].clone());
                        *event = Value::Object(bare);
                    }
                })
            },
        ),
        Mutant::new("no-indexes", "sends its events without `output_index`", |visit| {
            answer(visit).json(|_, event| remove(event, "", &["output_index", "content_index"]))
        }),
        Mutant::new("delta-without-part", "sends deltas without `content_index`", |visit| {
            answer(visit).json(|_, event| {
                if event["delta"].is_string() {
                    remove(event, "", &["content_index"]);
                }
            })
        }),
        Mutant::new("call-without-arguments", "adds a call with null as its arguments", |visit| {
            answer(visit).changed("response.output_item.added", "/item", |item| {
                let mut item = item.clone();
                if item["type"] == "function_call" {
                    item["arguments"] = Value::Null;
                }
                item
            })
        }),
        Mutant::new("item-without-content", "adds a message without its list of parts", |visit| {
            answer(visit).json(|_, event| {
                if event["type"] == "response.output_item.added" {
                    remove(event, "/item", &["content"]);
                }
            })
        }),
        Mutant::new("completed-without-output", "completes a response without `output`", |visit| {
            answer(visit).json(|_, event| {
                if event["type"] == "response.completed" {
                    remove(event, "/response", &["output"]);
                }
            })
        }),
    ],
};

pub(super) const TYPED_MEMBERS: Rule = Rule {
    id: "openai-responses/typed-members",
    judge: |record| TYPED.counting("event", NONE).judge_types(record, TYPES, Members::Typed),
    mutants: &[
        Mutant::new("events-without-item-id", "sends its events without `item_id`", |visit| {
            answer(visit).json(|_, event| remove(event, "", &["item_id"]))
        }),
        Mutant::new("no-logprobs", "leaves out `logprobs` if there are none", |visit| {
            answer(visit).json(|_, event| remove(event, "", &["logprobs"]))
        }),
        Mutant::new("response-without-model", "sends a response without its model", |visit| {
            answer(visit).json(|_, event| remove(event, "/response", &["model", "created_at"]))
        }),
        Mutant::new("item-without-role", "sends messages without role and status", |visit| {
            answer(visit).json(|_, event| remove(event, "/item", &["role", "status"]))
        }),
        Mutant::new(
            "error-without-code",
            "leaves out the `code` of an error without one",
            |visit| {
                let error = json!({
                    "type": "error", "message": "gone", "param": null, "sequence_number": 0,
                });
                numbered(answer(visit).broken_off(4, &Written::named("error", error)))
            },
        ),
    ],
};

fn remove(event: &mut Value, at: &str, names: &[&str]) {
    if let Some(members) = event.pointer_mut(at).and_then(Value::as_object_mut) {
        members.retain(|name, _| !names.contains(&name.as_str()));
    }
}
