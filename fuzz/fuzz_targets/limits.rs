//! Any stream under any limits, in any chunks: no panic, and always the same items within the limits.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sseproof_codec::{Item, Limits};

mod chunked;

fuzz_target!(|input: ([u8; 4], u8, u8, &[u8])| {
    let (sizes, line_bytes, event_bytes, stream) = input;
    let limits = Limits { line_bytes: line_bytes.into(), event_bytes: event_bytes.into() };
    let items = chunked::decode(stream, sizes, limits);
    assert_eq!(items, chunked::decode(stream, [0; 4], limits), "byte by byte");
    for item in items {
        if let Item::Event(event) = item {
            assert!(event.data.len() <= limits.event_bytes);
            // A byte that is not UTF-8 becomes three.
            assert!(event.event_type.len() <= (3 * limits.line_bytes).max("message".len()));
            assert!(event.last_event_id.len() <= 3 * limits.line_bytes);
        }
    }
});
