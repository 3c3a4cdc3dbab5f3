//! Any bytes in any content coding, in any chunks: no panic, always the same output up to a fault, and
//! never more than the limit.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sseproof_http::{Coding, ContentDecoder, DECODED};

mod cuts;

const CODINGS: [Coding; 4] = [Coding::Gzip, Coding::Deflate, Coding::Brotli, Coding::Zstd];

fuzz_target!(|input: ([u8; 4], u8, &[u8])| {
    let (sizes, coding, body) = input;
    let coding = CODINGS[usize::from(coding) % CODINGS.len()];
    let (whole, fault) = decoded(coding, &[body]);
    assert!(whole.len() <= DECODED);
    let (cut, fault_of_cut) = decoded(coding, &cuts::cut(body, sizes));
    assert_eq!(fault.is_some(), fault_of_cut.is_some());
    // The bytes just before a fault are lost with it, and how many depends on the chunks.
    let common =
        if fault.is_some() { cut.len().min(whole.len()) } else { whole.len().max(cut.len()) };
    assert_eq!(cut.get(..common), whole.get(..common));
    // The others end by themselves, and bytes after their end are a fault only of the stream.
    if matches!(coding, Coding::Gzip | Coding::Zstd) && coding.is_whole(body) {
        assert_eq!(fault, None);
    }
});

/// The output, and the fault that ended it.
fn decoded(coding: Coding, chunks: &[&[u8]]) -> (Vec<u8>, Option<String>) {
    let mut decoder = ContentDecoder::new(coding);
    let mut out: Vec<u8> = chunks.iter().flat_map(|chunk| decoder.feed(chunk)).collect();
    out.append(&mut decoder.finish());
    (out, decoder.fault().map(|fault| fault.message.clone()))
}
