//! Blocks are started, filled and stopped, one behind the other.

use serde_json::json;

use super::{reworded, rewritten, without};
use crate::profile::typed::each_typed;
use crate::{Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "anthropic-messages/block-order",
    judge,
    mutants: &[
        Mutant::new(
            "block-never-started",
            "sends deltas for blocks that it never started",
            |visit| without(visit, "content_block_start"),
        ),
        Mutant::new("block-never-stopped", "never stops a block", |visit| {
            without(visit, "content_block_stop")
        }),
        Mutant::new("blocks-from-one", "counts blocks from 1", |visit| {
            reworded(visit, |_, event| {
                if let Some(index) = event["index"].as_u64() {
                    event["index"] = json!(index + 1);
                }
            })
        }),
        Mutant::new(
            "delta-behind-stop",
            "sends the last delta of a block behind its stop",
            |visit| {
                let mut held = None;
                rewritten(visit, |_, event| {
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

fn judge(record: &Record<'_>) -> Verdict {
    each_typed(record, "event", "no stream carried a block", |stream, tally| {
        let mut open: Option<u64> = None;
        let mut next = 0;
        for piece in &stream.pieces {
            let index = piece.number("index");
            let wrong = match (piece.kind(), open) {
                ("content_block_start", Some(open)) => {
                    Some(format!("block {index} is started, and block {open} is not stopped"))
                }
                ("content_block_start", None) if index != next => {
                    Some(format!("block {index} is started, and block {next} would be next"))
                }
                ("content_block_start", None) => None,
                (kind @ ("content_block_delta" | "content_block_stop"), at)
                    if at != Some(index) =>
                {
                    Some(format!("`{kind}` is about block {index}, which is not open"))
                }
                ("content_block_delta" | "content_block_stop", _) => None,
                (kind @ ("message_delta" | "message_stop"), Some(open)) => {
                    Some(format!("`{kind}` comes, and block {open} is not stopped"))
                }
                _ => continue,
            };
            tally.look();
            match piece.kind() {
                "content_block_start" => {
                    open = Some(index);
                    next = index + 1;
                }
                "content_block_delta" => {}
                _ => open = None,
            }
            if let Some(wrong) = wrong {
                tally.fault(|| stream.fault(piece, wrong));
            }
        }
    })
}
