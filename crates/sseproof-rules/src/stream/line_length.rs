//! Lines fit the buffers of clients.

use super::lines::blocks;
use super::slip_in;
use super::tally::each_stream;
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "stream/line-length",
    judge,
    mutants: &[Mutant::new("line-too-long", "writes a line of 70 000 bytes", |visit| {
        slip_in(visit, format!("data: {}\n\n", "x".repeat(70_000)).as_bytes())
    })],
};

/// The longest line, in bytes and without its end.
const MOST: usize = 65_536;

fn judge(record: &Record<'_>) -> Verdict {
    each_stream(record, "line", |view, tally| {
        let body = view.body_bytes();
        for line in blocks(&body).iter().flat_map(|block| block.lines()) {
            tally.look();
            if line.bytes.len() > MOST {
                tally.fault(|| {
                    let message = format!("a line of {} bytes", line.bytes.len());
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
    fn a_longer_line_is_named() {
        let faults = body(format!("data: a\n:{}\n\n", "x".repeat(MOST)).as_bytes()).faults(&RULE);
        assert_eq!(faults[0].place, Place::Body(8));
        assert_eq!(faults[0].message, "a line of 65537 bytes");
    }

    #[test]
    fn the_longest_line_is_fine_and_so_are_many() {
        let line = format!("data:{}\n", "x".repeat(MOST - 5));
        body(format!("{line}{line}{line}\n").as_bytes()).passes(&RULE);
    }

    #[test]
    fn no_line_is_no_evidence() {
        body(b"\n").skips(&RULE);
    }
}
