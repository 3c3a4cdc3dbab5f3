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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Place;
    use crate::testing::body;

    fn event(size: u64) -> Vec<u8> {
        let payload = usize::try_from(size).expect("a size") - "data:\n\n".len();
        format!("data:{}\n\n", "x".repeat(payload)).into_bytes()
    }

    #[test]
    fn a_larger_event_is_named() {
        let faults = body(&[b"data: a\n\n".to_vec(), event(MOST + 1)].concat()).faults(&RULE);
        assert_eq!(faults[0].place, Place::Body(9));
        assert_eq!(faults[0].message, "an event of 262145 bytes");
    }

    #[test]
    fn the_largest_is_fine_and_so_are_many() {
        body(&[event(MOST), event(MOST)].concat()).passes(&RULE);
    }

    #[test]
    fn no_event_is_no_evidence() {
        body(b": a\n\n").skips(&RULE);
    }
}
