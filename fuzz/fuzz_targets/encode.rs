//! Any frames: the decoder reads every accepted frame unchanged, and nothing else.

#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use sseproof_codec::{Frame, Item, Limits, decode, encode};

#[path = "../../crates/sseproof-codec/tests/chunked/mod.rs"]
mod chunked;
mod cuts;

#[derive(Arbitrary, Debug)]
struct Written<'a> {
    comment: Option<&'a str>,
    event: Option<&'a str>,
    id: Option<&'a str>,
    retry: Option<u64>,
    data: Option<&'a str>,
}

fuzz_target!(|input: ([u8; 4], Vec<Written<'_>>)| {
    let (sizes, frames) = input;
    let mut out = Vec::new();
    let mut accepted = Vec::new();
    for written in &frames {
        let Written { comment, event, id, retry, data } = *written;
        let len = out.len();
        match encode(&Frame { comment, event, id, retry, data }, &mut out) {
            Ok(()) => accepted.push(written),
            Err(_) => assert_eq!(out.len(), len),
        }
    }

    let items = decode(&out);
    assert_eq!(items, chunked::decode(Limits::UNLIMITED, cuts::cut(&out, sizes)));
    let mut items = items.iter();
    let mut last_event_id = "";
    for written in accepted {
        for line in written.comment.iter().flat_map(|comment| comment.split('\n')) {
            let Some(Item::Comment(comment)) = items.next() else { panic!("a comment is lost") };
            assert_eq!(comment.text, line);
        }
        if let Some(millis) = written.retry {
            let Some(Item::Retry(retry)) = items.next() else { panic!("a retry is lost") };
            assert_eq!(retry.millis, millis);
        }
        last_event_id = written.id.unwrap_or(last_event_id);
        if let Some(data) = written.data {
            let Some(Item::Event(event)) = items.next() else { panic!("an event is lost") };
            assert_eq!(event.data, data);
            assert_eq!(event.event_type, written.event.unwrap_or("message"));
            assert_eq!(event.last_event_id, last_event_id);
            assert_eq!(event.sets_id, written.id.is_some());
        } else if written.event.is_some() || written.id.is_some() || written.retry.is_some() {
            let Some(Item::EmptyBlock(block)) = items.next() else { panic!("a block is lost") };
            assert_eq!(block.sets_id, written.id.is_some());
        }
    }
    assert_eq!(items.next(), None);
});
