//! The figures of a check.

use std::time::Duration;

use sseproof_record::Source;
use sseproof_report::{Measures, Spread};
use sseproof_rules::Record;

/// Times count from the start of each exchange, including dialling.
pub(super) fn measures(record: &Record<'_>) -> Measures {
    let mut heads = Vec::new();
    let mut first_events = Vec::new();
    let mut gaps = Vec::new();
    // The output of curl has no times.
    for view in record.streams().filter(|_| record.source() == Source::Run) {
        let since = |at: Duration| millis(at.saturating_sub(view.started));
        heads.extend(view.head.as_ref().map(|head| since(head.at)));
        // The time of an event that this run published says nothing about the server's own events.
        if view.published.is_empty() {
            first_events.extend(view.first_event().map(since));
            let times: Vec<_> = view.events().map(|(_, at)| at).collect();
            gaps.extend(times.windows(2).map(|pair| millis(pair[1] - pair[0])));
        }
    }
    Measures {
        time_to_head_ms: Spread::of(heads),
        time_to_first_event_ms: Spread::of(first_events),
        inter_event_gap_ms: Spread::of(gaps),
        exchanges: Some(record.all().count() as u64),
        events: Some(record.all().map(|view| view.events().count() as u64).sum()),
        bytes: Some(record.all().map(|view| view.body_len()).sum()),
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
