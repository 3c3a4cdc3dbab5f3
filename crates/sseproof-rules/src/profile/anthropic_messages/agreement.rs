//! The rules on the agreement of a message with its blocks, and with the request.

use std::collections::BTreeMap;

use serde_json::Value;

use super::reference::answer;
use crate::profile::events::{Piece, each};
use crate::profile::required::Required;
use crate::profile::written::{Changed, mistaken};
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const STOP_AGREES: Rule = Rule {
    id: "anthropic-messages/stop-agrees",
    judge: stop_agrees,
    mutants: &[
        Mutant::new(
            "end-after-tool",
            "says `end_turn` at the end of a message with a call",
            |visit| {
                answer(visit).replaced("message_delta", |mut event| {
                    event.data = event.data.replace("\"tool_use\"", "\"end_turn\"");
                    vec![event]
                })
            },
        ),
        Mutant::new("tool-without-use", "says `tool_use` at the end of a text", |visit| {
            answer(visit).replaced("message_delta", |mut event| {
                event.data = event.data.replace("\"end_turn\"", "\"tool_use\"");
                vec![event]
            })
        }),
        Mutant::new("stop-of-openai", "says `stop` at the end, as OpenAI's API does", |visit| {
            answer(visit).replaced("message_delta", |mut event| {
                event.data = event.data.replace("\"end_turn\"", "\"stop\"");
                vec![event]
            })
        }),
    ],
};

/// The names of the called tools; an empty one for input without a block, which
/// `anthropic-messages/block-order` reports.
fn called<'p>(pieces: &'p [Piece<'_>]) -> Vec<&'p str> {
    let blocks = pieces.iter().filter(|piece| piece.kind == "content_block_start");
    let tools = blocks
        .map(|piece| &piece.json["content_block"])
        .filter(|block| block["type"] == "tool_use");
    let mut called: Vec<_> =
        tools.map(|block| block["name"].as_str().unwrap_or_default()).collect();
    let has_input = |piece: &Piece<'_>| piece.json["delta"]["partial_json"].is_string();
    let has_block = pieces.iter().any(|piece| piece.kind == "content_block_start");
    if !has_block && pieces.iter().any(has_input) {
        called.push("");
    }
    called
}

/// The event with the reason at the end of a message, and the reason.
fn stop<'p, 'r>(pieces: &'p [Piece<'r>]) -> Option<(&'p Piece<'r>, &'p str)> {
    let mut deltas = pieces.iter().filter(|piece| piece.kind == "message_delta");
    deltas.find_map(|piece| Some((piece, piece.json["delta"]["stop_reason"].as_str()?)))
}

fn stop_agrees(record: &Record<'_>) -> Verdict {
    const KNOWN: &[&str] = &[
        "end_turn",
        "max_tokens",
        "stop_sequence",
        "tool_use",
        "pause_turn",
        "refusal",
        "compaction",
        "model_context_window_exceeded",
    ];
    each(record, "message", "no stream carried a `stop_reason`", |view, pieces, tally| {
        let Some((piece, reason)) = stop(pieces) else { return };
        tally.look();
        let called = called(pieces);
        let wrong = match (reason, called.as_slice()) {
            ("tool_use", []) => "`stop_reason` is `tool_use`, but no block uses a tool".to_owned(),
            (_, []) if !KNOWN.contains(&reason) => {
                format!("`stop_reason` is `{reason}`; expected one of `{}`", KNOWN.join("`, `"))
            }
            ("end_turn" | "stop_sequence", called) if !called.is_empty() => {
                format!("`stop_reason` is `{reason}`, but a block uses `{}`", called.join("`, `"))
            }
            (_, called) if !KNOWN.contains(&reason) => {
                format!("`stop_reason` is `{reason}`, but a block uses `{}`", called.join("`, `"))
            }
            _ => return,
        };
        tally.fault(|| Fault::at(view, piece.offset, wrong));
    })
}

pub(super) const THINKING_SIGNED: Rule = Rule {
    id: "anthropic-messages/thinking-signed",
    judge: thinking_signed,
    mutants: &[
        Mutant::new(
            "thinking-unsigned",
            "stops a block of thinking without a signature",
            |visit| answer(visit).without("signature_delta"),
        ),
        Mutant::new("empty-signature", "signs a block of thinking with an empty text", |visit| {
            answer(visit).set("signature_delta", "/delta/signature", "")
        }),
    ],
};

fn thinking_signed(record: &Record<'_>) -> Verdict {
    let none = "no stream carried a block of thinking to its end";
    each(record, "block of thinking", none, |view, pieces, tally| {
        // For each open block of thinking whether it is signed.
        let mut open: BTreeMap<u64, bool> = BTreeMap::new();
        for piece in pieces {
            let index = piece.number("index");
            let is_filled = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
            match &*piece.kind {
                "content_block_start" if piece.json["content_block"]["type"] == "thinking" => {
                    open.insert(index, is_filled(&piece.json["content_block"]["signature"]));
                }
                "content_block_delta" if is_filled(&piece.json["delta"]["signature"]) => {
                    open.entry(index).and_modify(|is_signed| *is_signed = true);
                }
                "content_block_stop" => {
                    let Some(is_signed) = open.remove(&index) else { continue };
                    tally.look();
                    if !is_signed {
                        let message =
                            format!("block {index} is `thinking` and stops without a signature");
                        tally.fault(|| Fault::at(view, piece.offset, message));
                    }
                }
                _ => {}
            }
        }
    })
}

pub(super) const TOOL_REQUIRED: Rule = Rule {
    id: "anthropic-messages/tool-required",
    judge: tool_required,
    mutants: &[Mutant::new(
        "message-without-tool",
        "ignores the tools of a request, and answers with text",
        |visit| {
            mistaken(answer, visit, |request| {
                request.body = request.body.to_text().replace("\"tools\"", "\"tool\"").into();
            })
        },
    )],
};

fn tool_required(record: &Record<'_>) -> Verdict {
    let none = "no message for a request that requires a tool call was stopped";
    each(record, "message", none, |view, pieces, tally| {
        let asked: Value = serde_json::from_slice(&view.request.body).unwrap_or_default();
        let Some(required) = Required::by(&asked["tool_choice"]) else { return };
        let end = stop(pieces).filter(|(_, reason)| !["max_tokens", "refusal"].contains(reason));
        let Some((piece, _)) = end else { return };
        tally.look();
        if let Some(wrong) = required.broken_by(&called(pieces)) {
            tally.fault(|| Fault::at(view, piece.offset, wrong));
        }
    })
}
