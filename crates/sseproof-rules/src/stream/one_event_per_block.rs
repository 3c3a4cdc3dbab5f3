//! A block holds one event.

use super::lines::{Block, Known, Line, blocks};
use super::tally::each_stream;
use super::{quoted, slip_in};
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "stream/one-event-per-block",
    judge,
    mutants: &[Mutant::new(
        "error-into-half-an-event",
        "writes an error event after half of another one",
        |visit| {
            slip_in(visit, b"data: {\"half\":\nevent: failure\ndata: {\"error\":\"broken\"}\n\n")
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    each_stream(record, "event", |view, tally| {
        let body = view.body_bytes();
        for block in blocks(&body).iter().filter(|block| block.is_closed()) {
            tally.look_at(u64::from(block.has(Known::Data)));
            if let Some(second) = second_event(block) {
                tally.fault(|| {
                    let message = format!(
                        "{} begins a second event without a blank line before it",
                        quoted(second.bytes)
                    );
                    Fault::at(view, second.start, message)
                        .so("clients deliver both as one event, with the payloads joined")
                });
            }
        }
    })
}

/// The line with which a second event begins: an `event` or `id` with data on both its sides, or
/// one that changes what the same block has said before.
fn second_event<'l, 'b>(block: &'l Block<'b>) -> Option<&'l Line<'b>> {
    let is_data = |line: &Line<'_>| line.known() == Some(Known::Data);
    let names = |line: &Line<'_>| matches!(line.known(), Some(Known::Event | Known::Id));
    let mut after_data = block.fields().skip_while(|line| !is_data(line));
    let between = after_data.clone().find(|line| names(line));
    let is_between = between
        .is_some_and(|between| after_data.any(|line| line.start > between.start && is_data(line)));
    if is_between {
        return between;
    }
    [Known::Event, Known::Id].into_iter().find_map(|known| {
        let first = block.all(known).next()?.value();
        block.all(known).find(|line| line.value() != first)
    })
}
