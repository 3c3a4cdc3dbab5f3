//! The rules on the items of a response and their parts: nesting and joined texts.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use sseproof_http::{Plan, Visit};

use super::numbered;
use super::reference::answer;
use crate::profile::events::{Piece, each, pieces};
use crate::profile::torn::{self, Fragment};
use crate::profile::written::{Changed, Written, torn};
use crate::stream::quoted;
use crate::{Fault, Mutant, Record, Rule, Verdict, View};

/// [`ITEM_DONE`] reports an item that is never done.
pub(super) const NESTING: Rule = Rule {
    id: "openai-responses/nesting",
    judge: |record| {
        each(record, "event", "no stream carried an item", |view, pieces, tally| {
            let mut added = Added::default();
            for piece in pieces.iter().filter(|piece| piece.json["output_index"].is_u64()) {
                tally.look();
                if let Some(wrong) = added.take(piece) {
                    tally.fault(|| Fault::at(view, piece.offset, wrong));
                }
            }
        })
    },
    mutants: &[
        Mutant::new("part-never-added", "sends deltas for a part that was never added", |visit| {
            numbered(answer(visit).without("response.content_part.added"))
        }),
        Mutant::new("parts-from-one", "counts the parts of an item from 1", |visit| {
            answer(visit).changed("\"content_index\":", "/content_index", |index| {
                json!(index.as_u64().map(|index| index + 1))
            })
        }),
        Mutant::new("item-never-added", "never sends `response.output_item.added`", |visit| {
            numbered(answer(visit).without("response.output_item.added"))
        }),
    ],
};

/// The added items of a response by their index, and their parts.
#[derive(Default)]
struct Added {
    items: BTreeSet<u64>,
    parts: BTreeSet<(u64, u64)>,
}

impl Added {
    /// Adds an event, and returns the fault of its position.
    fn take(&mut self, piece: &Piece<'_>) -> Option<String> {
        let kind = piece.kind.trim_start_matches("response.");
        let (item, part) = (piece.number("output_index"), piece.number("content_index"));
        if kind == "output_item.added" {
            let is_new = self.items.insert(item);
            return (!is_new).then(|| format!("item {item} is added a second time"));
        }
        if !self.items.contains(&item) {
            return Some(format!("`{kind}` is about item {item}, which was never added"));
        }
        if kind == "content_part.added" {
            // The official libraries append it, and find it by its index.
            let next = self.parts.range((item, 0)..=(item, u64::MAX)).count() as u64;
            let is_new = self.parts.insert((item, part));
            return match is_new {
                false => Some(format!("part {part} of item {item} is added a second time")),
                true if part != next => {
                    Some(format!("part {part} of item {item} is added, but part {next} is next"))
                }
                true => None,
            };
        }
        let starts = ["output_text.", "refusal.", "content_part."];
        let is_of_part = starts.iter().any(|start| kind.starts_with(start));
        (is_of_part && !self.parts.contains(&(item, part)))
            .then(|| format!("`{kind}` is about part {part} of item {item}, which was never added"))
    }
}

pub(super) const ITEM_DONE: Rule = Rule {
    id: "openai-responses/item-done",
    judge: item_done,
    mutants: &[
        Mutant::new(
            "item-never-done",
            "completes the response without `response.output_item.done`",
            |visit| numbered(answer(visit).without("response.output_item.done")),
        ),
        Mutant::new(
            "part-never-done",
            "sends that an item is done without `response.content_part.done`",
            |visit| numbered(answer(visit).without("response.content_part.done")),
        ),
    ],
};

fn item_done(record: &Record<'_>) -> Verdict {
    let none = "no response with an item was completed";
    each(record, "item", none, |view, pieces, tally| {
        let (mut items, mut parts) = (BTreeSet::new(), BTreeSet::new());
        for piece in pieces {
            let item = piece.number("output_index");
            let part = (item, piece.number("content_index"));
            let wrong = match &*piece.kind {
                "response.output_item.added" => {
                    items.insert(item);
                    None
                }
                "response.content_part.added" => {
                    parts.insert(part);
                    None
                }
                "response.content_part.done" => {
                    parts.remove(&part);
                    None
                }
                "response.output_item.done" => {
                    tally.look();
                    items.remove(&item);
                    let open = parts.iter().find(|(of, _)| *of == item);
                    open.map(|(_, part)| format!("item {item} is done, but its part {part} is not"))
                }
                "response.completed" => {
                    tally.look_at(items.len() as u64);
                    let open = items.first();
                    open.map(|item| {
                        format!("the response is completed, but item {item} is not done")
                    })
                }
                _ => None,
            };
            if let Some(wrong) = wrong {
                tally.fault(|| Fault::at(view, piece.offset, wrong));
            }
        }
    })
}

pub(super) const DELTAS_ADD_UP: Rule = Rule {
    id: "openai-responses/deltas-add-up",
    judge: deltas_add_up,
    mutants: &[
        Mutant::new("delta-lost", "drops one delta on the way", |visit| {
            numbered(answer(visit).without("\"delta\":\" morning\""))
        }),
        Mutant::new("done-text-cleaned", "trims the text of the `done` event", |visit| {
            answer(visit).set("response.output_text.done", "/text", "Good morning")
        }),
    ],
};

/// The member of a `done` event with the whole text, by the kind of the text.
fn whole(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "response.output_text" | "response.reasoning_text" | "response.reasoning_summary_text" => {
            "text"
        }
        "response.refusal" => "refusal",
        "response.function_call_arguments" | "response.mcp_call_arguments" => "arguments",
        "response.custom_tool_call_input" => "input",
        _ => return None,
    })
}

/// The position of the text that an event is about.
fn place(piece: &Piece<'_>) -> [u64; 3] {
    ["output_index", "content_index", "summary_index"].map(|name| piece.number(name))
}

fn deltas_add_up(record: &Record<'_>) -> Verdict {
    each(record, "text", "no stream carried a text to its end", |view, pieces, tally| {
        let mut sums: BTreeMap<(&str, [u64; 3]), String> = BTreeMap::new();
        for piece in pieces {
            if let Some(kind) = piece.kind.strip_suffix(".delta") {
                let delta = piece.json["delta"].as_str().unwrap_or_default();
                sums.entry((kind, place(piece))).or_default().push_str(delta);
                continue;
            }
            let Some(kind) = piece.kind.strip_suffix(".done") else { continue };
            let Some(name) = whole(kind) else { continue };
            // A text without any delta was not streamed.
            let Some(sum) = sums.remove(&(kind, place(piece))) else { continue };
            tally.look();
            let text = piece.json[name].as_str().unwrap_or_default();
            if sum != text {
                let (sum, text) = (quoted(sum.as_bytes()), quoted(text.as_bytes()));
                let message = format!("the joined deltas are {sum}, but `{name}` is {text}");
                tally.fault(|| Fault::at(view, piece.offset, message));
            }
        }
    })
}

pub(super) const WHOLE_CHARACTERS: Rule = Rule {
    id: "openai-responses/whole-characters",
    judge: |record| torn::judge(record, "no stream carried a delta", fragments),
    mutants: &[
        Mutant::new(
            "torn-response-characters",
            "decodes each token of a response by itself",
            |visit| numbered(torn_deltas(visit, "\u{FFFD}", "\u{FFFD}")),
        ),
        Mutant::new(
            "torn-response-surrogates",
            "cuts the text of a response by UTF-16 units",
            |visit| numbered(torn_deltas(visit, "\\ud83d", "\\udc4b")),
        ),
    ],
};

/// The reference with a split token, in the deltas and in the whole text.
fn torn_deltas(visit: &Visit<'_>, first: &str, second: &str) -> Plan {
    let whole = answer(visit).events(|_, event| match event.data.contains("\"delta\"") {
        true => vec![event],
        false => {
            let data = event.data.replace(" 👋🏽", "\u{FFFD}\u{FFFD}");
            vec![Written { data, ..event }]
        }
    });
    torn(whole, first, second)
}

fn fragments(view: &View<'_>) -> Vec<Fragment> {
    let deltas = pieces(view).into_iter().filter_map(|piece| {
        let kind = piece.kind.strip_suffix(".delta")?;
        Fragment::new(&piece, format!("{kind} {:?}", place(&piece)), &piece.json["delta"])
    });
    deltas.collect()
}
