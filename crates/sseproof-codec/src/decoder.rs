//! The decoder: chunks of bytes in, items out, by the letter of the WHATWG standard.
//!
//! It is a push decoder without a clock or a socket. `scan` finds the line ends, `lines` cuts
//! the bytes into lines of text, `field` takes a line apart, `block` keeps the buffers that the
//! standard speaks of, and `walk` leads from one to the other.

#[cfg(any(feature = "futures", feature = "tokio-util"))]
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::mem;

#[cfg(any(feature = "futures", feature = "tokio-util"))]
use crate::Event;
use crate::block::Block;
use crate::buffer::Buffer;
use crate::items::{Events, Items};
use crate::lines::Lines;
use crate::{Anomaly, AnomalyKind, Item, Span};

/// How much a decoder keeps in memory for a stream, whatever the stream sends.
///
/// A line or an event that passes a limit is an anomaly. Its whole block then counts as never
/// received: nothing is dispatched, its `id` does not become the last event ID (so that who resumes
/// asks for this event again), and nothing more is reported of it. Decoding goes on behind the next
/// blank line. A `retry` that stood before the place where the limit was passed has taken effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The bytes of a line, without its line end. 1 MiB unless set.
    pub line_bytes: usize,
    /// The bytes of the data of an event, as dispatched. 8 MiB unless set.
    pub event_bytes: usize,
}

impl Limits {
    /// No limit but the memory of the machine: only for input that is in memory already.
    pub const UNLIMITED: Self = Self { line_bytes: usize::MAX, event_bytes: usize::MAX };
}

impl Default for Limits {
    fn default() -> Self {
        Self { line_bytes: 1 << 20, event_bytes: 8 << 20 }
    }
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
/// The items are the same however the stream is cut into chunks, and they come in stream order, line
/// by line. What is wrong with the bytes of a line comes before what the line means.
///
/// Decoding never fails, takes time linear in the input, and keeps no more than [`Limits`] allow.
#[derive(Debug)]
pub struct Decoder {
    pub(crate) lines: Lines,
    pub(crate) block: Block,
    pub(crate) last_event_id: Buffer,
    pub(crate) reconnection_time: Option<u64>,
    pub(crate) limits: Limits,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Decoder {
    /// A decoder at the start of a stream, with the default limits.
    pub fn new() -> Self {
        Self::with_limits(Limits::default())
    }

    /// A decoder at the start of a stream.
    pub fn with_limits(limits: Limits) -> Self {
        Self {
            lines: Lines::new(limits.line_bytes),
            block: Block::default(),
            last_event_id: Buffer::new(),
            reconnection_time: None,
            limits,
        }
    }

    /// Decodes the next chunk, which may be cut anywhere, for its events.
    ///
    /// The events borrow from the chunk where they can. Dropping [`Events`] early decodes the rest
    /// of the chunk all the same, only nobody sees its events.
    #[inline]
    pub fn feed<'a>(&'a mut self, chunk: &'a [u8]) -> Events<'a> {
        Events::new(self, chunk)
    }

    /// Decodes the next chunk, which may be cut anywhere, for all that is in it: comments, what
    /// no client knows, and what is wrong, besides the events.
    ///
    /// Chunks may be fed and inspected in turn: the events are the same.
    pub fn inspect<'a>(&'a mut self, chunk: &'a [u8]) -> Items<'a> {
        Items::new(self, chunk)
    }

    /// Feeds a chunk, and puts its events behind those that wait.
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
    /// reported. What is left of a comment is no loss, so it is not reported; nor are bytes of a
    /// discarded line that are not UTF-8, as no client shows them and a cut connection cuts
    /// characters too.
    pub fn finish(&mut self) -> Option<Anomaly> {
        let rest = self.lines.discard_rest().filter(|rest| !rest.is_comment);
        let block = mem::take(&mut self.block);
        if block.dropped {
            return None;
        }
        let start = block.start.or(rest.map(|rest| rest.start))?;
        let span = Span::new(start, self.offset());
        Some(Anomaly { kind: AnomalyKind::UnterminatedBlock, span })
    }

    /// Ends the stream as [`Decoder::finish`] does, and makes the decoder ready for the next
    /// connection: the last event ID and the reconnection time stay, as the standard wants, all
    /// else begins anew. The buffers are kept.
    ///
    /// ```
    /// use sseproof_codec::Decoder;
    ///
    /// let mut decoder = Decoder::new();
    /// drop(decoder.feed(b"id: 7\nretry: 500\ndata: one\n\ndata: cut"));
    /// assert!(decoder.reconnect().is_some());
    /// // The request that follows has `Last-Event-ID: 7`, and what it brings may have no id.
    /// assert_eq!((decoder.last_event_id(), decoder.reconnection_time()), ("7", Some(500)));
    /// let mut events = decoder.feed(b"data: two\n\n");
    /// assert!(events.next().is_some_and(|event| event.last_event_id == "7"));
    /// ```
    pub fn reconnect(&mut self) -> Option<Anomaly> {
        let anomaly = self.finish();
        self.lines.restart();
        anomaly
    }

    /// A decoder that takes over what an earlier one, perhaps of another process, has learnt: its
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
        self.last_event_id.push(last_event_id);
        self.reconnection_time = reconnection_time;
        self
    }

    /// The last event ID string: what a client sends as `Last-Event-ID` when it reconnects now.
    /// Empty if no complete block has set it, or if the last one that did reset it.
    pub fn last_event_id(&self) -> &str {
        self.last_event_id.as_str()
    }

    /// The milliseconds of the last valid `retry` field, if there was one.
    pub fn reconnection_time(&self) -> Option<u64> {
        self.reconnection_time
    }

    /// How many bytes of the stream were decoded.
    pub fn offset(&self) -> u64 {
        self.lines.offset()
    }
}
