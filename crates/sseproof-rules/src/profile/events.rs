//! The events of one stream, each with its payload as JSON; in many protocols the type of an
//! event is in the field `event` and in the payload.

use serde_json::Value;
use sseproof_codec::Event;
use sseproof_record::Ending;

use super::json::read;
use super::look;
use crate::stream::tally::Tally;
use crate::{Fault, Record, Verdict, View};

pub(super) const NO_EVENT: &str = "no stream carried an event";

/// One event of a stream, or a part of its payload.
pub(super) struct Piece<'r> {
    pub(super) offset: u64,
    /// Its type by the field `event`; `message` without that field.
    pub(super) event: &'r str,
    pub(super) data: &'r str,
    /// The payload, or a part of it, as JSON; null if it is not JSON.
    pub(super) json: Value,
    /// Its type by the member `type` of the JSON, or by the rules of the protocol.
    pub(super) kind: String,
}

/// The events of the stream, in order.
pub(super) fn pieces<'r>(view: &View<'r>) -> Vec<Piece<'r>> {
    let piece = |event: &'r Event<'static>| {
        let json = read(&event.data).unwrap_or_default();
        let kind = json["type"].as_str().unwrap_or_default().to_owned();
        Piece { offset: event.span.start, event: &event.event_type, data: &event.data, json, kind }
    };
    view.events().map(|(event, _)| piece(event)).collect()
}

/// The events with a `type` in their payload.
pub(super) fn typed<'r>(view: &View<'r>) -> Vec<Piece<'r>> {
    pieces(view).into_iter().filter(|piece| !piece.kind.is_empty()).collect()
}

impl Piece<'_> {
    /// The member of that name as a number; 0 if it is not a number.
    pub(super) fn number(&self, name: &str) -> u64 {
        self.json[name].as_u64().unwrap_or_default()
    }

    /// The same event with only that part of its payload.
    pub(super) fn part(&self, json: &Value) -> Self {
        Self { json: json.clone(), kind: self.kind.clone(), ..*self }
    }
}

/// Whether the server ended the response normally.
pub(super) fn is_ended(view: &View<'_>) -> bool {
    view.end.how == Ending::Complete
}

/// Judges the events of each stream: see [`look::each_stream`].
pub(super) fn each<'r>(
    record: &'r Record<'_>,
    noun: &str,
    none: &str,
    look: impl Fn(&View<'r>, &[Piece<'r>], &mut Tally),
) -> Verdict {
    look::each_stream(record, noun, none, |view, tally| look(view, &pieces(view), tally))
}

/// Judges whether the field `event` equals `type`.
pub(super) fn names(record: &Record<'_>) -> Verdict {
    look::each_stream(record, "event", NO_EVENT, |view, tally| {
        for piece in typed(view) {
            tally.look();
            if piece.event == piece.kind {
                continue;
            }
            let message = match piece.event {
                "message" => format!("`type` is `{}`, but there is no `event` field", piece.kind),
                event => format!("`type` is `{}`, but `event` is `{event}`", piece.kind),
            };
            tally.fault(|| Fault::at(view, piece.offset, message));
        }
    })
}
