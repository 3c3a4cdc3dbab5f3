//! No event type is that of a signal of the client.

use super::lines::{Known, blocks};
use super::tally::each_stream;
use super::{quoted, slip_in};
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(crate) const RULE: Rule = Rule {
    id: "stream/event-type-clash",
    judge,
    mutants: &[Mutant::new("event-named-error", "writes an event of the type `error`", |visit| {
        slip_in(visit, b"event: error\ndata: {\"code\":7}\n\n")
    })],
};

fn judge(record: &Record<'_>) -> Verdict {
    each_stream(record, "event", |view, tally| {
        let body = view.body_bytes();
        for block in blocks(&body) {
            if !block.is_closed() || !block.has(Known::Data) {
                continue;
            }
            tally.look();
            let Some(line) = block.all(Known::Event).next_back() else { continue };
            if matches!(line.value(), b"error" | b"open") {
                tally.fault(|| {
                    let name = quoted(line.value());
                    let message =
                        format!("an event of the type {name}, which clients themselves fire");
                    Fault::at(view, line.start, message)
                });
            }
        }
    })
}
