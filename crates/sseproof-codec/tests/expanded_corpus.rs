//! `specs/corpus-expanded.json`, read as any other decoder would: the expected results are right.

mod described;
mod naive;

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use sseproof_codec::{Decoder, Item};

use self::described::described;

#[test]
fn every_stream_is_right_in_each_of_its_cuts() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../specs/corpus-expanded.json");
    let text = fs::read(path).expect("the corpus, written out");
    let corpus: Value = serde_json::from_slice(&text).expect("it is JSON");
    let streams = corpus["streams"].as_array().expect("it has streams");
    assert!(streams.len() > 1000);
    for stream in streams {
        let id = &stream["id"];
        let bytes = BASE64_STANDARD.decode(stream["bytes"].as_str().expect("bytes"));
        let bytes = bytes.expect("they are base64");
        let naive = described(&naive::decode(&bytes));
        for part in ["events", "comments", "anomalies"] {
            assert_eq!(naive[part], stream[part], "{part} of {id}");
        }
        for cuts in stream["cuts"].as_array().expect("cuts") {
            let mut decoder = Decoder::new();
            let mut items = Vec::new();
            for chunk in chunks(&bytes, cuts) {
                let mut seen = decoder.inspect(chunk);
                while let Some(item) = seen.next() {
                    items.push(item.into_owned());
                }
            }
            items.extend(decoder.finish().map(Item::Anomaly));
            assert_eq!(described(&items), naive, "{id} cut at {cuts}");
            assert_eq!(decoder.last_event_id(), stream["lastEventId"], "{id}");
            assert_eq!(json!(decoder.reconnection_time()), stream["retry"], "{id}");
        }
    }
}

fn chunks<'b>(bytes: &'b [u8], cuts: &Value) -> Vec<&'b [u8]> {
    let mut chunks = Vec::new();
    let mut start = 0;
    for cut in cuts.as_array().expect("an array of offsets") {
        let cut = usize::try_from(cut.as_u64().expect("an offset")).expect("a small one");
        assert!(start < cut && cut < bytes.len(), "no chunk is empty");
        chunks.push(&bytes[start..cut]);
        start = cut;
    }
    chunks.push(&bytes[start..]);
    chunks
}
