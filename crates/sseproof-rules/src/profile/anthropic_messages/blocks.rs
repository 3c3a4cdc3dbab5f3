//! The rules on the blocks of a message: their order and their joined deltas.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::reference::answer;
use crate::profile::events::{Piece, each, pieces};
use crate::profile::torn::{self, Fragment};
use crate::profile::written::{Changed, torn};
use crate::stream::quoted;
use crate::{Fault, Mutant, Record, Rule, Verdict, View};

pub(super) const BLOCK_ORDER: Rule = Rule {
    id: "anthropic-messages/block-order",
    judge: |record| {
        each(record, "event", "no stream carried a block", |view, pieces, tally| {
            let mut blocks = Blocks::default();
            for piece in pieces {
                let Some(wrong) = blocks.take(piece) else { continue };
                tally.look();
                if let Some(wrong) = wrong {
                    tally.fault(|| Fault::at(view, piece.offset, wrong));
                }
            }
        })
    },
    mutants: &[
        Mutant::new(
            "block-never-started",
            "sends deltas for blocks that it never started",
            |visit| answer(visit).without("content_block_start"),
        ),
        Mutant::new("block-never-stopped", "never stops a block", |visit| {
            answer(visit).without("content_block_stop")
        }),
        Mutant::new("blocks-from-one", "counts blocks from 1", |visit| {
            answer(visit)
                .changed("\"index\":", "/index", |index| json!(index.as_u64().map(|n| n + 1)))
        }),
        Mutant::new(
            "delta-behind-stop",
            "sends the last delta of a block after its stop",
            |visit| {
                let mut held = None;
                answer(visit).events(|_, event| {
                    if event.data.contains("👋🏽") {
                        held = Some(event);
                        return Vec::new();
                    }
                    match event.event.as_deref() {
                        Some("content_block_stop") => {
                            std::iter::once(event).chain(held.take()).collect()
                        }
                        _ => vec![event],
                    }
                })
            },
        ),
    ],
};

/// The open block, and the next one.
#[derive(Default)]
struct Blocks {
    open: Option<u64>,
    next: u64,
}

impl Blocks {
    /// Adds an event, and returns the fault of its position if it is about a block.
    fn take(&mut self, piece: &Piece<'_>) -> Option<Option<String>> {
        let kind = &*piece.kind;
        // `anthropic-messages/needed-members` reports a missing index.
        let expected = if kind == "content_block_start" { Some(self.next) } else { self.open };
        let index = piece.json["index"].as_u64().or(expected).unwrap_or_default();
        Some(match (kind, self.open) {
            ("content_block_start", open) => {
                let next = self.next;
                (self.open, self.next) = (Some(index), index.saturating_add(1));
                match open {
                    Some(open) => {
                        Some(format!("block {index} is started, but block {open} is not stopped"))
                    }
                    None if index != next => {
                        Some(format!("block {index} is started, but block {next} is next"))
                    }
                    None => None,
                }
            }
            ("content_block_delta" | "content_block_stop", open) => {
                if kind == "content_block_stop" {
                    self.open = None;
                }
                let message = || format!("`{kind}` is about block {index}, which is not open");
                (open != Some(index)).then(message)
            }
            ("message_delta" | "message_stop", Some(open)) => {
                self.open = None;
                Some(format!("`{kind}` comes, but block {open} is not stopped"))
            }
            _ => return None,
        })
    }
}

pub(super) const DELTA_TYPE: Rule = Rule {
    id: "anthropic-messages/delta-type",
    judge: delta_type,
    mutants: &[
        Mutant::new("text-for-tool", "sends the input of a tool as text", |visit| {
            answer(visit).changed(
                "input_json_delta",
                "/delta",
                |delta| json!({ "type": "text_delta", "text": delta["partial_json"] }),
            )
        }),
        Mutant::new("text-as-delta", "sends a delta that is the text itself", |visit| {
            answer(visit).changed("text_delta", "/delta", |delta| delta["text"].clone())
        }),
    ],
};

/// The types of blocks that a delta of this type fits, and the member with its text; `None` for an
/// unknown type, which clients must ignore.
fn known(delta: &str) -> Option<(&'static [&'static str], &'static str)> {
    Some(match delta {
        "text_delta" => (&["text"], "text"),
        "input_json_delta" => (&["tool_use", "server_tool_use", "mcp_tool_use"], "partial_json"),
        "thinking_delta" => (&["thinking"], "thinking"),
        "signature_delta" => (&["thinking"], "signature"),
        _ => return None,
    })
}

fn delta_type(record: &Record<'_>) -> Verdict {
    each(record, "delta", "no stream carried a delta", |view, pieces, tally| {
        let mut blocks: BTreeMap<u64, &str> = BTreeMap::new();
        let mut last = 0;
        for piece in pieces {
            let index = piece.json["index"].as_u64().unwrap_or(last);
            last = index;
            match &*piece.kind {
                "content_block_start" => {
                    let kind = piece.json["content_block"]["type"].as_str().unwrap_or_default();
                    blocks.insert(index, kind);
                    continue;
                }
                "content_block_delta" => tally.look(),
                _ => continue,
            }
            let delta = &piece.json["delta"];
            let kind = delta["type"].as_str().unwrap_or_default();
            let wrong = match (known(kind), blocks.get(&index)) {
                _ if kind.is_empty() => "the delta has no `type`".to_owned(),
                (Some((fits, _)), Some(block)) if !fits.contains(block) => {
                    format!("`{kind}` is sent to block {index}, which is `{block}`")
                }
                (Some((_, name)), _) if !delta[name].is_string() => {
                    format!("`{kind}` has no string `{name}`")
                }
                _ => continue,
            };
            tally.fault(|| Fault::at(view, piece.offset, wrong));
        }
    })
}

pub(super) const TOOL_INPUT: Rule = Rule {
    id: "anthropic-messages/tool-input",
    judge: tool_input,
    mutants: &[Mutant::new("input-so-far", "repeats the input so far in each piece", |visit| {
        let mut sum = String::new();
        answer(visit).changed("partial_json", "/delta/partial_json", |piece| {
            sum += piece.as_str().unwrap_or_default();
            json!(sum)
        })
    })],
};

fn tool_input(record: &Record<'_>) -> Verdict {
    let none = "no stream carried the input of a tool to its end";
    each(record, "input of a tool", none, |view, pieces, tally| {
        // An input that was cut at the token limit is incomplete.
        if pieces.iter().any(|piece| piece.json["delta"]["stop_reason"] == "max_tokens") {
            return;
        }
        let mut sum: Option<String> = None;
        for piece in pieces {
            match &*piece.kind {
                "content_block_start" => sum = None,
                "content_block_delta" => {
                    if let Some(text) = piece.json["delta"]["partial_json"].as_str() {
                        sum.get_or_insert_default().push_str(text);
                    }
                }
                "content_block_stop" => {
                    let Some(sum) = sum.take() else { continue };
                    tally.look();
                    // A tool without parameters may get no input.
                    let is_object = sum.trim().is_empty()
                        || serde_json::from_str::<Value>(&sum).is_ok_and(|value| value.is_object());
                    if !is_object {
                        let sum = quoted(sum.as_bytes());
                        let message =
                            format!("the joined input of the tool is not a JSON object: {sum}");
                        tally.fault(|| Fault::at(view, piece.offset, message));
                    }
                }
                _ => {}
            }
        }
    })
}

pub(super) const WHOLE_CHARACTERS: Rule = Rule {
    id: "anthropic-messages/whole-characters",
    judge: |record| torn::judge(record, "no stream carried a delta", fragments),
    mutants: &[
        Mutant::new(
            "torn-message-characters",
            "decodes each token of a message by itself",
            |visit| torn(answer(visit), "\u{FFFD}", "\u{FFFD}"),
        ),
        Mutant::new(
            "torn-message-surrogates",
            "cuts the text of a message by UTF-16 units",
            |visit| torn(answer(visit), "\\ud83d", "\\udc4b"),
        ),
    ],
};

fn fragments(view: &View<'_>) -> Vec<Fragment> {
    let deltas = pieces(view).into_iter().filter_map(|piece| {
        let of = piece.number("index").to_string();
        let mut texts = ["text", "thinking", "partial_json"].into_iter();
        texts.find_map(|name| Fragment::new(&piece, of.clone(), &piece.json["delta"][name]))
    });
    deltas.collect()
}
