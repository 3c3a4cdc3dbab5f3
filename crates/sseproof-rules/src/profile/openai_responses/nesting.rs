//! What is filled or done was added before. What is never done is told by `openai-responses/item-done`.

use std::collections::BTreeSet;

use super::rewritten;
use crate::profile::typed::{Piece, each_typed};
use crate::{Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "openai-responses/nesting",
    judge,
    mutants: &[
        Mutant::new("part-never-added", "sends deltas for a part that was never added", |visit| {
            rewritten(visit, |_, event| {
                let is_it = event.data.contains("content_part.added");
                if is_it { Vec::new() } else { vec![event] }
            })
        }),
        Mutant::new("item-never-added", "never says that an item was added", |visit| {
            rewritten(visit, |_, event| {
                let is_it = event.data.contains("output_item.added");
                if is_it { Vec::new() } else { vec![event] }
            })
        }),
    ],
};

/// What was added to a response: its items by their index, and their parts.
#[derive(Default)]
struct Added {
    items: BTreeSet<u64>,
    parts: BTreeSet<(u64, u64)>,
}

fn judge(record: &Record<'_>) -> Verdict {
    let none = "no stream carried an item";
    each_typed(record, "event", none, |stream, tally| {
        let mut added = Added::default();
        for piece in stream.pieces.iter().filter(|piece| piece.json["output_index"].is_u64()) {
            tally.look();
            if let Some(wrong) = added.take(piece) {
                tally.fault(|| stream.fault(piece, wrong));
            }
        }
    })
}

impl Added {
    /// Takes in an event, and says what is wrong with its place.
    fn take(&mut self, piece: &Piece<'_>) -> Option<String> {
        let kind = piece.kind().trim_start_matches("response.");
        let (item, part) = (piece.number("output_index"), piece.number("content_index"));
        if kind == "output_item.added" {
            let is_new = self.items.insert(item);
            return (!is_new).then(|| format!("item {item} is added a second time"));
        }
        if !self.items.contains(&item) {
            return Some(format!("`{kind}` is about item {item}, which was never added"));
        }
        if kind == "content_part.added" {
            let is_new = self.parts.insert((item, part));
            return (!is_new).then(|| format!("part {part} of item {item} is added a second time"));
        }
        let starts = ["output_text.", "refusal.", "content_part."];
        let is_of_part = starts.iter().any(|start| kind.starts_with(start));
        (is_of_part && !self.parts.contains(&(item, part)))
            .then(|| format!("`{kind}` is about part {part} of item {item}, which was never added"))
    }
}
