//! Any stream under any limits, in any chunks: no panic, and always the same items within the limits.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sseproof_codec::{AnomalyKind, Item, Limits, decode};

#[path = "../../crates/sseproof-codec/tests/chunked/mod.rs"]
mod chunked;
mod cuts;

fuzz_target!(|input: ([u8; 4], u8, u8, &[u8])| {
    let (sizes, line_bytes, event_bytes, stream) = input;
    let limits =
        Limits::default().with_line_bytes(line_bytes.into()).with_event_bytes(event_bytes.into());
    let items = chunked::decode(limits, cuts::cut(stream, sizes));
    assert_eq!(items, chunked::decode(limits, cuts::cut(stream, [0; 4])), "byte by byte");
    for item in &items {
        if let Item::Event(event) = item {
            assert!(event.data.len() <= limits.event_bytes);
            // A byte that is not UTF-8 becomes three.
            assert!(event.event_type.len() <= (3 * limits.line_bytes).max("message".len()));
            assert!(event.last_event_id.len() <= 3 * limits.line_bytes);
        }
    }
    let all = decode(stream);
    if !items.iter().any(is_over_a_limit) {
        assert_eq!(items, all, "limits that are not passed");
    }
    // Only whole blocks are dropped: there is no event that is not there without limits.
    let mut all = all.iter().filter_map(type_and_data);
    for event in items.iter().filter_map(type_and_data) {
        assert!(all.any(|other| other == event), "{event:?} is there only with limits");
    }
});

fn is_over_a_limit(item: &Item<'_>) -> bool {
    let Item::Anomaly(anomaly) = item else { return false };
    matches!(anomaly.kind, AnomalyKind::LineTooLong | AnomalyKind::EventTooLarge)
}

fn type_and_data<'i>(item: &'i Item<'_>) -> Option<(&'i str, &'i str)> {
    let Item::Event(event) = item else { return None };
    Some((&event.event_type, &event.data))
}
