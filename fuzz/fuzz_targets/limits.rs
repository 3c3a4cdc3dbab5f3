//! Any stream under any limits, in any chunks: no panic, and always the same items within the limits.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sseproof_codec::{Item, Limits};

#[path = "../../crates/sseproof-codec/tests/chunked/mod.rs"]
mod chunked;
mod cuts;

fuzz_target!(|input: ([u8; 4], u8, u8, &[u8])| {
    let (sizes, line_bytes, event_bytes, stream) = input;
    let limits = Limits { line_bytes: line_bytes.into(), event_bytes: event_bytes.into() };
    let items = chunked::decode(limits, cuts::cut(stream, sizes));
    assert_eq!(items, chunked::decode(limits, cuts::cut(stream, [0; 4])), "byte by byte");
    for item in items {
        if let Item::Event(event) = item {
            assert!(event.data.len() <= limits.event_bytes);
            // A byte that is not UTF-8 becomes three.
            assert!(event.event_type.len() <= (3 * limits.line_bytes).max("message".len()));
            assert!(event.last_event_id.len() <= 3 * limits.line_bytes);
        }
    }
});
