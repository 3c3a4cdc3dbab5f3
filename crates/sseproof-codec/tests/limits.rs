//! At the limits: memory stays bounded, and the stream continues after the next blank line.

mod chunked;

use allocation_counter::measure;
use proptest::prelude::*;
use serde_json::Value;
use sseproof_codec::strategy::hostile;
use sseproof_codec::{Anomaly, AnomalyKind, Decoder, Item, Limits, Span};

const SMALL: Limits = Limits::UNLIMITED.with_line_bytes(10).with_event_bytes(8);

/// Each row has a stream, whose characters stand for one byte each, and its items.
#[test]
fn streams_at_the_limits() {
    let rows = serde_json::from_str::<Vec<Value>>(include_str!("limits.json")).expect("rows");
    for row in rows {
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let byte = |char| u8::try_from(char).expect("a byte");
        let stream: Vec<u8> = text(&row["stream"]).chars().map(byte).collect();
        let items: Vec<_> = row["items"].as_array().expect("items").iter().map(text).collect();
        check(&stream, &items, &text(&row["about"]));
    }
}

/// An endless line is reported when it passes the limit, and not at its end, which may never come.
#[test]
fn a_long_line_is_reported_before_its_end() {
    let mut decoder = Decoder::with_limits(SMALL);
    assert!(decoder.inspect(b"data: 1234").next().is_none());
    let span = Span::new(0, 11);
    let too_long = Item::Anomaly(Anomaly { kind: AnomalyKind::LineTooLong, span });
    assert_eq!(decoder.inspect(b"5").next(), Some(too_long));
    assert!(decoder.inspect(b"6789\n").next().is_none());
}

#[test]
fn memory_is_bounded_whatever_comes() {
    let limits = Limits::default().with_line_bytes(1 << 10).with_event_bytes(1 << 13);
    let endless_lines: [&[u8]; 8] = [
        b"x",
        b"\xFF",
        b"data\n",
        b"data:abc\n",
        b":\n",
        b"event:abc\nid:abc\n",
        b"\xEF\xBB\xBF",
        b"id:\0\n",
    ];
    for piece in endless_lines {
        let chunk = piece.repeat(1000);
        let most = measure(|| {
            let mut decoder = Decoder::with_limits(limits);
            for _ in 0..100 {
                drop(decoder.inspect(&chunk));
            }
        });
        assert!(most.bytes_max < 32 << 10, "{} bytes for {:?}", most.bytes_max, piece);
    }
}

/// A decoder that scans an unfinished line, or searches the next invalid byte, from its start again
/// would not finish this test.
#[test]
fn time_is_linear() {
    let long_line = [b"data: ".as_slice(), &[b'x'; 4 << 20], b"\n\n"].concat();
    let bad_line = [b"data: ".as_slice(), &b"x\xFF".repeat(1 << 20), b"\n\n"].concat();
    for (stream, chunk_size) in [(&long_line, 1), (&bad_line, 1), (&bad_line, bad_line.len())] {
        let mut decoder = Decoder::with_limits(Limits::UNLIMITED);
        let mut events = 0;
        for chunk in stream.chunks(chunk_size) {
            let mut items = decoder.inspect(chunk);
            while let Some(item) = items.next() {
                events += usize::from(matches!(item, Item::Event(_)));
            }
        }
        assert_eq!(events, 1);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    /// The cuts do not change which events are too large, also if U+FFFD makes them longer.
    #[test]
    fn limits_hold_in_any_chunks(
        stream in hostile(),
        line_bytes in 0_usize..30,
        event_bytes in 0_usize..30,
        size in 1_usize..20,
    ) {
        let mut limits = Limits::default();
        (limits.line_bytes, limits.event_bytes) = (line_bytes, event_bytes);
        let items = chunked::decode(limits, [&stream[..]]);
        prop_assert_eq!(&items, &chunked::decode(limits, stream.chunks(1)));
        prop_assert_eq!(&items, &chunked::decode(limits, stream.chunks(size)));
        for item in items {
            if let Item::Event(event) = item {
                prop_assert!(event.data.len() <= event_bytes);
            }
        }
    }
}

/// Decodes in one piece, byte by byte and in two pieces; all must agree.
fn check(stream: &[u8], expected: &[String], about: &str) {
    let whole = shown([stream]);
    assert_eq!(whole, expected, "{about}: {}", stream.escape_ascii());
    assert_eq!(shown(stream.chunks(1)), whole, "byte by byte: {}", stream.escape_ascii());
    for at in 0..=stream.len() {
        let (left, right) = stream.split_at(at);
        assert_eq!(shown([left, right]), whole, "split at {at}: {}", stream.escape_ascii());
    }
}

fn shown<'c>(chunks: impl IntoIterator<Item = &'c [u8]>) -> Vec<String> {
    chunked::decode(SMALL, chunks).iter().map(show).collect()
}

fn show(item: &Item<'_>) -> String {
    match item {
        Item::Event(event) => format!("event {} id={}", event.data, event.last_event_id),
        Item::Comment(comment) => format!("comment {}", comment.text),
        Item::Retry(retry) => format!("retry {}", retry.millis),
        Item::Anomaly(Anomaly { kind, span }) => format!("{kind:?} {}..{}", span.start, span.end),
        other => format!("{other:?}"),
    }
}
