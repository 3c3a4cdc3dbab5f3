//! Streams whose events say their type twice: in the field `event`, and in the JSON of the data.

use serde_json::Value;
use sseproof_record::Ending;

use super::json::{read, shown};
use super::look;
use crate::stream::quoted;
use crate::stream::tally::Tally;
use crate::{Fault, Record, Verdict, View};

/// Why there is nothing to judge where no stream has an event.
pub(super) const NO_EVENT: &str = "no stream carried an event";

/// A stream of typed events.
pub(super) struct Typed<'r> {
    /// The exchange.
    pub(super) view: View<'r>,
    /// The events, in order.
    pub(super) pieces: Vec<Piece<'r>>,
}

/// One event of the stream.
pub(super) struct Piece<'r> {
    /// Where it begins in the body.
    pub(super) offset: u64,
    /// The type that the field `event` gives it; `message` without one.
    pub(super) event: &'r str,
    /// Its payload.
    pub(super) data: &'r str,
    /// Its payload as JSON; null where it is none.
    pub(super) json: Value,
}

impl<'r> Typed<'r> {
    pub(super) fn of(view: &View<'r>) -> Self {
        let pieces = view.events().map(|(event, _)| Piece {
            offset: event.span.start,
            event: &event.event_type,
            data: &event.data,
            json: read(&event.data).unwrap_or_default(),
        });
        Self { view: *view, pieces: pieces.collect() }
    }

    /// Whether the server ended the response, as if all was said.
    pub(super) fn is_ended(&self) -> bool {
        self.view.end.how == Ending::Complete
    }

    /// A fault at the event.
    pub(super) fn fault(&self, piece: &Piece<'_>, message: impl Into<String>) -> Fault {
        Fault::at(&self.view, piece.offset, message)
    }
}

impl Piece<'_> {
    /// The type that the JSON says.
    pub(super) fn kind(&self) -> &str {
        self.json["type"].as_str().unwrap_or_default()
    }

    /// The member of that name as a number; 0 where it is none.
    pub(super) fn number(&self, name: &str) -> u64 {
        self.json[name].as_u64().unwrap_or_default()
    }
}

/// Judges each stream by itself: see [`look::each_stream`].
pub(super) fn each_typed<'r>(
    record: &'r Record<'_>,
    noun: &str,
    none: &str,
    look: impl Fn(&Typed<'r>, &mut Tally),
) -> Verdict {
    look::each_stream(record, noun, none, |view, tally| look(&Typed::of(view), tally))
}

/// Judges whether each event is a JSON object with a `type`. Some servers say `[DONE]` at the end,
/// as older protocols do, and clients pass it over.
pub(super) fn objects(record: &Record<'_>) -> Verdict {
    each_typed(record, "event", NO_EVENT, |stream, tally| {
        for piece in stream.pieces.iter().filter(|piece| piece.data != "[DONE]") {
            tally.look();
            let wrong = match &piece.json {
                Value::Object(_) if !piece.kind().is_empty() => continue,
                Value::Object(_) => format!("the data has no `type`: {}", shown(&piece.json)),
                Value::Null => {
                    format!("the data is no JSON: {}", quoted(piece.data.as_bytes()))
                }
                other => format!("the data is JSON, but no object: {}", shown(other)),
            };
            tally.fault(|| stream.fault(piece, wrong));
        }
    })
}

/// Judges whether the field `event` says what `type` says.
pub(super) fn names(record: &Record<'_>) -> Verdict {
    each_typed(record, "event", NO_EVENT, |stream, tally| {
        for piece in stream.pieces.iter().filter(|piece| !piece.kind().is_empty()) {
            tally.look();
            if piece.event == piece.kind() {
                continue;
            }
            let message = match piece.event {
                "message" => format!("`type` is `{}`, and there is no `event` field", piece.kind()),
                event => format!("`type` is `{}`, and `event` is `{event}`", piece.kind()),
            };
            tally.fault(|| stream.fault(piece, message));
        }
    })
}
