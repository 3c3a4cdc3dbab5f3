//! Decodes a stream in the chunks it is given in.

use sseproof_codec::{Decoder, Item};

/// All items of the stream that the chunks make, up to its end.
pub(crate) fn decode<'c>(chunks: impl IntoIterator<Item = &'c [u8]>) -> Vec<Item<'static>> {
    let mut decoder = Decoder::new();
    let mut decoded = Vec::new();
    for chunk in chunks {
        let mut items = decoder.feed(chunk);
        while let Some(item) = items.next() {
            decoded.push(item.into_owned());
        }
    }
    decoded.extend(decoder.finish().map(Item::Anomaly));
    decoded
}
