//! Characters that are split between two pieces of a text.

use std::cell::Cell;
use std::collections::BTreeSet;

use serde_json::Value;

use super::events::Piece;
use super::json::HALF;
use super::look;
use crate::stream::quoted;
use crate::{Fault, Record, Verdict, View};

pub(super) struct Fragment {
    pub(super) offset: u64,
    /// The text that it continues.
    pub(super) of: String,
    pub(super) text: String,
    /// Whether the data contain U+FFFD as a character or escape; otherwise a U+FFFD in the text is
    /// half of a surrogate pair.
    pub(super) is_spelled: bool,
}

impl Fragment {
    pub(super) fn new(piece: &Piece<'_>, of: String, text: &Value) -> Option<Self> {
        let data = piece.data;
        let is_spelled = data.contains(HALF) || data.to_ascii_lowercase().contains("\\ufffd");
        Some(Self { offset: piece.offset, of, text: text.as_str()?.to_owned(), is_spelled })
    }
}

/// Judges the texts that `fragments` finds in each stream.
pub(super) fn judge<'r>(
    record: &'r Record<'_>,
    none: &str,
    fragments: impl Fn(&View<'r>) -> Vec<Fragment>,
) -> Verdict {
    let lone = Cell::new(false);
    let verdict = look::each_stream(record, "piece of text", none, |view, tally| {
        let mut cut = BTreeSet::new();
        for piece in fragments(view) {
            tally.look();
            let is_half = piece.text.contains(HALF) && !piece.is_spelled;
            if is_half || (piece.text.starts_with(HALF) && cut.contains(&piece.of)) {
                let text = quoted(piece.text.as_bytes());
                let message = format!("a character is split here: {text}");
                tally.fault(|| Fault::at(view, piece.offset, message));
            } else if piece.text.contains(HALF) {
                lone.set(true);
            }
            if piece.text.ends_with(HALF) {
                cut.insert(piece.of);
            } else if !piece.text.is_empty() {
                cut.remove(&piece.of);
            }
        }
    });
    match verdict {
        // A model may write that character itself.
        Verdict::Pass(_) if lone.get() => Verdict::Inconclusive(format!(
            "a piece of text contains `{HALF}`, but its neighbours do not: it may be intended"
        )),
        verdict => verdict,
    }
}
