//! The rules on the agreement of events: on the same item, on the same text, and with the request.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::numbered;
use super::reference::answer;
use crate::profile::events::{Piece, each};
use crate::profile::json::shown;
use crate::profile::required::Required;
use crate::profile::written::{Changed, mistaken};
use crate::stream::quoted;
use crate::stream::tally::counted;
use crate::{Fault, Mutant, Record, Rule, Verdict};

const ADDED: &str = "response.output_item.added";
const DONE: &str = "response.output_item.done";
const COMPLETED: &str = "response.completed";

pub(super) const DELTA_TYPE: Rule = Rule {
    id: "openai-responses/delta-type",
    judge: delta_type,
    mutants: &[
        Mutant::new("part-of-another-type", "calls a part `text`, not `output_text`", |visit| {
            answer(visit).set("response.content_part.added", "/part/type", "text")
        }),
        Mutant::new(
            "call-of-another-type",
            "calls a call `tool_call`, not `function_call`",
            |visit| {
                answer(visit).replaced("\"function_call\"", |mut event| {
                    event.data = event.data.replace("\"function_call\"", "\"tool_call\"");
                    vec![event]
                })
            },
        ),
    ],
};

/// The types of the item and of the part that events on a text of this kind are about.
fn fitting(kind: &str) -> Option<(&'static str, Option<&'static str>)> {
    Some(match kind {
        "output_text" => ("message", Some("output_text")),
        "refusal" => ("message", Some("refusal")),
        "function_call_arguments" => ("function_call", None),
        "custom_tool_call_input" => ("custom_tool_call", None),
        "mcp_call_arguments" => ("mcp_call", None),
        _ => return None,
    })
}

fn delta_type(record: &Record<'_>) -> Verdict {
    let none = "no stream carried a delta of an item that was added";
    each(record, "event", none, |view, pieces, tally| {
        let (mut items, mut parts) = (BTreeMap::new(), BTreeMap::new());
        for piece in pieces {
            let kind = piece.kind.strip_prefix("response.").unwrap_or_default();
            let (item, part) = (piece.number("output_index"), piece.number("content_index"));
            match kind {
                "output_item.added" => {
                    items.extend(piece.json["item"]["type"].as_str().map(|of| (item, of)))
                }
                "content_part.added" => {
                    parts.extend(piece.json["part"]["type"].as_str().map(|of| ((item, part), of)));
                }
                _ => {}
            }
            let Some((of, _)) = kind.rsplit_once('.') else { continue };
            let Some((item_type, part_type)) = fitting(of) else { continue };
            let Some(of_item) = items.get(&item) else { continue };
            tally.look();
            let wrong = match (parts.get(&(item, part)), part_type) {
                _ if *of_item != item_type => {
                    format!("`{kind}` is about item {item}, which is `{of_item}`")
                }
                (Some(of_part), Some(right)) if *of_part != right => {
                    format!("`{kind}` is about part {part} of item {item}, which is `{of_part}`")
                }
                _ => continue,
            };
            tally.fault(|| Fault::at(view, piece.offset, wrong));
        }
    })
}

pub(super) const ITEM_ID: Rule = Rule {
    id: "openai-responses/item-id",
    judge: item_id,
    mutants: &[
        Mutant::new("item-id-per-event", "makes a new item id for each event", |visit| {
            let mut count = 0;
            answer(visit).changed("\"item_id\":", "/item_id", |_| {
                count += 1;
                json!(format!("msg_{count}"))
            })
        }),
        Mutant::new("call-id-as-item-id", "names the call, not its item, in `item_id`", |visit| {
            answer(visit).set("response.function_call_arguments", "/item_id", "call_1")
        }),
    ],
};

fn item_id(record: &Record<'_>) -> Verdict {
    let none = "no stream carried an event with an `item_id`";
    each(record, "event", none, |view, pieces, tally| {
        let mut ids: BTreeMap<u64, &str> = BTreeMap::new();
        for piece in pieces {
            let index = piece.number("output_index");
            if piece.kind == ADDED {
                ids.extend(piece.json["item"]["id"].as_str().map(|id| (index, id)));
                continue;
            }
            let Some(id) = piece.json["item_id"].as_str() else { continue };
            tally.look();
            let before = *ids.entry(index).or_insert(id);
            if before != id {
                let kind = &piece.kind;
                let message = format!(
                    "`item_id` of `{kind}` is `{id}`, but the id of the item is `{before}`"
                );
                tally.fault(|| Fault::at(view, piece.offset, message));
            }
        }
    })
}

pub(super) const SAME_ITEM: Rule = Rule {
    id: "openai-responses/same-item",
    judge: same_item,
    mutants: &[
        Mutant::new("item-id-when-done", "makes a new id for an item that is done", |visit| {
            answer(visit).set(DONE, "/item/id", "item_2")
        }),
        Mutant::new("call-id-when-done", "makes a new call id for a call that is done", |visit| {
            answer(visit).changed(DONE, "/item", |item| {
                let mut item = item.clone();
                if item["type"] == "function_call" {
                    item["call_id"] = json!("call_2");
                }
                item
            })
        }),
        Mutant::new(
            "item-id-when-completed",
            "makes new ids for the items of a completed response",
            |visit| {
                answer(visit).changed(COMPLETED, "/response/output", |output| {
                    let mut output = output.clone();
                    for item in output.as_array_mut().into_iter().flatten() {
                        item["id"] = json!("item_2");
                    }
                    output
                })
            },
        ),
    ],
};

fn same_item(record: &Record<'_>) -> Verdict {
    each(record, "item", "no stream carried an item that is done", |view, pieces, tally| {
        let mut items: BTreeMap<u64, &Value> = BTreeMap::new();
        for piece in pieces {
            let Some(index) = piece.json["output_index"].as_u64() else {
                let output = output(piece);
                if output.len() == items.len() {
                    for (item, before) in output.iter().zip(items.values()) {
                        tally.look();
                        if let Some(wrong) = changed(before, item, &piece.kind) {
                            tally.fault(|| Fault::at(view, piece.offset, wrong));
                        }
                    }
                }
                continue;
            };
            let item = &piece.json["item"];
            if piece.kind == DONE && item.is_object() {
                tally.look();
                let before = items.get(&index);
                if let Some(wrong) = before.and_then(|before| changed(before, item, &piece.kind)) {
                    tally.fault(|| Fault::at(view, piece.offset, wrong));
                }
            }
            if [ADDED, DONE].contains(&&*piece.kind) && item.is_object() {
                items.insert(index, item);
            }
        }
    })
}

/// The items of a completed response.
fn output<'p>(piece: &'p Piece<'_>) -> &'p [Value] {
    let output = piece.json["response"]["output"].as_array().filter(|_| piece.kind == COMPLETED);
    output.map(Vec::as_slice).unwrap_or_default()
}

/// The fault of an item that is not the one that it was before.
fn changed(before: &Value, item: &Value, kind: &str) -> Option<String> {
    // The id of a call may be given later, and other rules are on members that are missing.
    let is_call = ["function_call", "custom_tool_call"].iter().any(|of| before["type"] == *of);
    ["type", "id", "call_id", "name"].into_iter().find_map(|name| {
        let (before, now) = (&before[name], &item[name]);
        let is_judged = !before.is_null() || (name == "id" && !is_call);
        (is_judged && before != now).then(|| {
            format!("`{name}` of an item is {} in `{kind}`, but was {}", shown(now), shown(before))
        })
    })
}

/// The streamed texts of the items of a response: those of the deltas, and those of the events
/// that a text is done.
#[derive(Default)]
struct Streamed {
    items: BTreeSet<u64>,
    deltas: BTreeMap<(u64, u64), String>,
    wholes: BTreeMap<(u64, u64), String>,
}

impl Streamed {
    fn take(&mut self, piece: &Piece<'_>) {
        let Some(index) = piece.json["output_index"].as_u64() else { return };
        self.items.insert(index);
        let place = (index, piece.number("content_index"));
        let text = |name: &str| piece.json[name].as_str().unwrap_or_default();
        let kind = piece.kind.strip_prefix("response.").unwrap_or_default();
        match kind {
            "output_text.delta"
            | "refusal.delta"
            | "function_call_arguments.delta"
            | "custom_tool_call_input.delta" => {
                self.deltas.entry(place).or_default().push_str(text("delta"));
            }
            "output_text.done" => _ = self.wholes.insert(place, text("text").to_owned()),
            "refusal.done" => _ = self.wholes.insert(place, text("refusal").to_owned()),
            "function_call_arguments.done" => {
                self.wholes.insert(place, text("arguments").to_owned());
            }
            "custom_tool_call_input.done" => {
                self.wholes.insert(place, text("input").to_owned());
            }
            _ => {}
        }
    }

    /// The fault of the item with that index, if it has another text than was streamed.
    fn broken_by(&self, index: u64, item: &Value, kind: &str) -> Option<String> {
        let joined = |texts: &BTreeMap<(u64, u64), String>| {
            let of_item: Vec<_> = texts.range((index, 0)..=(index, u64::MAX)).collect();
            (!of_item.is_empty()).then(|| of_item.into_iter().map(|(_, text)| &**text).collect())
        };
        let (deltas, wholes): (Option<String>, Option<String>) =
            (joined(&self.deltas), joined(&self.wholes));
        let text = text_of(item)?;
        // `openai-responses/text-in-deltas` reports it if nothing was streamed.
        let streamed = deltas.as_ref().or(wholes.as_ref()).filter(|text| !text.is_empty())?;
        // `openai-responses/deltas-add-up` reports it if the two differ.
        if deltas.as_ref() == Some(&text) || wholes.as_ref() == Some(&text) {
            return None;
        }
        let (text, streamed) = (quoted(text.as_bytes()), quoted(streamed.as_bytes()));
        Some(format!("`{kind}` has {text} as item {index}, but {streamed} was streamed"))
    }
}

/// The text of a message, or the arguments of a call; `None` for items of other types.
fn text_of(item: &Value) -> Option<String> {
    let own = |name: &str| Some(item[name].as_str().unwrap_or_default().to_owned());
    match item["type"].as_str()? {
        "function_call" => own("arguments"),
        "custom_tool_call" => own("input"),
        "message" => {
            let parts = item["content"].as_array().into_iter().flatten();
            let texts = parts.filter_map(|part| part["text"].as_str().or(part["refusal"].as_str()));
            Some(texts.collect())
        }
        _ => None,
    }
}

pub(super) const OUTPUT_REPEATED: Rule = Rule {
    id: "openai-responses/output-repeated",
    judge: output_repeated,
    mutants: &[
        Mutant::new("completed-empty", "completes a response with an empty `output`", |visit| {
            answer(visit).set(COMPLETED, "/response/output", json!([]))
        }),
        Mutant::new("completed-cleaned", "trims the text of a completed response", |visit| {
            answer(visit).replaced(COMPLETED, |mut event| {
                event.data = event.data.replace(" morning,", "").replace("\\\"ci", "\\\"co");
                vec![event]
            })
        }),
        Mutant::new(
            "done-without-text",
            "sends that a message is done without its text",
            |visit| answer(visit).set(DONE, "/item/content", json!([])),
        ),
    ],
};

fn output_repeated(record: &Record<'_>) -> Verdict {
    let none = "no stream carried an item to its end";
    each(record, "item", none, |view, pieces, tally| {
        let mut streamed = Streamed::default();
        for piece in pieces {
            streamed.take(piece);
            let mut items: Vec<(u64, &Value)> = Vec::new();
            if piece.kind == DONE {
                items.push((piece.number("output_index"), &piece.json["item"]));
            } else if piece.kind == COMPLETED && piece.json["response"]["output"].is_array() {
                let output = output(piece);
                if !streamed.items.is_empty() && output.len() != streamed.items.len() {
                    tally.look();
                    let has = counted(output.len() as u64, "item");
                    let was = counted(streamed.items.len() as u64, "item");
                    let message = format!("`response.output` has {has}, but the stream had {was}");
                    tally.fault(|| Fault::at(view, piece.offset, message));
                    continue;
                }
                items.extend(streamed.items.iter().copied().zip(output));
            }
            for (index, item) in items {
                tally.look();
                if let Some(wrong) = streamed.broken_by(index, item, &piece.kind) {
                    tally.fault(|| Fault::at(view, piece.offset, wrong));
                }
            }
        }
    })
}

pub(super) const TEXT_IN_DELTAS: Rule = Rule {
    id: "openai-responses/text-in-deltas",
    judge: text_in_deltas,
    mutants: &[
        Mutant::new(
            "text-when-done",
            "sends the whole text when it is done, and no delta",
            |visit| numbered(answer(visit).without("response.output_text.delta")),
        ),
        Mutant::new("empty-deltas", "sends a delta for each token, and leaves it empty", |visit| {
            answer(visit).set("response.output_text.delta", "/delta", "").set(
                "response.output_text.done",
                "/text",
                "",
            )
        }),
    ],
};

fn text_in_deltas(record: &Record<'_>) -> Verdict {
    each(record, "text", "no stream carried a text to its end", |view, pieces, tally| {
        let mut streamed = BTreeSet::new();
        for piece in pieces {
            let index = piece.number("output_index");
            let has_text = |item: &Value| {
                item["type"] == "message" && text_of(item).is_some_and(|text| !text.is_empty())
            };
            let filled =
                |name: &str| piece.json[name].as_str().is_some_and(|text| !text.is_empty());
            let wrong = match &*piece.kind {
                "response.output_text.delta" | "response.refusal.delta" => {
                    streamed.extend(filled("delta").then_some(index));
                    continue;
                }
                "response.output_text.done" if filled("text") => !streamed.contains(&index),
                DONE if has_text(&piece.json["item"]) => !streamed.contains(&index),
                COMPLETED if output(piece).iter().any(has_text) => streamed.is_empty(),
                _ => continue,
            };
            tally.look();
            if wrong {
                streamed.insert(index);
                let message = format!("`{}` has a text that no delta had", piece.kind);
                tally.fault(|| Fault::at(view, piece.offset, message));
            }
        }
    })
}

pub(super) const TOOL_REQUIRED: Rule = Rule {
    id: "openai-responses/tool-required",
    judge: tool_required,
    mutants: &[Mutant::new(
        "response-without-call",
        "ignores the tools of a request, and answers with text",
        |visit| {
            mistaken(answer, visit, |request| {
                request.body = request.body.to_text().replace("\"tools\"", "\"tool\"").into();
            })
        },
    )],
};

fn tool_required(record: &Record<'_>) -> Verdict {
    let none = "no response to a request that requires a tool call was completed";
    each(record, "response", none, |view, pieces, tally| {
        let asked: Value = serde_json::from_slice(&view.request.body).unwrap_or_default();
        let Some(required) = Required::by(&asked["tool_choice"]) else { return };
        let Some(end) = pieces.iter().find(|piece| piece.kind == COMPLETED) else { return };
        tally.look();
        let items = pieces.iter().filter(|piece| piece.kind == ADDED || piece.kind == DONE);
        let items = items.map(|piece| &piece.json["item"]).chain(output(end));
        let is_call = |item: &&Value| item["type"].as_str().is_some_and(|of| of.ends_with("_call"));
        let called: BTreeSet<_> =
            items.filter(is_call).map(|item| item["name"].as_str().unwrap_or_default()).collect();
        let called: Vec<_> = called.into_iter().collect();
        if let Some(wrong) = required.broken_by(&called) {
            tally.fault(|| Fault::at(view, end.offset, wrong));
        }
    })
}
