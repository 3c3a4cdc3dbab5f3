//! Events fit the buffers of clients.

use super::slip_in;
use super::tally::each_stream;
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "stream/event-size",
    judge,
    mutants: &[Mutant::new(
        "event-too-large",
        "writes an event of 300 000 bytes, in short lines",
        |visit| {
            let line = format!("data: {}\n", "x".repeat(993));
            slip_in(visit, format!("{}\n", line.repeat(300)).as_bytes())
        },
    )],
};

/// The largest event, in bytes of the stream.
const MOST: u64 = 262_144;

fn judge(record: &Record<'_>) -> Verdict {
    each_stream(record, "event", |view, tally| {
        for (event, _) in view.events() {
            tally.look();
            if event.span.len() > MOST {
                tally.fault(|| {
                    let message = format!("an event of {} bytes", event.span.len());
                    Fault::at(view, event.span.start, message)
                });
            }
        }
    })
}
