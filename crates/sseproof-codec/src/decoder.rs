//! The decoder: chunks of bytes in, items out, as the WHATWG standard says.
//!
//! It is a push decoder without a clock or a socket, and each line takes one path (`walk`): `scan`
//! finds the lines of a chunk, `lines` keeps a line that the end of a chunk cuts, `field` splits a
//! line, `block` has the buffers of the standard.
//! A block that lies in one chunk is lent from the chunk and kept in registers; a block that is
//! cut, and rare lines, go through the buffers of `block`.
//! Values are bytes until they are lent: UTF-8 is checked in windows of the chunk, or once in the
//! joined data, so that a small chunk in the middle of a line costs one search and one copy.
//! That decoding is linear is counted and not timed (`touched`).

#[cfg(any(feature = "futures", feature = "tokio-util"))]
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use core::mem;

#[cfg(any(feature = "futures", feature = "tokio-util"))]
use crate::Event;
use crate::block::Block;
use crate::items::{Events, Items};
use crate::lines::{Left, Lines};
use crate::{Anomaly, AnomalyKind, Item, Span};

/// How much a decoder keeps in memory for a stream, whatever the stream sends.
///
/// A line or an event that passes a limit is an anomaly. Its whole block counts as never received:
/// no event is dispatched, its `id` does not become the last event ID (so that a client that
/// resumes requests this event again), and nothing more is reported of it. Decoding continues after
/// the next blank line. A `retry` before the place where the limit was passed has taken effect.
///
/// ```
/// use sseproof_codec::{Decoder, Limits};
///
/// let mut decoder = Decoder::with_limits(Limits::default().with_event_bytes(4));
/// let mut events = decoder.feed(b"data: too long\n\ndata: fine\n\n");
/// assert!(events.next().is_some_and(|event| event.data == "fine"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The bytes of a line, without its line end. 1 MiB unless set.
    pub line_bytes: usize,
    /// The bytes of the data of an event, as dispatched. 8 MiB unless set.
    pub event_bytes: usize,
}

impl Limits {
    /// No limit but the memory of the machine: only for input that is already in memory.
    ///
    /// ```
    /// use sseproof_codec::{Decoder, Limits};
    ///
    /// let stream = ["data: ", &"x".repeat(2 << 20), "\n\n"].concat();
    /// assert!(Decoder::new().feed(stream.as_bytes()).next().is_none());
    /// let mut decoder = Decoder::with_limits(Limits::UNLIMITED);
    /// assert!(decoder.feed(stream.as_bytes()).next().is_some());
    /// ```
    pub const UNLIMITED: Self = Self { line_bytes: usize::MAX, event_bytes: usize::MAX };

    /// The same limits, but for a line.
    ///
    /// ```
    /// use sseproof_codec::Limits;
    ///
    /// assert_eq!(Limits::default().with_line_bytes(1000).line_bytes, 1000);
    /// ```
    #[must_use]
    pub const fn with_line_bytes(self, line_bytes: usize) -> Self {
        Self { line_bytes, ..self }
    }

    /// The same limits, but for the data of an event.
    ///
    /// ```
    /// use sseproof_codec::Limits;
    ///
    /// assert_eq!(Limits::default().with_event_bytes(1000).event_bytes, 1000);
    /// ```
    #[must_use]
    pub const fn with_event_bytes(self, event_bytes: usize) -> Self {
        Self { event_bytes, ..self }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { line_bytes: 1 << 20, event_bytes: 8 << 20 }
    }
}

/// The state that a client keeps between two events, and for the next connection.
///
/// An idle stream has to keep nothing else: see [`Decoder::exchange`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resume {
    /// The last event ID, as [`Decoder::last_event_id`] gives it.
    pub last_event_id: String,
    /// The milliseconds of the last valid `retry` field, if there was one.
    pub reconnection_time: Option<u64>,
}

/// Decodes a whole stream, up to its end and without limits.
///
/// ```
/// use sseproof_codec::{AnomalyKind, Item, decode};
///
/// let items = decode(b"data: one\n\ndata: cut of");
/// assert!(matches!(&items[0], Item::Event(event) if event.data == "one"));
/// assert!(matches!(&items[1], Item::Anomaly(a) if a.kind == AnomalyKind::UnterminatedBlock));
/// ```
pub fn decode(bytes: &[u8]) -> Vec<Item<'static>> {
    let mut decoder = Decoder::with_limits(Limits::UNLIMITED);
    let mut decoded = Vec::new();
    let mut items = decoder.inspect(bytes);
    while let Some(item) = items.next() {
        decoded.push(item.into_owned());
    }
    drop(items);
    decoded.extend(decoder.finish().map(Item::Anomaly));
    decoded
}

/// A push decoder for one stream.
///
/// The items are the same however the stream is cut into chunks, and they come in stream order,
/// line by line. The anomalies in the bytes of a line come before the item of the line.
///
/// Decoding never fails, takes time linear in the input, and keeps no more than [`Limits`] allow.
///
/// ```
/// use sseproof_codec::Decoder;
///
/// let mut decoder = Decoder::new();
/// assert!(decoder.feed(b"event: tick\ndata: 4").next().is_none());
/// let mut events = decoder.feed(b"2\n\n");
/// let Some(event) = events.next() else { panic!("an event") };
/// assert_eq!((&*event.event_type, &*event.data), ("tick", "42"));
/// ```
#[derive(Debug)]
pub struct Decoder {
    pub(crate) lines: Lines,
    pub(crate) block: Block,
    pub(crate) last_event_id: String,
    pub(crate) reconnection_time: Option<u64>,
    pub(crate) limits: Limits,
    /// Data of this many bytes is within the limit, even if each of them is replaced by U+FFFD.
    pub(crate) ample: usize,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Decoder {
    /// A decoder at the start of a stream, with the default limits.
    ///
    /// ```
    /// use sseproof_codec::Decoder;
    ///
    /// let decoder = Decoder::new();
    /// assert_eq!((decoder.last_event_id(), decoder.reconnection_time()), ("", None));
    /// ```
    pub fn new() -> Self {
        Self::with_limits(Limits::default())
    }

    /// A decoder at the start of a stream.
    ///
    /// ```
    /// use sseproof_codec::{Decoder, Limits};
    ///
    /// let mut decoder = Decoder::with_limits(Limits::default().with_line_bytes(10));
    /// assert!(decoder.feed(b"data: 12345\n\n").next().is_none());
    /// assert!(decoder.feed(b"data: 1234\n\n").next().is_some());
    /// ```
    pub fn with_limits(limits: Limits) -> Self {
        Self {
            lines: Lines::default(),
            block: Block::default(),
            last_event_id: String::new(),
            reconnection_time: None,
            limits,
            ample: limits.event_bytes / '\u{FFFD}'.len_utf8(),
        }
    }

    /// Decodes the next chunk, which may be cut anywhere, and gives its events.
    ///
    /// The events borrow from the chunk where they can. If [`Events`] is dropped early, the rest of
    /// the chunk is still decoded, and its events are lost.
    ///
    /// ```
    /// use sseproof_codec::Decoder;
    ///
    /// let mut decoder = Decoder::new();
    /// let mut seen = Vec::new();
    /// for chunk in [&b"data: one\n\nda"[..], b"ta: two\r", b"\n\r\n"] {
    ///     let mut events = decoder.feed(chunk);
    ///     while let Some(event) = events.next() {
    ///         seen.push(event.data.into_owned());
    ///     }
    /// }
    /// assert_eq!(seen, ["one", "two"]);
    /// ```
    #[inline]
    pub fn feed<'a>(&'a mut self, chunk: &'a [u8]) -> Events<'a> {
        Events::new(self, chunk)
    }

    /// Decodes the next chunk, which may be cut anywhere, and gives everything in it: events,
    /// comments, unknown fields and anomalies.
    ///
    /// Chunks may be fed and inspected in turn: the events are the same.
    ///
    /// ```
    /// use sseproof_codec::{Decoder, Item};
    ///
    /// let mut decoder = Decoder::new();
    /// let mut items = decoder.inspect(b": ping\n\ndata: hello\n\n");
    /// assert!(matches!(items.next(), Some(Item::Comment(comment)) if comment.text == " ping"));
    /// assert!(matches!(items.next(), Some(Item::Event(event)) if event.data == "hello"));
    /// assert!(items.next().is_none());
    /// ```
    pub fn inspect<'a>(&'a mut self, chunk: &'a [u8]) -> Items<'a> {
        Items::new(self, chunk)
    }

    /// Feeds a chunk, and appends its events to those that wait.
    #[cfg(any(feature = "futures", feature = "tokio-util"))]
    pub(crate) fn queue(&mut self, chunk: &[u8], waiting: &mut VecDeque<Event<'static>>) {
        let mut events = self.feed(chunk);
        while let Some(event) = events.next() {
            waiting.push_back(event.into_owned());
        }
    }

    /// Ends the stream.
    ///
    /// A block that no blank line ended is discarded, with its id (`whatwg-sse/end-of-stream`), and
    /// reported. The rest of a comment is not reported, since none of it counts; nor are bytes of a
    /// discarded line that are not UTF-8, as no client shows them and a cut connection cuts
    /// characters too.
    ///
    /// ```
    /// use sseproof_codec::{AnomalyKind, Decoder};
    ///
    /// let mut decoder = Decoder::new();
    /// drop(decoder.feed(b"data: one\n\ndata: [DONE]\n"));
    /// let Some(anomaly) = decoder.finish() else { panic!("nothing was cut off") };
    /// assert_eq!((anomaly.kind, anomaly.span.start), (AnomalyKind::UnterminatedBlock, 11));
    /// ```
    pub fn finish(&mut self) -> Option<Anomaly> {
        let rest = self.lines.discard_rest();
        let start = if self.block.dropped { None } else { self.block.start.or(rest) };
        self.block.clear();
        let span = Span::new(start?, self.offset());
        Some(Anomaly { kind: AnomalyKind::UnterminatedBlock, span })
    }

    /// Ends the stream as [`Decoder::finish`] does, and makes the decoder ready for the next
    /// connection: the last event ID and the reconnection time stay, as the standard requires, all
    /// other state is reset. The buffers are kept.
    ///
    /// ```
    /// use sseproof_codec::Decoder;
    ///
    /// let mut decoder = Decoder::new();
    /// drop(decoder.feed(b"id: 7\nretry: 500\ndata: one\n\ndata: cut"));
    /// assert!(decoder.reconnect().is_some());
    /// // The next request has `Last-Event-ID: 7`, and the events of its response may have no id.
    /// assert_eq!((decoder.last_event_id(), decoder.reconnection_time()), ("7", Some(500)));
    /// let mut events = decoder.feed(b"data: two\n\n");
    /// assert!(events.next().is_some_and(|event| event.last_event_id == "7"));
    /// ```
    pub fn reconnect(&mut self) -> Option<Anomaly> {
        let anomaly = self.finish();
        self.lines.restart();
        anomaly
    }

    /// A decoder that starts with the state of an earlier one, perhaps in another process: its
    /// [`Decoder::last_event_id`] and its [`Decoder::reconnection_time`].
    ///
    /// ```
    /// use sseproof_codec::Decoder;
    ///
    /// let mut decoder = Decoder::new().resumed("7", Some(500));
    /// let mut events = decoder.feed(b"data: two\n\n");
    /// assert!(events.next().is_some_and(|event| event.last_event_id == "7"));
    /// ```
    #[must_use]
    pub fn resumed(mut self, last_event_id: &str, reconnection_time: Option<u64>) -> Self {
        self.last_event_id.clear();
        self.last_event_id.push_str(last_event_id);
        self.reconnection_time = reconnection_time;
        self
    }

    /// Whether no line and no block of the stream is incomplete. An idle stream is at rest, since a
    /// server writes whole events.
    ///
    /// ```
    /// use sseproof_codec::Decoder;
    ///
    /// let mut decoder = Decoder::new();
    /// drop(decoder.feed(b"data: one\n\ndata: tw"));
    /// assert!(!decoder.is_at_rest());
    /// drop(decoder.feed(b"o\n\n"));
    /// assert!(decoder.is_at_rest());
    /// // At the start of a stream a BOM may come, so a part of one is not at rest.
    /// assert!(!Decoder::new().is_at_rest());
    /// ```
    pub const fn is_at_rest(&self) -> bool {
        matches!(self.lines.left, Left::Nothing) && !self.block.is_open()
    }

    /// Swaps the state that this decoder keeps beyond events with that of another stream.
    ///
    /// So one decoder, with its buffers, serves any number of streams, if it is at rest
    /// ([`Decoder::is_at_rest`]) whenever it changes from one to another. Offsets and spans then
    /// count the bytes of all of them.
    ///
    /// ```
    /// use sseproof_codec::{Decoder, Resume};
    ///
    /// let (mut one, mut other) = (Resume::default(), Resume::default());
    /// let mut decoder = Decoder::new();
    /// for (stream, bytes) in [(&mut one, &b"id: 1\ndata: x\n\n"[..]), (&mut other, b"retry: 9\n\n")] {
    ///     decoder.exchange(stream);
    ///     drop(decoder.feed(bytes));
    ///     decoder.exchange(stream);
    ///     assert!(decoder.is_at_rest());
    /// }
    /// assert_eq!((&*one.last_event_id, one.reconnection_time), ("1", None));
    /// assert_eq!((&*other.last_event_id, other.reconnection_time), ("", Some(9)));
    /// ```
    pub const fn exchange(&mut self, resume: &mut Resume) {
        mem::swap(&mut self.last_event_id, &mut resume.last_event_id);
        mem::swap(&mut self.reconnection_time, &mut resume.reconnection_time);
    }

    /// The last event ID, which a client sends as `Last-Event-ID` when it reconnects now. Empty if
    /// no complete block has set it, or if the last one that did set it to the empty string.
    ///
    /// ```
    /// use sseproof_codec::Decoder;
    ///
    /// let mut decoder = Decoder::new();
    /// drop(decoder.feed(b"id: 7\ndata: one\n\nid: 8\ndata: not ended"));
    /// assert_eq!(decoder.last_event_id(), "7");
    /// ```
    pub fn last_event_id(&self) -> &str {
        &self.last_event_id
    }

    /// The milliseconds of the last valid `retry` field, if there was one.
    ///
    /// ```
    /// use sseproof_codec::Decoder;
    ///
    /// let mut decoder = Decoder::new();
    /// drop(decoder.feed(b"retry: 500\nretry: soon\n"));
    /// assert_eq!(decoder.reconnection_time(), Some(500));
    /// ```
    pub fn reconnection_time(&self) -> Option<u64> {
        self.reconnection_time
    }

    /// How many bytes of the stream were decoded.
    ///
    /// ```
    /// use sseproof_codec::Decoder;
    ///
    /// let mut decoder = Decoder::new();
    /// drop(decoder.feed(b"data: one\n\nda"));
    /// assert_eq!(decoder.offset(), 13);
    /// ```
    pub fn offset(&self) -> u64 {
        self.lines.offset
    }
}
