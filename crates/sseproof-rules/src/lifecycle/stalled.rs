//! A client that was served, and then reads nothing.

use std::time::Duration;

use sseproof_record::{RunEvent, RunEventKind};

use crate::{Record, View};

/// Why a client of which [`heard_before`] does not hold proves nothing.
pub(super) const NEVER_SERVED: &str =
    "the client that was to stop reading had received none of the events published before";

/// Whether the client got an event by then.
pub(super) fn heard_before(view: &View<'_>, stalled_at: Duration) -> bool {
    view.events().any(|(_, at)| at <= stalled_at)
}

/// The client that stopped reading while events were published, and when it did.
pub(super) fn stalled<'r>(record: &'r Record<'_>) -> Option<(View<'r>, &'r RunEvent)> {
    record.run_events().iter().find_map(|event| match event.what {
        RunEventKind::Stalled { exchange } => Some((record.exchange(exchange)?, event)),
        _ => None,
    })
}

/// The events of the same scenario before and after this one, in the order of the steps: several
/// may have one time.
pub(super) fn around<'r>(
    record: &'r Record<'_>,
    event: &'r RunEvent,
) -> (Vec<&'r RunEvent>, Vec<&'r RunEvent>) {
    let same = record.run_events().iter().filter(|other| other.scenario == event.scenario);
    let all: Vec<_> = same.collect();
    let place = all.iter().position(|other| std::ptr::eq(*other, event)).unwrap_or(all.len());
    (all[..place].to_vec(), all[place..].to_vec())
}

/// The client that was there beside the one that stopped reading.
pub(super) fn beside<'r>(
    record: &'r Record<'_>,
    slow: &View<'_>,
    stall: &RunEvent,
) -> Option<View<'r>> {
    record.all().find(|view| {
        view.scenario == stall.scenario && view.number > slow.number && view.is_stream()
    })
}
