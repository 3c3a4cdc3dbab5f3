//! A stream of chat completion chunks.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::profile::events::{NO_EVENT, Piece, pieces};
use crate::profile::json::read;
use crate::profile::look;
use crate::profile::table::Scope;
use crate::stream::tally::Tally;
use crate::{Fault, Record, Verdict, View};

/// The payload of the end marker, and the kind of that event.
pub(super) const DONE: &str = "[DONE]";
/// The kind of a misspelled end marker.
pub(super) const NEARLY: &str = "nearly [DONE]";
/// The kind of an object with an `error`.
pub(super) const ERROR: &str = "error";
/// The kind of any other JSON.
pub(super) const CHUNK: &str = "chunk";
/// The kind of data that are not JSON.
pub(super) const TEXT: &str = "text";

pub(super) const NO_CHUNK: &str = "no stream carried a chunk of a completion";

pub(super) const EVENTS: Scope = Scope {
    noun: "event",
    none: NO_EVENT,
    name: "the data",
    of: |view| Completion::of(view).pieces,
};

pub(super) const ERRORS: Scope = Scope {
    noun: "error",
    none: "no stream reported an error",
    name: "the error",
    of: |view| {
        Completion::of(view).pieces.into_iter().filter(|piece| piece.kind == ERROR).collect()
    },
};

/// The chunks that have a list of choices; `openai-chat/chunk-object` reports the others.
pub(super) const CHUNKS: Scope = Scope {
    noun: "chunk",
    none: NO_CHUNK,
    name: "the chunk",
    of: |view| {
        let is_chunk = |piece: &Piece<'_>| piece.kind == CHUNK && piece.json["choices"].is_array();
        Completion::of(view).pieces.into_iter().filter(is_chunk).collect()
    },
};

pub(super) const CHOICES: Scope = Scope {
    noun: "choice",
    none: NO_CHUNK,
    name: "the choice",
    of: |view| {
        Completion::of(view).choices().map(|(piece, _, choice)| piece.part(choice)).collect()
    },
};

pub(super) struct Completion<'r> {
    pub(super) view: View<'r>,
    /// The body of the request; null if it is not known.
    pub(super) asked: Value,
    /// The events, in order.
    pub(super) pieces: Vec<Piece<'r>>,
}

impl<'r> Completion<'r> {
    pub(super) fn of(view: &View<'r>) -> Self {
        let asked = serde_json::from_slice(&view.request.body).unwrap_or_default();
        let mut pieces = pieces(view);
        for piece in &mut pieces {
            piece.kind = kind(piece).to_owned();
        }
        Self { view: *view, asked, pieces }
    }

    pub(super) fn chunks(&self) -> impl Iterator<Item = (&Piece<'r>, &Value)> {
        let chunks = self.pieces.iter().filter(|piece| piece.kind == CHUNK);
        chunks.map(|piece| (piece, &piece.json))
    }

    /// The choices in the chunks: the piece, the index of the choice, and the choice.
    pub(super) fn choices(&self) -> impl Iterator<Item = (&Piece<'r>, u64, &Value)> {
        self.chunks().flat_map(|(piece, chunk)| {
            let choices = chunk["choices"].as_array().into_iter().flatten();
            choices.map(move |choice| (piece, choice["index"].as_u64().unwrap_or(0), choice))
        })
    }

    /// The first chunk with the requested usage, if each chunk with usage also has choices.
    pub(super) fn usage_on_a_choice(&self) -> Option<&Piece<'r>> {
        let usages = || self.chunks().filter(|(_, chunk)| chunk["usage"].is_object());
        let is_bare = |chunk: &Value| chunk["choices"].as_array().is_none_or(Vec::is_empty);
        let none_is_bare = !usages().any(|(_, chunk)| is_bare(chunk));
        usages().next().filter(|_| self.wants_usage() && none_is_bare).map(|(piece, _)| piece)
    }

    pub(super) fn wants_usage(&self) -> bool {
        self.asked["stream_options"]["include_usage"] == true
    }

    /// For each choice whether it has a `finish_reason`.
    pub(super) fn ends(&self) -> BTreeMap<u64, bool> {
        let mut ends = BTreeMap::new();
        for (_, index, choice) in self.choices() {
            *ends.entry(index).or_default() |= finish_reason(choice).is_some();
        }
        ends
    }

    pub(super) fn is_finished(&self) -> bool {
        let ends = self.ends();
        !ends.is_empty() && ends.values().all(|is_finished| *is_finished)
    }

    /// Whether the stream has an end marker, even a misspelled one.
    pub(super) fn is_done(&self) -> bool {
        self.pieces.iter().any(is_done)
    }

    pub(super) fn has_error(&self) -> bool {
        self.pieces.iter().any(|piece| piece.kind == ERROR)
    }

    pub(super) fn fault(&self, piece: &Piece<'_>, message: impl Into<String>) -> Fault {
        Fault::at(&self.view, piece.offset, message)
    }

    /// A fault at the last event.
    pub(super) fn fault_at_last(&self, message: impl Into<String>) -> Fault {
        let last = self.pieces.last().map_or(0, |piece| piece.offset);
        Fault::at(&self.view, last, message)
    }
}

/// Whether the event is an end marker, even a misspelled one.
pub(super) fn is_done(piece: &Piece<'_>) -> bool {
    piece.kind == DONE || piece.kind == NEARLY
}

/// The `finish_reason` of a choice, if it has one.
pub(super) fn finish_reason(choice: &Value) -> Option<&str> {
    choice["finish_reason"].as_str().filter(|reason| !reason.is_empty())
}

/// Judges each completion: see [`look::each_stream`].
pub(super) fn each_completion<'r>(
    record: &'r Record<'_>,
    noun: &str,
    none: &str,
    look: impl Fn(&Completion<'r>, &mut Tally),
) -> Verdict {
    look::each_stream(record, noun, none, |view, tally| look(&Completion::of(view), tally))
}

fn kind(piece: &Piece<'_>) -> &'static str {
    if piece.data == DONE {
        return DONE;
    }
    let is_around = |char: char| char.is_whitespace() || "[]\"'".contains(char);
    if piece.data.trim_matches(is_around).eq_ignore_ascii_case("done") {
        return NEARLY;
    }
    match &piece.json {
        Value::Null if read(piece.data).is_none() => TEXT,
        value if !value["error"].is_null() && value["choices"].is_null() => ERROR,
        _ => CHUNK,
    }
}
