//! A message stops, or tells of an error.

use super::{rewritten, without};
use crate::profile::typed::each_typed;
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "anthropic-messages/message-stop",
    judge,
    mutants: &[
        Mutant::new("no-message-stop", "ends the response without stopping the message", |visit| {
            without(visit, "message_stop")
        }),
        Mutant::new("message-stops-twice", "stops a message twice", |visit| {
            rewritten(visit, |_, event| {
                let is_stop = event.event.as_deref() == Some("message_stop");
                vec![event; if is_stop { 2 } else { 1 }]
            })
        }),
    ],
};

fn judge(record: &Record<'_>) -> Verdict {
    let none = "no stream of a message was seen to its end";
    each_typed(record, "end", none, |stream, tally| {
        let mut typed = stream.pieces.iter().filter(|piece| !piece.kind().is_empty());
        let Some(_) = typed.find(|piece| matches!(piece.kind(), "message_stop" | "error")) else {
            if stream.is_ended() && !stream.pieces.is_empty() {
                tally.look();
                let message = "the response ends, and the message was neither stopped nor failed";
                let end = stream.view.body_len();
                tally.fault(|| Fault::at(&stream.view, end, message));
            }
            return;
        };
        tally.look();
        if let Some(late) = typed.find(|piece| !matches!(piece.kind(), "ping" | "error")) {
            let message = format!("`{}` comes behind the end of the message", late.kind());
            tally.fault(|| stream.fault(late, message));
        }
    })
}
