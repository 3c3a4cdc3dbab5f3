//! Decodes a stream in chunks of the given sizes, over and over.

use sseproof_codec::{Decoder, Item, Limits};

pub(crate) fn decode(mut stream: &[u8], sizes: [u8; 4], limits: Limits) -> Vec<Item<'static>> {
    let len = stream.len() as u64;
    let mut decoder = Decoder::with_limits(limits);
    let mut decoded = Vec::new();
    for size in sizes.into_iter().cycle() {
        // Chunks of no byte must change nothing either.
        for size in [usize::from(size) % 32 + 1, 0] {
            let (chunk, rest) = stream.split_at(size.min(stream.len()));
            stream = rest;
            let mut items = decoder.feed(chunk);
            while let Some(item) = items.next() {
                decoded.push(item.into_owned());
            }
        }
        if stream.is_empty() {
            break;
        }
    }
    assert_eq!(decoder.offset(), len);
    decoded.extend(decoder.finish().map(Item::Anomaly));
    decoded
}
