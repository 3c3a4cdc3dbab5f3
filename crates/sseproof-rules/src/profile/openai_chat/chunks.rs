//! A stream of chat completion chunks, as the rules of this profile see it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::profile::json::read;
use crate::profile::look;
use crate::stream::tally::Tally;
use crate::{Record, Verdict, View};

/// The payload that ends a stream.
pub(super) const DONE: &str = "[DONE]";

/// A stream of chunks.
pub(super) struct Completion<'r> {
    /// The exchange.
    pub(super) view: View<'r>,
    /// What the request asked for; null where that cannot be known.
    pub(super) asked: Value,
    /// The events, in order.
    pub(super) pieces: Vec<Piece<'r>>,
}

/// One event of the stream.
pub(super) struct Piece<'r> {
    /// Where it begins in the body.
    pub(super) offset: u64,
    /// Its payload.
    pub(super) data: &'r str,
    /// What it is.
    pub(super) what: What,
}

/// What an event is.
pub(super) enum What {
    /// The end, exactly as it must be.
    Done,
    /// What can only be meant as the end.
    Nearly,
    /// An object with an `error`.
    Error(Value),
    /// Any other JSON.
    Chunk(Value),
    /// No JSON.
    Text,
}

/// What became of one choice.
#[derive(Default)]
pub(super) struct Choice {
    /// Whether its `finish_reason` came.
    pub(super) is_finished: bool,
}

impl<'r> Completion<'r> {
    pub(super) fn of(view: &View<'r>) -> Self {
        let asked = serde_json::from_slice(&view.request.body).unwrap_or_default();
        let pieces = view.events().map(|(event, _)| Piece {
            offset: event.span.start,
            data: &event.data,
            what: what(&event.data),
        });
        Self { view: *view, asked, pieces: pieces.collect() }
    }

    /// The chunks, with the piece that each one is.
    pub(super) fn chunks(&self) -> impl Iterator<Item = (&Piece<'r>, &Value)> {
        self.pieces.iter().filter_map(|piece| match &piece.what {
            What::Chunk(chunk) => Some((piece, chunk)),
            _ => None,
        })
    }

    /// The choices in the chunks: the piece, the index of the choice, and the choice.
    pub(super) fn choices(&self) -> impl Iterator<Item = (&Piece<'r>, u64, &Value)> {
        self.chunks().flat_map(|(piece, chunk)| {
            let choices = chunk["choices"].as_array().into_iter().flatten();
            choices.map(move |choice| (piece, choice["index"].as_u64().unwrap_or(0), choice))
        })
    }

    /// The first chunk with the usage that was asked for, where each one that has it has choices,
    /// too.
    pub(super) fn usage_on_a_choice(&self) -> Option<&Piece<'r>> {
        let asked = self.asked["stream_options"]["include_usage"] == true;
        let usages = || self.chunks().filter(|(_, chunk)| chunk["usage"].is_object());
        let is_bare = |chunk: &Value| chunk["choices"].as_array().is_none_or(Vec::is_empty);
        let none_is_bare = !usages().any(|(_, chunk)| is_bare(chunk));
        usages().next().filter(|_| asked && none_is_bare).map(|(piece, _)| piece)
    }

    /// What became of each choice that was begun.
    pub(super) fn ends(&self) -> BTreeMap<u64, Choice> {
        let mut ends: BTreeMap<u64, Choice> = BTreeMap::new();
        for (_, index, choice) in self.choices() {
            ends.entry(index).or_default().is_finished |= finish_reason(choice).is_some();
        }
        ends
    }

    /// Whether choices came, and every one of them was finished.
    pub(super) fn is_finished(&self) -> bool {
        let ends = self.ends();
        !ends.is_empty() && ends.values().all(|choice| choice.is_finished)
    }

    /// Whether the stream says that it is over, well spelled or not.
    pub(super) fn is_done(&self) -> bool {
        self.pieces.iter().any(|piece| matches!(piece.what, What::Done | What::Nearly))
    }

    /// Whether the stream tells of an error.
    pub(super) fn has_error(&self) -> bool {
        self.pieces.iter().any(|piece| matches!(piece.what, What::Error(_)))
    }
}

/// The `finish_reason` of a choice, where it has one.
pub(super) fn finish_reason(choice: &Value) -> Option<&str> {
    choice["finish_reason"].as_str().filter(|reason| !reason.is_empty())
}

/// Judges each completion by itself: see [`look::each_stream`].
pub(super) fn each_completion<'r>(
    record: &'r Record<'_>,
    noun: &str,
    none: &str,
    look: impl Fn(&Completion<'r>, &mut Tally),
) -> Verdict {
    look::each_stream(record, noun, none, |view, tally| look(&Completion::of(view), tally))
}

fn what(data: &str) -> What {
    if data == DONE {
        return What::Done;
    }
    let bare = data.trim_matches(|char: char| char.is_whitespace() || "[]\"'".contains(char));
    if bare.eq_ignore_ascii_case("done") {
        return What::Nearly;
    }
    match read(data) {
        Some(value) if !value["error"].is_null() && value["choices"].is_null() => {
            What::Error(value)
        }
        Some(value) => What::Chunk(value),
        None => What::Text,
    }
}
