//! The rule on the pieces of a tool call.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::chunks::{each_completion, finish_reason};
use super::reference::answer;
use crate::profile::json::shown;
use crate::profile::written::Changed;
use crate::{Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "openai-chat/tool-calls",
    judge,
    mutants: &[
        Mutant::new("call-without-index", "leaves out the index of a tool call", |visit| {
            calls(visit, |call| {
                call.as_object_mut().map(|call| call.remove("index"));
            })
        }),
        Mutant::new("call-without-id", "never sends the id of a tool call", |visit| {
            calls(visit, |call| {
                call.as_object_mut().map(|call| call.remove("id"));
            })
        }),
        Mutant::new("id-for-each-piece", "makes a new id for each piece of a tool call", |visit| {
            let mut count = 0;
            calls(visit, |call| {
                count += 1;
                call["id"] = json!(format!("call_{count}"));
            })
        }),
        Mutant::new("call-without-function", "ends a call with a piece that is empty", |visit| {
            answer(visit).replaced("Kyoto", |mut event| {
                event.data = event.data.replacen("}]", "},{\"index\":0}]", 1);
                vec![event]
            })
        }),
        Mutant::new("arguments-so-far", "repeats the arguments so far in each piece", |visit| {
            let mut sum = String::new();
            calls(visit, |call| {
                sum += call["function"]["arguments"].as_str().unwrap_or_default();
                call["function"]["arguments"] = json!(sum);
            })
        }),
    ],
};

fn calls(
    visit: &sseproof_http::Visit<'_>,
    mut edit: impl FnMut(&mut Value),
) -> sseproof_http::Plan {
    answer(visit).json(|_, chunk| {
        if let Some(call) = chunk.pointer_mut("/choices/0/delta/tool_calls/0") {
            edit(call);
        }
    })
}

#[derive(Default)]
struct Call<'v> {
    id: Option<&'v str>,
    name: Option<&'v str>,
    arguments: String,
}

fn judge(record: &Record<'_>) -> Verdict {
    let none = "no stream carried a tool call";
    each_completion(record, "piece of a tool call", none, |completion, tally| {
        let mut known: BTreeMap<(u64, u64), Call<'_>> = BTreeMap::new();
        for (piece, choice, value) in completion.choices() {
            for call in value["delta"]["tool_calls"].as_array().into_iter().flatten() {
                tally.look();
                let wrong = match call["index"].as_u64() {
                    None => Some(format!("a tool call without an `index`: {}", shown(call))),
                    Some(index) => known.entry((choice, index)).or_default().add(call),
                };
                if let Some(wrong) = wrong {
                    tally.fault(|| completion.fault(piece, wrong));
                }
            }
        }
        // Arguments that were cut at the token limit are incomplete.
        let is_cut =
            completion.choices().any(|(_, _, choice)| finish_reason(choice) == Some("length"));
        if !completion.is_finished() || !completion.is_done() || is_cut {
            return;
        }
        for ((_, index), call) in &known {
            if let Some(wrong) = call.wrong_at_end(*index) {
                tally.fault(|| completion.fault_at_last(wrong));
            }
        }
    })
}

impl<'v> Call<'v> {
    fn add(&mut self, piece: &'v Value) -> Option<String> {
        let function = &piece["function"];
        let is_first = self.id.is_none() && self.name.is_none() && self.arguments.is_empty();
        let (id, name) = (piece["id"].as_str(), function["name"].as_str());
        let arguments = &function["arguments"];
        self.arguments += arguments.as_str().unwrap_or_default();
        let filled = |text: Option<&'v str>| text.filter(|text| !text.is_empty());
        for (word, now, before) in [("id", id, &mut self.id), ("name", name, &mut self.name)] {
            match (filled(now), *before) {
                (None, None) if is_first => {
                    return Some(format!(
                        "a tool call begins without its `{word}`: {}",
                        shown(piece)
                    ));
                }
                (Some(now), Some(before)) if now != before => {
                    return Some(format!(
                        "the `{word}` of a tool call is `{now}`, but was `{before}`"
                    ));
                }
                (Some(now), None) => *before = Some(now),
                _ => {}
            }
        }
        match arguments {
            // The official library takes each piece apart, even one without any arguments.
            _ if function.is_null() => {
                Some(format!("a piece of a tool call has no `function`: {}", shown(piece)))
            }
            Value::Null | Value::String(_) => None,
            other => {
                Some(format!("the arguments of a tool call are {}, not a string", shown(other)))
            }
        }
    }

    fn wrong_at_end(&self, index: u64) -> Option<String> {
        // A tool without parameters may be called without arguments.
        let is_json = self.arguments.trim().is_empty()
            || serde_json::from_str::<Value>(&self.arguments).is_ok();
        let shown = crate::stream::quoted(self.arguments.as_bytes());
        (!is_json)
            .then(|| format!("the joined arguments of tool call {index} are not JSON: {shown}"))
    }
}
