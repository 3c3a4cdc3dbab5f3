//! The steady state of a stream allocates nothing, and an idle decoder keeps little.

use allocation_counter::measure;
use sseproof_codec::{Decoder, Frame, Item, encode};

/// Traffic as servers send it: tokens, ticks, several lines, heartbeats, retries, CRLF.
const TRAFFIC: &[u8] = b"data: {\"token\": \"hello\"}\n\n\
    id: 184467\nevent: tick\ndata: 42\n\n\
    : ping\n\n\
    retry: 3000\n\
    data: one\ndata: two\ndata\n\n\
    unknown: field\nid: 184468\n\n\
    id: 184469\r\ndata: caf\xC3\xA9\r\n\r\n";

#[test]
fn nothing_is_allocated_per_event() {
    for chunk_size in [1, 2, 3, 7, 16, 64, TRAFFIC.len()] {
        let mut decoder = Decoder::new();
        // The buffers find their sizes; some swap places, so one pass is not enough.
        let events = read(&mut decoder, chunk_size);
        for _ in 0..4 {
            read(&mut decoder, chunk_size);
        }
        let allocations = measure(|| {
            for _ in 0..100 {
                assert_eq!(read(&mut decoder, chunk_size), events);
            }
        });
        assert_eq!(allocations.count_total, 0, "in chunks of {chunk_size}");

        let mut decoder = Decoder::new();
        let mut feed = || {
            for chunk in TRAFFIC.chunks(chunk_size) {
                let mut events = decoder.feed(chunk);
                while events.next().is_some() {}
            }
        };
        for _ in 0..5 {
            feed();
        }
        let allocations = measure(|| (0..100).for_each(|_| feed()));
        assert_eq!(allocations.count_total, 0, "fed in chunks of {chunk_size}");
    }
}

#[test]
fn nothing_is_allocated_per_frame() {
    let frame = Frame {
        comment: Some(" ping"),
        event: Some("tick"),
        id: Some("184467"),
        retry: Some(u64::MAX),
        data: Some("one\ntwo"),
    };
    let mut out = Vec::with_capacity(200);
    let allocations = measure(|| {
        for _ in 0..100 {
            out.clear();
            encode(&frame, &mut out).expect("it can be written");
        }
    });
    assert_eq!(allocations.count_total, 0);
    assert!(
        out.starts_with(
            b": ping\nevent: tick\nid: 184467\nretry: 18446744073709551615\ndata: one\n"
        )
    );
}

#[test]
fn a_value_in_one_chunk_is_borrowed_from_it() {
    let chunk = b"data: in one piece\n\n".to_vec();
    let mut decoder = Decoder::new();
    let mut items = decoder.inspect(&chunk);
    let Some(Item::Event(event)) = items.next() else { panic!("an event") };
    assert_eq!(event.data.as_ptr(), chunk[6..].as_ptr());
}

#[test]
fn a_decoder_without_a_partial_line_keeps_little() {
    let mut large = b"event: e\ndata: ".to_vec();
    large.resize(300_000, b'x');
    large.extend_from_slice(b"\ndata: y\n\n: and some more\n");
    let (head, tail) = large.split_at(200_000);
    let allocations = measure(|| {
        let mut decoder = Decoder::new();
        drop(decoder.inspect(head));
        drop(decoder.inspect(tail));
        // The buffer is kept for some chunks, since the next line may be as large.
        for _ in 0..20 {
            drop(decoder.feed(b"data: small\n\n"));
        }
        let kept = measure(|| drop(decoder));
        assert!(kept.bytes_current > -16_384, "{} bytes are kept", -kept.bytes_current);
    });
    assert_eq!(allocations.bytes_current, 0);
}

/// Feeds the traffic once, and counts its events.
fn read(decoder: &mut Decoder, chunk_size: usize) -> usize {
    let mut events = 0;
    for chunk in TRAFFIC.chunks(chunk_size) {
        let mut items = decoder.inspect(chunk);
        while let Some(item) = items.next() {
            assert!(!matches!(item, Item::Anomaly(_)), "{item:?}");
            events += usize::from(matches!(item, Item::Event(_)));
        }
    }
    events
}
