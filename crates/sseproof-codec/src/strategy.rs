//! Property tests for any parser of event streams, yours included.
//!
//! [`cases`] gives streams, cut into chunks, and the events that a correct parser reads from them.
//! A parser with a bug fails with the smallest stream that shows it:
//!
//! ```
//! use proptest::prelude::*;
//! use sse_core::{SseDecoder, SseEvent};
//! use sseproof_codec::strategy::cases;
//!
//! proptest! {
//!     # #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
//!     # /*
//!     #[test]
//!     # */
//!     fn my_parser_is_right(case in cases()) {
//!         let mut parser = SseDecoder::new();
//!         let mut read = Vec::new();
//!         for chunk in &case.chunks {
//!             let mut chunk = chunk.as_slice();
//!             while let Some(event) = parser.next(&mut chunk) {
//!                 if let SseEvent::Message(event) = event? {
//!                     read.push((event.event, event.data));
//!                 }
//!             }
//!         }
//!         let expected = case.expected.events.into_iter();
//!         prop_assert_eq!(read, expected.map(|event| (event.event_type, event.data.into_owned())).collect::<Vec<_>>());
//!     }
//! }
//! # my_parser_is_right();
//! ```
//!
//! `sse-core` passes. The same test of `eventsource-stream` 0.2.3 fails:
//!
//! ```should_panic
//! use eventsource_stream::Eventsource;
//! use futures_util::{FutureExt, StreamExt, stream};
//! use proptest::prelude::*;
//! use sseproof_codec::strategy::cases;
//!
//! proptest! {
//!     # #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
//!     # /*
//!     #[test]
//!     # */
//!     fn their_parser_is_right(case in cases()) {
//!         let chunks = stream::iter(case.chunks.into_iter().map(Ok::<_, std::io::Error>));
//!         let parsed = chunks.eventsource().collect::<Vec<_>>().now_or_never().unwrap();
//!         let read: Vec<_> = parsed.into_iter().flatten().map(|event| (event.event, event.data)).collect();
//!         let expected = case.expected.events.into_iter();
//!         let expected: Vec<_> = expected.map(|event| (event.event_type.into_owned(), event.data.into_owned())).collect();
//!         prop_assert_eq!(read, expected);
//!     }
//! }
//! # their_parser_is_right();
//! ```
//!
//! It has several bugs, and proptest shows one of them with the shortest input. If it is the BOM at
//! the start, where that crate cuts a string after its first byte, the report is
//!
//! ```text
//! minimal failing input: case = b"\xef\xbb\xbf\n\n"
//! ```
//!
//! [`well_formed`] and [`hostile`] give one kind of stream each, [`chunked`] cuts your own streams,
//! [`Case::new`] gives the expected events of any bytes, and [`events`] is for tests of encoders.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::{Decoder, Event, Item, Limits, Span};

/// A stream, cut into chunks, and the events that a correct parser reads from it.
///
/// Its `Debug` form shows the bytes as a literal of Rust.
///
/// ```
/// use sseproof_codec::strategy::Case;
///
/// let case = Case::new([b"data: a\r".to_vec(), b"\r".to_vec()]);
/// assert_eq!(case.expected.events[0].data, "a");
/// assert_eq!(format!("{case:?}").lines().next(), Some(r#"b"data: a\r" | b"\r""#));
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Case {
    /// The chunks, in their order; some may be empty.
    pub chunks: Vec<Vec<u8>>,
    /// The expected result, which does not depend on the cuts.
    pub expected: Expected,
}

/// The result of a correct parser for a stream.
///
/// ```
/// use sseproof_codec::strategy::Case;
///
/// let expected = Case::new([b"id: 7\nretry: 500\ndata: x\n\n".to_vec()]).expected;
/// assert_eq!(expected.events.len(), 1);
/// assert_eq!((expected.last_event_id.as_str(), expected.reconnection_time), ("7", Some(500)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Expected {
    /// The dispatched events, in order.
    pub events: Vec<Event<'static>>,
    /// The `Last-Event-ID` of the next request after the stream has ended.
    pub last_event_id: String,
    /// The milliseconds of the last valid `retry`, if there was one.
    pub reconnection_time: Option<u64>,
}

impl Case {
    /// A case of these chunks.
    ///
    /// ```
    /// use sseproof_codec::strategy::Case;
    ///
    /// // A CR at the end of a chunk ends the line, whatever follows.
    /// let case = Case::new([b"data: a\r\r".to_vec(), b"\n".to_vec()]);
    /// assert_eq!(case.expected.events.len(), 1);
    /// ```
    pub fn new(chunks: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let chunks: Vec<_> = chunks.into_iter().collect();
        let stream = chunks.concat();
        let mut decoder = Decoder::with_limits(Limits::UNLIMITED);
        let mut items = decoder.inspect(&stream);
        let mut events = Vec::new();
        while let Some(item) = items.next() {
            if let Item::Event(event) = item.into_owned() {
                events.push(event);
            }
        }
        drop(items);
        let last_event_id = decoder.last_event_id().into();
        let reconnection_time = decoder.reconnection_time();
        Self { chunks, expected: Expected { events, last_event_id, reconnection_time } }
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, chunk) in self.chunks.iter().enumerate() {
            let between = if index == 0 { "" } else { " | " };
            write!(f, "{between}b\"{}\"", chunk.escape_ascii())?;
        }
        for Event { event_type, data, last_event_id, .. } in &self.expected.events {
            write!(f, "\n  {event_type:?} {data:?} id {last_event_id:?}")?;
        }
        Ok(())
    }
}

/// Streams of every kind, in any chunks.
///
/// ```
/// use proptest::prelude::*;
/// use sseproof_codec::strategy::cases;
///
/// proptest!(|(case in cases())| {
///     // Feed `case.chunks` to your parser, and compare with `case.expected`.
///     prop_assert!(case.expected.events.len() <= case.chunks.concat().len() / 6);
/// });
/// ```
pub fn cases() -> impl Strategy<Value = Case> {
    chunked(prop_oneof![well_formed(), hostile()])
}

/// Cuts streams into chunks, anywhere; shrinking removes cuts.
///
/// ```
/// use proptest::prelude::*;
/// use sseproof_codec::strategy::chunked;
///
/// proptest!(|(case in chunked(Just(b"data: a\n\n".to_vec())))| {
///     prop_assert_eq!(case.chunks.concat(), b"data: a\n\n");
///     prop_assert_eq!(case.expected.events.len(), 1);
/// });
/// ```
pub fn chunked(streams: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Case> {
    (streams, vec(any::<Index>(), 0..8)).prop_map(|(stream, cuts)| {
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
        cuts.sort_unstable();
        let starts = [0].into_iter().chain(cuts.iter().copied());
        let ends = cuts.iter().copied().chain([stream.len()]);
        Case::new(starts.zip(ends).map(|(start, end)| stream[start..end].to_vec()))
    })
}

/// Events that a stream can carry, for tests of encoders: data of one line and of several, types
/// and ids with any text, and no CR, which no client restores. Their spans are empty.
///
/// ```
/// use proptest::prelude::*;
/// use sseproof_codec::strategy::{Case, events};
/// use sseproof_codec::{Frame, encode};
///
/// proptest!(|(event in events())| {
///     let id = event.sets_id.then_some(&*event.last_event_id);
///     let (event_type, data) = (Some(&*event.event_type), Some(&*event.data));
///     let mut stream = Vec::new();
///     // Write it with your encoder, and read the result.
///     encode(&Frame { event: event_type, id, data, ..Frame::default() }, &mut stream)?;
///     let mut read = Case::new([stream]).expected.events.remove(0);
///     read.span = event.span;
///     prop_assert_eq!(read, event);
/// });
/// ```
pub fn events() -> impl Strategy<Value = Event<'static>> {
    let event_type = prop_oneof![Just(String::new()), text(&[])];
    let data = vec(text(&[]), 1..4);
    (event_type, data, option::of(text(&['\0']))).prop_map(|(event_type, data, id)| Event {
        event_type: if event_type.is_empty() { "message".into() } else { event_type.into() },
        data: data.join("\n").into(),
        sets_id: id.is_some(),
        last_event_id: id.unwrap_or_default().into(),
        span: Span::default(),
    })
}

/// Streams that the standard allows, in every spelling: line ends of all three kinds mixed, a BOM,
/// values with and without a space in front, names without a colon, comments, unknown fields, fields
/// in any order and more than once, blocks without data.
///
/// They have no anomaly.
///
/// ```
/// use proptest::prelude::*;
/// use sseproof_codec::strategy::well_formed;
/// use sseproof_codec::{Item, decode};
///
/// proptest!(|(stream in well_formed())| {
///     prop_assert!(!decode(&stream).iter().any(|item| matches!(item, Item::Anomaly(_))));
/// });
/// ```
pub fn well_formed() -> impl Strategy<Value = Vec<u8>> {
    let block = (vec(line(), 0..6), line_end()).prop_map(|(lines, end)| {
        let mut block = lines.concat();
        block.push_str(end);
        block
    });
    (any::<bool>(), vec(block, 0..6)).prop_map(|(bom, blocks)| {
        let mut stream = String::from(if bom { "\u{FEFF}" } else { "" });
        stream.extend(blocks);
        // A CR that ends a line and an LF that ends a blank one would be the end of one line.
        stream.push_str("\n\n");
        stream.into_bytes()
    })
}

/// Streams that no server should send, and that some do: bytes that are not UTF-8, NUL and BOM in
/// wrong places, invalid and far too large numbers, lines cut anywhere.
///
/// ```
/// use proptest::prelude::*;
/// use sseproof_codec::decode;
/// use sseproof_codec::strategy::hostile;
///
/// proptest!(|(stream in hostile())| {
///     // It must not panic, and each item lies in the stream.
///     for item in decode(&stream) {
///         prop_assert!(item.span().end <= stream.len() as u64);
///     }
/// });
/// ```
pub fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => select(&LINE_ENDS[..]),
        4 => select(&NAMES[..]),
        3 => select(&VALUES[..]),
        2 => select(&ODD_BYTES[..]),
    ];
    let noise = vec(any::<u8>(), 0..4);
    let piece = prop_oneof![9 => piece.prop_map(<[u8]>::to_vec), 1 => noise];
    vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

const LINE_ENDS: [&[u8]; 6] = [b"\n", b"\r", b"\r\n", b"\n\n", b"\r\r", b"\r\n\r\n"];
const NAMES: [&[u8]; 11] = [
    b"data", b"event", b"id", b"retry", b"data:", b"data: ", b"event: ", b"id: ", b"retry: ",
    b"Data: ", b"foo: ",
];
const VALUES: [&[u8]; 11] = [
    b":",
    b" ",
    b"\t",
    b"\0",
    b"0",
    b"42",
    b"99999999999999999999",
    b"a",
    b"message",
    b"\\",
    b"+1",
];
const ODD_BYTES: [&[u8]; 15] = [
    b"\xEF\xBB\xBF",
    b"\xEF",
    b"\xBB",
    b"\xBF",
    b"\xEF\xBB",
    b"\xE2\x82\xAC",
    b"\xE2\x82",
    b"\xF0\x9F\x98\x80",
    b"\xF0\x9F",
    b"\x80",
    b"\xFF",
    b"\xC0\x8A",
    b"\xED\xA0\x80",
    b"\xE2\x80\xA8",
    b"\xC2\x85",
];

fn line_end() -> impl Strategy<Value = &'static str> {
    select(&["\n", "\r\n", "\r"][..])
}

/// A line of a block, with its end.
fn line() -> impl Strategy<Value = String> {
    let unknown = select(&["foo", "Data", "data ", " data", "ID", "dat", "datas", "\u{E9}"][..]);
    let value = || text(&[]);
    let field = prop_oneof![
        6 => (Just("data"), value()),
        2 => (Just("event"), value()),
        2 => (Just("id"), text(&['\0'])),
        1 => (Just("retry"), any::<u32>().prop_map(|millis| alloc::format!("{millis}"))),
        1 => (unknown, value()),
        1 => (Just(""), value()),
    ];
    let spelling = select(&[": ", ":"][..]);
    (field, spelling, line_end()).prop_map(|((name, value), spelling, end)| {
        // A number with a leading space would be invalid, and a comment keeps its leading space.
        match (name, value.as_str()) {
            ("data" | "event" | "id", "") if spelling == ":" => alloc::format!("{name}{end}"),
            _ => alloc::format!("{name}{spelling}{value}{end}"),
        }
    })
}

/// A value of one line.
fn text(without: &'static [char]) -> impl Strategy<Value = String> {
    let char = prop_oneof![
        6 => select(&['a', ' ', ':', '\t', '0', '\u{FEFF}', '\u{2028}', '\u{85}', '\u{E9}', '\u{1F600}'][..]),
        1 => select(&['\0', '\u{FFFD}', '\u{B}', '\u{C}'][..]),
        1 => any::<char>(),
    ];
    let is_fine = |char: &char| !matches!(char, '\r' | '\n') && !without.contains(char);
    vec(char, 0..12).prop_map(move |chars| chars.into_iter().filter(is_fine).collect())
}
