//! What was added is done before the end.

use std::collections::BTreeSet;

use super::rewritten;
use crate::profile::typed::each_typed;
use crate::{Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "openai-responses/item-done",
    judge,
    mutants: &[
        Mutant::new(
            "item-never-done",
            "completes the response without saying that its item is done",
            |visit| {
                rewritten(visit, |_, event| {
                    let is_it = event.data.contains("output_item.done");
                    if is_it { Vec::new() } else { vec![event] }
                })
            },
        ),
        Mutant::new(
            "part-never-done",
            "says that an item is done without saying so of its part",
            |visit| {
                rewritten(visit, |_, event| {
                    let is_it = event.data.contains("content_part.done");
                    if is_it { Vec::new() } else { vec![event] }
                })
            },
        ),
    ],
};

fn judge(record: &Record<'_>) -> Verdict {
    let none = "no response with an item was completed";
    each_typed(record, "item", none, |stream, tally| {
        let (mut items, mut parts) = (BTreeSet::new(), BTreeSet::new());
        for piece in &stream.pieces {
            let item = piece.number("output_index");
            let part = (item, piece.number("content_index"));
            match piece.kind() {
                "response.output_item.added" => {
                    items.insert(item);
                }
                "response.content_part.added" => {
                    parts.insert(part);
                }
                "response.content_part.done" => {
                    parts.remove(&part);
                }
                "response.output_item.done" => {
                    tally.look();
                    items.remove(&item);
                    if let Some((item, part)) = parts.iter().find(|(of, _)| *of == item) {
                        let message = format!("item {item} is done, and its part {part} is not");
                        tally.fault(|| stream.fault(piece, message));
                    }
                }
                "response.completed" => {
                    tally.look_at(items.len() as u64);
                    if let Some(item) = items.first() {
                        let message =
                            format!("the response is completed, and item {item} is not done");
                        tally.fault(|| stream.fault(piece, message));
                    }
                }
                _ => {}
            }
        }
    })
}
