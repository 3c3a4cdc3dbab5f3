//! Any stream, cut off anywhere, and another one: after a reconnection only the state that the
//! standard keeps is left of the first.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sseproof_codec::{Anomaly, Decoder, Item};

mod cuts;

fuzz_target!(|input: ([u8; 4], u16, &[u8])| {
    let (sizes, at, streams) = input;
    let (first, second) = streams.split_at(usize::from(at).min(streams.len()));
    let mut decoder = Decoder::new();
    for (number, chunk) in cuts::cut(first, sizes).into_iter().enumerate() {
        // Both ways to read a chunk have state to discard.
        if number % 4 == 0 {
            drop(decoder.inspect(chunk));
        } else {
            drop(decoder.feed(chunk));
        }
    }
    decoder.reconnect();
    let other = Decoder::new().resumed(decoder.last_event_id(), decoder.reconnection_time());
    assert_eq!(rest(decoder, &cuts::cut(second, sizes)), rest(other, &[second]));
});

type Rest = (Vec<Item<'static>>, Option<Anomaly>, String, Option<u64>, u64);

fn rest(mut decoder: Decoder, chunks: &[&[u8]]) -> Rest {
    let mut seen = Vec::new();
    for chunk in chunks {
        let mut items = decoder.inspect(chunk);
        while let Some(item) = items.next() {
            seen.push(item.into_owned());
        }
    }
    let end = decoder.finish();
    let last_event_id = decoder.last_event_id().to_owned();
    (seen, end, last_event_id, decoder.reconnection_time(), decoder.offset())
}
