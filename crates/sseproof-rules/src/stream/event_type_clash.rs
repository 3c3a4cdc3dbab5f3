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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Place;
    use crate::testing::body;

    #[test]
    fn both_types_are_named() {
        for name in ["error", "open"] {
            let faults =
                body(format!("id: 1\nevent: {name}\ndata: a\n\n").as_bytes()).faults(&RULE);
            assert_eq!(faults[0].place, Place::Body(6));
            assert!(faults[0].message.contains(name));
        }
    }

    #[test]
    fn other_types_are_fine() {
        body(b"event: Error\ndata: a\n\nevent: errors\ndata: error\n\nevent: message\ndata\n\n")
            .passes(&RULE);
    }

    #[test]
    fn what_is_never_delivered_clashes_with_nothing() {
        body(b"event: error\n\nevent: error\ndata: a\n").skips(&RULE);
        body(b"event: error\nevent: mine\ndata: a\n\n").passes(&RULE);
    }
}
