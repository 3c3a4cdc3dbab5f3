//! What is done was added before, and what is within comes between.

use std::collections::{BTreeMap, BTreeSet};

use super::rewritten;
use crate::profile::typed::{Piece, each_typed};
use crate::{Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "openai-responses/nesting",
    requirement: "openai-responses/nesting",
    title: "items and parts are added once, then filled, then done",
    why: "Clients look the item of a delta up by its index: where it was not added before, they throw, and where it is never done, tools are not run.",
    fix: "Send `output_item.added`, `content_part.added`, the deltas, and the `done` events in the reverse order, each with the same indexes.",
    recipes: &[],
    judge,
    mutants: &[
        Mutant {
            id: "part-never-added",
            wrong: "sends deltas for a part that was never added",
            serve: |visit| {
                rewritten(visit, |_, event| {
                    let is_it = event.data.contains("content_part.added");
                    if is_it { Vec::new() } else { vec![event] }
                })
            },
        },
        Mutant {
            id: "item-never-added",
            wrong: "never says that an item was added",
            serve: |visit| {
                rewritten(visit, |_, event| {
                    let is_it = event.data.contains("output_item.added");
                    if is_it { Vec::new() } else { vec![event] }
                })
            },
        },
        Mutant {
            id: "item-never-done",
            wrong: "completes the response without saying that its item is done",
            serve: |visit| {
                rewritten(visit, |_, event| {
                    let is_it = event.data.contains("output_item.done");
                    if is_it { Vec::new() } else { vec![event] }
                })
            },
        },
    ],
};

/// The items of a response, by their index.
#[derive(Default)]
struct Items {
    open: BTreeMap<u64, BTreeSet<u64>>,
    done: BTreeSet<u64>,
}

fn judge(record: &Record<'_>) -> Verdict {
    let none = "no stream carried an item";
    each_typed(record, "event", none, |stream, tally| {
        let mut items = Items::default();
        for piece in &stream.pieces {
            let is_about_items =
                piece.json["output_index"].is_u64() || piece.kind() == "response.completed";
            if !is_about_items {
                continue;
            }
            tally.look();
            if let Some(wrong) = items.take(piece) {
                tally.fault(|| stream.fault(piece, wrong));
            }
        }
    })
}

impl Items {
    /// Takes in an event, and says what is wrong with its place.
    fn take(&mut self, piece: &Piece<'_>) -> Option<String> {
        let kind = piece.kind().trim_start_matches("response.");
        let (item, part) = (piece.number("output_index"), piece.number("content_index"));
        let is_known = self.open.contains_key(&item) || self.done.contains(&item);
        match kind {
            "completed" => {
                let open = self.open.keys().next()?;
                return Some(format!("the response is completed, and item {open} is not done"));
            }
            "output_item.added" if is_known => {
                return Some(format!("item {item} is added a second time"));
            }
            "output_item.added" => {
                self.open.insert(item, BTreeSet::new());
                return None;
            }
            _ => {}
        }
        let Some(parts) = self.open.get_mut(&item) else {
            let missed =
                if self.done.contains(&item) { "is done already" } else { "was never added" };
            return Some(format!("`{kind}` is about item {item}, which {missed}"));
        };
        let has_part = parts.contains(&part);
        let is_of_part = kind.starts_with("output_text.") || kind.starts_with("refusal.");
        match kind {
            "content_part.added" if has_part => {
                Some(format!("part {part} of item {item} is added a second time"))
            }
            "content_part.added" => {
                parts.insert(part);
                None
            }
            _ if is_of_part && !has_part => {
                Some(format!("`{kind}` is about part {part} of item {item}, which is not open"))
            }
            "content_part.done" if !parts.remove(&part) => {
                Some(format!("part {part} of item {item} is done, and was not open"))
            }
            "output_item.done" => {
                let open = parts.pop_first();
                self.open.remove(&item);
                self.done.insert(item);
                open.map(|part| format!("item {item} is done, and its part {part} is not"))
            }
            _ => None,
        }
    }
}
