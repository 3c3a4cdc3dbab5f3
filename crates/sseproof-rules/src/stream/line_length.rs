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
