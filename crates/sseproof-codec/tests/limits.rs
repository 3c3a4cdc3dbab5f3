//! At the limits: memory stays bounded, and the stream continues after the next blank line.

mod chunked;

use allocation_counter::measure;
use proptest::prelude::*;
use sseproof_codec::strategy::hostile;
use sseproof_codec::{Anomaly, AnomalyKind, Decoder, Item, Limits, Span};

const SMALL: Limits = Limits::UNLIMITED.with_line_bytes(10).with_event_bytes(8);

#[test]
fn a_line_at_the_limit_passes() {
    check(b"data: 1234\n\n", &["event 1234 id="]);
    check(b"\xEF\xBB\xBFdata: 1234\r\n\r\n", &["event 1234 id="]);
}

#[test]
fn a_line_over_the_limit_takes_its_block_with_it() {
    check(
        b"data: a\n\ndata: b\ndata: 12345\ndata: c\n\ndata: d\n\n",
        &["event a id=", "LineTooLong 17..28", "event d id="],
    );
}

#[test]
fn a_long_line_ends_at_a_cr_too() {
    check(b"data: 12345\r\rdata: d\r\r", &["LineTooLong 0..11", "event d id="]);
    check(b"data: 12345\r\n\r\ndata: d\n\n", &["LineTooLong 0..11", "event d id="]);
    check(b"data: 12345\r\n\ndata: d\n\n", &["LineTooLong 0..11", "event d id="]);
}

#[test]
fn a_long_comment_counts_as_a_line() {
    check(b":0123456789\ndata: b\n\ndata: c\n\n", &["LineTooLong 0..11", "event c id="]);
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
fn an_event_at_the_limit_passes() {
    check(b"data: 123\ndata: 4567\n\n", &["event 123\n4567 id="]);
}

#[test]
fn an_event_over_the_limit_is_dropped() {
    check(
        b"data: 1234\ndata: 4567\ndata: x\n\ndata: d\n\n",
        &["EventTooLarge 0..21", "event d id="],
    );
}

/// Empty data lines grow an event too: each is an LF.
#[test]
fn empty_data_lines_count() {
    check(
        b"data\ndata\ndata\ndata\ndata\ndata\ndata\ndata\ndata\n\n",
        &["event \n\n\n\n\n\n\n\n id="],
    );
    check(
        b"data\ndata\ndata\ndata\ndata\ndata\ndata\ndata\ndata\ndata\n\n",
        &["EventTooLarge 0..49"],
    );
}

#[test]
fn replaced_bytes_count_as_they_are_dispatched() {
    check(b"data:\xFF\xFF\n\n", &["InvalidUtf8 5..7", "event \u{FFFD}\u{FFFD} id="]);
    check(b"data:\xFF\xFF\xFF\n\n", &["InvalidUtf8 5..8", "EventTooLarge 0..8"]);
}

/// A client that resumes must ask for the event that was dropped again.
#[test]
fn the_id_of_a_dropped_block_does_not_count() {
    check(
        b"id: 1\ndata: a\n\nid: 2\ndata: 12345\n\ndata: c\n\n",
        &["event a id=1", "LineTooLong 21..32", "event c id=1"],
    );
    check(
        b"id: 1\ndata: a\n\ndata: 12345\nid: 2\n\ndata: c\n\n",
        &["event a id=1", "LineTooLong 15..26", "event c id=1"],
    );
}

#[test]
fn a_retry_counts_if_it_stood_before_the_limit() {
    check(b"retry: 1\ndata: 12345\nretry: 2\n\n", &["retry 1", "LineTooLong 9..20"]);
}

/// A dropped block is not reported further, be it long, invalid or cut off.
#[test]
fn a_dropped_block_is_reported_once() {
    check(b"data: 12345\ndata: 12345\n\xFF\nretry: x\n: c\nfoo\n", &["LineTooLong 0..11"]);
    check(b"data: 1234\ndata: 1234\ndata: 12345", &["EventTooLarge 0..21"]);
    check(b"data: 12345", &["LineTooLong 0..11"]);
    check(b"data: 12345\nfoo", &["LineTooLong 0..11"]);
}

/// Comments are not kept, so a block of them may continue without limit.
#[test]
fn comments_do_not_add_up() {
    check(
        b"data: a\n:2345\n:2345\n:2345\n\n",
        &["comment 2345", "comment 2345", "comment 2345", "event a id="],
    );
}

#[test]
fn type_and_id_are_bounded_by_their_lines() {
    check(b"event:abcd\nid:1234567\ndata:a\n\n", &["event a id=1234567"]);
    check(b"event:abcde\ndata:a\n\n", &["LineTooLong 0..11"]);
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
fn check(stream: &[u8], expected: &[&str]) {
    let whole = shown([stream]);
    assert_eq!(whole, expected, "{}", stream.escape_ascii());
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
