//! The rules on the agreement of an answer with its tool calls, and with the request.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::choices;
use super::chunks::{Completion, NO_CHUNK, each_completion, finish_reason};
use super::reference::answer;
use crate::profile::json::shown;
use crate::profile::required::Required;
use crate::profile::written::mistaken;
use crate::{Mutant, Record, Rule, Verdict};

/// The members that the types of OpenAI's libraries have and that no other rule is on.
pub(super) const TYPED_MEMBERS: Rule = Rule {
    id: "openai-chat/typed-members",
    judge: typed_members,
    mutants: &[
        Mutant::new(
            "no-null-finish-reason",
            "leaves out a `finish_reason` that is null, as encoders do that omit what is empty",
            |visit| {
                choices(visit, |choice| {
                    if choice["finish_reason"].is_null() {
                        choice.as_object_mut().map(|choice| choice.remove("finish_reason"));
                    }
                })
            },
        ),
        Mutant::new("call-without-type", "never sends the type of a tool call", |visit| {
            choices(visit, |choice| {
                if let Some(Value::Object(call)) = choice.pointer_mut("/delta/tool_calls/0") {
                    call.remove("type");
                }
            })
        }),
    ],
};

fn typed_members(record: &Record<'_>) -> Verdict {
    each_completion(record, "choice", NO_CHUNK, |completion, tally| {
        let mut begun = BTreeSet::new();
        for (piece, index, choice) in completion.choices() {
            tally.look();
            let calls = choice["delta"]["tool_calls"].as_array().into_iter().flatten();
            let firsts = calls.filter(|call| begun.insert((index, call["index"].as_u64())));
            let untyped = firsts.into_iter().find(|call| call["type"].is_null());
            let wrong = match untyped {
                Some(call) => format!("a tool call begins without its `type`: {}", shown(call)),
                None if choice.get("finish_reason").is_none() => {
                    format!("choice {index} has no `finish_reason`, which may be null")
                }
                None => continue,
            };
            tally.fault(|| completion.fault(piece, wrong));
        }
    })
}

pub(super) const FINISH_AGREES: Rule = Rule {
    id: "openai-chat/finish-agrees",
    judge: finish_agrees,
    mutants: &[
        Mutant::new(
            "stop-after-call",
            "says `stop` at the end of an answer with a call",
            |visit| {
                choices(visit, |choice| {
                    if choice["finish_reason"] == "tool_calls" {
                        choice["finish_reason"] = json!("stop");
                    }
                })
            },
        ),
        Mutant::new("end-of-sequence", "sends the name that its model has for the end", |visit| {
            choices(visit, |choice| {
                if choice["finish_reason"] == "stop" {
                    choice["finish_reason"] = json!("eos");
                }
            })
        }),
        Mutant::new("calls-without-call", "says `tool_calls` at the end of a text", |visit| {
            choices(visit, |choice| {
                if choice["finish_reason"] == "stop" {
                    choice["finish_reason"] = json!("tool_calls");
                }
            })
        }),
    ],
};

/// The names of the called tools by choice.
fn called<'c>(completion: &'c Completion<'_>) -> BTreeMap<u64, BTreeSet<&'c str>> {
    let mut called: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for (_, index, choice) in completion.choices() {
        let delta = &choice["delta"];
        let calls = delta["tool_calls"].as_array().into_iter().flatten();
        let calls = calls.map(|call| &call["function"]["name"]);
        let old = Some(&delta["function_call"]).filter(|call| call.is_object());
        for name in calls.chain(old.map(|call| &call["name"])) {
            let own = called.entry(index).or_default();
            own.extend(name.as_str().filter(|name| !name.is_empty()));
        }
    }
    called
}

fn finish_agrees(record: &Record<'_>) -> Verdict {
    const KNOWN: &[&str] = &["stop", "length", "tool_calls", "content_filter", "function_call"];
    let none = "no stream carried a `finish_reason`";
    each_completion(record, "choice", none, |completion, tally| {
        let called = called(completion);
        // OpenAI's own answer to a request that names the tool ends with `stop`.
        let is_named =
            Required::by(&completion.asked["tool_choice"]).is_some_and(Required::is_named);
        for (piece, index, choice) in completion.choices() {
            let Some(reason) = finish_reason(choice) else { continue };
            tally.look();
            let wrong = match (reason, called.get(&index)) {
                ("stop", Some(_)) if is_named => continue,
                ("tool_calls" | "function_call", None) => {
                    format!("`finish_reason` of choice {index} is `{reason}`, but it calls no tool")
                }
                ("length" | "content_filter" | "tool_calls" | "function_call", _) => continue,
                (reason, Some(names)) => {
                    let names: Vec<_> = names.iter().copied().collect();
                    let names = names.join("`, `");
                    format!(
                        "`finish_reason` of choice {index} is `{reason}`, but it calls `{names}`"
                    )
                }
                (reason, None) if !KNOWN.contains(&reason) => format!(
                    "`finish_reason` of choice {index} is `{reason}`; expected one of `{}`",
                    KNOWN.join("`, `")
                ),
                _ => continue,
            };
            tally.fault(|| completion.fault(piece, wrong));
        }
    })
}

pub(super) const TOOL_REQUIRED: Rule = Rule {
    id: "openai-chat/tool-required",
    judge: tool_required,
    mutants: &[Mutant::new(
        "text-for-call",
        "ignores the tools of a request, and answers with text",
        |visit| {
            mistaken(answer, visit, |request| {
                request.body = request.body.to_text().replace("\"tools\"", "\"tool\"").into();
            })
        },
    )],
};

fn tool_required(record: &Record<'_>) -> Verdict {
    let none = "no answer to a request that requires a tool call was finished";
    each_completion(record, "choice", none, |completion, tally| {
        let Some(required) = Required::by(&completion.asked["tool_choice"]) else { return };
        let called = called(completion);
        for (piece, index, choice) in completion.choices() {
            // An answer that was cut, or refused, need not have the call.
            if !matches!(finish_reason(choice), Some("stop" | "tool_calls" | "function_call")) {
                continue;
            }
            tally.look();
            let called: Vec<_> = match called.get(&index) {
                // `openai-chat/tool-calls` reports a call without a name.
                Some(names) if names.is_empty() => continue,
                names => names.into_iter().flatten().copied().collect(),
            };
            if let Some(wrong) = required.broken_by(&called) {
                tally.fault(|| completion.fault(piece, wrong));
            }
        }
    })
}
