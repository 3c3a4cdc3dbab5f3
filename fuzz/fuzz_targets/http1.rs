//! Any bytes as HTTP/1, in any chunks: no panic, and always the same parts.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sseproof_http::http1::{Message, Reader};

mod cuts;
#[path = "../../crates/sseproof-http/tests/parts/mod.rs"]
mod parts;

fuzz_target!(|input: ([u8; 4], u8, &[u8])| {
    let (sizes, kind, wire) = input;
    let method = ["GET", "HEAD", "CONNECT"].get(usize::from(kind % 4));
    let reader = || {
        let reader = method.map_or_else(Reader::request, |method| Reader::response(method));
        // The place of what is too long depends on the chunks, so the limit is out of reach.
        reader.with_head_limit(1 << 20)
    };
    let mut at = 0;
    let ends = cuts::cut(wire, sizes).into_iter().map(|chunk| {
        at += chunk.len();
        at
    });
    let ends: Vec<usize> = ends.collect();
    let whole = parts::parts(reader(), wire, &[]);
    assert_eq!(parts::parts(reader(), wire, &ends), whole);
    if let Some(head) = Message::read(wire, method.copied().unwrap_or("GET")).head {
        assert!(head.begin < head.end && head.end <= wire.len());
        for header in &head.headers.0 {
            head.offset_of(wire, &header.name);
        }
    }
});
