//! The events of one stream, each with its payload as JSON; many protocols say the type of an event
//! twice, in the field `event` and in that payload.

use serde_json::Value;
use sseproof_codec::Event;
use sseproof_record::Ending;

use super::json::read;
use super::look;
use crate::stream::tally::Tally;
use crate::{Fault, Record, Verdict, View};

/// Why there is nothing to judge where no stream has an event.
pub(super) const NO_EVENT: &str = "no stream carried an event";

/// One event of a stream, or a part of its payload that is judged by itself.
pub(super) struct Piece<'r> {
    /// Where the event begins in the body.
    pub(super) offset: u64,
    /// The type that the field `event` gives it; `message` without one.
    pub(super) event: &'r str,
    pub(super) data: &'r str,
    /// Its payload, or the part of it, as JSON; null where it is none.
    pub(super) json: Value,
    /// What kind of event it is: the type that the JSON says, unless the protocol has another way to
    /// say it.
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

/// The events whose payload says its type.
pub(super) fn typed<'r>(view: &View<'r>) -> Vec<Piece<'r>> {
    pieces(view).into_iter().filter(|piece| !piece.kind.is_empty()).collect()
}

impl Piece<'_> {
    /// The member of that name as a number; 0 where it is none.
    pub(super) fn number(&self, name: &str) -> u64 {
        self.json[name].as_u64().unwrap_or_default()
    }

    /// The same event with that part of its payload alone.
    pub(super) fn part(&self, json: &Value) -> Self {
        Self { json: json.clone(), kind: self.kind.clone(), ..*self }
    }
}

/// Whether the server ended the response, as if all was said.
pub(super) fn is_ended(view: &View<'_>) -> bool {
    view.end.how == Ending::Complete
}

/// Judges the events of each stream by themselves: see [`look::each_stream`].
pub(super) fn each<'r>(
    record: &'r Record<'_>,
    noun: &str,
    none: &str,
    look: impl Fn(&View<'r>, &[Piece<'r>], &mut Tally),
) -> Verdict {
    look::each_stream(record, noun, none, |view, tally| look(view, &pieces(view), tally))
}

/// Judges whether the field `event` says what `type` says.
pub(super) fn names(record: &Record<'_>) -> Verdict {
    look::each_stream(record, "event", NO_EVENT, |view, tally| {
        for piece in typed(view) {
            tally.look();
            if piece.event == piece.kind {
                continue;
            }
            let message = match piece.event {
                "message" => format!("`type` is `{}`, and there is no `event` field", piece.kind),
                event => format!("`type` is `{}`, and `event` is `{event}`", piece.kind),
            };
            tally.fault(|| Fault::at(view, piece.offset, message));
        }
    })
}
