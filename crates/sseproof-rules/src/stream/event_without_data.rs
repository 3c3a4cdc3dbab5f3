//! An event has data.

use super::lines::{Block, Known, Line, blocks};
use super::tally::each_stream;
use super::{quoted, slip_in};
use crate::{Fault, Mutant, Record, Rule, Verdict, View};

pub(super) const RULE: Rule = Rule {
    id: "stream/event-without-data",
    judge,
    mutants: &[Mutant::new(
        "event-without-data",
        "writes an event that has a type and no data",
        |visit| slip_in(visit, b"event: complete\n\n"),
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    each_stream(record, "block", |view, tally| {
        let body = view.body_bytes();
        let blocks = blocks(&body);
        let closed = || blocks.iter().filter(|block| block.is_closed());
        let behind = closed().skip(1).map(Some).chain([None]);
        for (block, next) in closed().zip(behind) {
            tally.look_at(u64::from(block.fields().next().is_some()));
            if let Some(event) = lost(block) {
                tally.fault(|| fault(view, event, next));
            }
        }
    })
}

/// The type of an event that is lost since its block has no data. A block with a line that no
/// client knows is left out: its data may be what that line was meant to be.
fn lost<'l, 'b>(block: &'l Block<'b>) -> Option<&'l Line<'b>> {
    let all_known = block.fields().all(|line| line.known().is_some());
    let event = block.all(Known::Event).next_back()?;
    (all_known && !block.has(Known::Data) && !event.value().is_empty()).then_some(event)
}

fn fault(view: &View<'_>, event: &Line<'_>, next: Option<&Block<'_>>) -> Fault {
    let name = quoted(event.value());
    let fault = Fault::at(
        view,
        event.start,
        format!("the event {name} has no data, so it is never delivered"),
    );
    let cut_off = next.is_some_and(|next| {
        next.fields().next().is_some_and(|first| first.known() == Some(Known::Data))
            && !next.has(Known::Event)
    });
    if cut_off {
        fault.so("if the data after the blank line was meant for this event, clients deliver it as `message`")
    } else {
        fault
    }
}
