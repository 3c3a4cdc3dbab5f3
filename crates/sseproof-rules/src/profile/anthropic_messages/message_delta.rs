//! A message says why it stops.

use serde_json::Value;

use super::{reworded, without};
use crate::profile::typed::{Piece, each_typed};
use crate::{Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "anthropic-messages/message-delta",
    judge,
    mutants: &[
        Mutant::new("no-message-delta", "stops a message without a `message_delta`", |visit| {
            without(visit, "message_delta")
        }),
        Mutant::new("stop-without-reason", "never says why a message stops", |visit| {
            reworded(visit, |_, event| {
                if event["type"] == "message_delta" {
                    event["delta"]["stop_reason"] = Value::Null;
                }
            })
        }),
    ],
};

fn judge(record: &Record<'_>) -> Verdict {
    let none = "no stream carried `message_stop`";
    each_typed(record, "message", none, |stream, tally| {
        let Some(stop) = stream.pieces.iter().find(|piece| piece.kind() == "message_stop") else {
            return;
        };
        tally.look();
        let before = stream.pieces.iter().take_while(|piece| piece.offset < stop.offset);
        let deltas: Vec<_> = before.filter(|piece| piece.kind() == "message_delta").collect();
        let says = |piece: &&Piece<'_>| piece.json["delta"]["stop_reason"].is_string();
        let wrong = match deltas.iter().any(says) {
            true => return,
            false if deltas.is_empty() => "the message stops without a `message_delta`",
            false => "the message stops, and no `message_delta` had a `stop_reason`",
        };
        tally.fault(|| stream.fault(stop, wrong));
    })
}
