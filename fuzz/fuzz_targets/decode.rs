//! Any stream, in any chunks: no panic, always the same items, and those of the standard.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sseproof_codec::{Limits, decode};

#[path = "../../crates/sseproof-codec/tests/chunked/mod.rs"]
mod chunked;
mod cuts;
#[path = "../../crates/sseproof-codec/tests/naive/mod.rs"]
mod naive;

fuzz_target!(|input: ([u8; 4], &[u8])| {
    let (sizes, stream) = input;
    let whole = decode(stream);
    assert_eq!(whole, naive::decode(stream));
    assert_eq!(whole, chunked::decode(Limits::UNLIMITED, cuts::cut(stream, sizes)));
});
