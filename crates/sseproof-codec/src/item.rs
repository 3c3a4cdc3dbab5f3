//! The items that a decoder gives: events, and everything else that a checker needs.

use alloc::borrow::Cow;
use core::ops::Range;

/// A half-open range of byte offsets, counted from the first byte of the stream (a BOM included).
///
/// ```
/// use sseproof_codec::{Item, decode};
///
/// let stream = b": note\ndata: one\n\n";
/// let Item::Comment(comment) = &decode(stream)[0] else { panic!("a comment") };
/// let bytes = comment.span.start as usize..comment.span.end as usize;
/// assert_eq!(&stream[bytes], b": note");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Span {
    /// The offset of the first byte.
    pub start: u64,
    /// The offset after the last byte.
    pub end: u64,
}

impl Span {
    /// The span from `start` up to, and without, `end`.
    ///
    /// ```
    /// use sseproof_codec::Span;
    ///
    /// assert_eq!(Span::new(2, 5), Span::from(2..5));
    /// ```
    pub const fn new(start: u64, end: u64) -> Self {
        Self { start, end }
    }

    /// How many bytes the span covers.
    ///
    /// ```
    /// assert_eq!(sseproof_codec::Span::new(2, 5).len(), 3);
    /// ```
    pub const fn len(self) -> u64 {
        self.end - self.start
    }

    /// Whether the span covers no byte.
    ///
    /// ```
    /// assert!(sseproof_codec::Span::new(2, 2).is_empty());
    /// ```
    pub const fn is_empty(self) -> bool {
        self.start == self.end
    }
}

impl From<Range<u64>> for Span {
    fn from(range: Range<u64>) -> Self {
        Self::new(range.start, range.end)
    }
}

/// One item of the stream, in stream order.
///
/// ```
/// use sseproof_codec::{Item, decode};
///
/// for item in decode(b": hi\nretry: 5\nfoo: bar\ndata: one\n\nid: 7\n\n\xFF: x\n") {
///     let text = match &item {
///         Item::Event(event) => format!("{} {}", event.event_type, event.data),
///         Item::Comment(comment) => format!("a comment:{}", comment.text),
///         Item::Retry(retry) => format!("reconnect after {} ms", retry.millis),
///         Item::UnknownField(field) => format!("unknown field {}", field.name),
///         Item::EmptyBlock(_) => "nothing to dispatch".to_owned(),
///         Item::Anomaly(anomaly) => format!("{:?}", anomaly.kind),
///         _ => "an item of a later version".to_owned(),
///     };
///     println!("{}: {text}", item.span().start);
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Item<'a> {
    /// An event that a client dispatches.
    Event(Event<'a>),
    /// A line that starts with a colon.
    Comment(Comment<'a>),
    /// A `retry` field that sets the reconnection time, immediately, whether or not its block
    /// dispatches.
    Retry(Retry),
    /// A field with an unknown name, which every client ignores.
    UnknownField(UnknownField<'a>),
    /// A block with fields, but without `data`: no event is dispatched (its id does count).
    EmptyBlock(EmptyBlock),
    /// An anomaly: bytes that are wrong, or have another effect than they seem to.
    Anomaly(Anomaly),
}

/// An event as a client dispatches it.
///
/// ```
/// use sseproof_codec::{Item, decode};
///
/// let items = decode(b"event: tick\nid: 7\ndata: 4\ndata: 2\n\n");
/// let [Item::Event(event)] = &items[..] else { panic!("an event") };
/// assert_eq!((&*event.event_type, &*event.data), ("tick", "4\n2"));
/// assert_eq!((&*event.last_event_id, event.sets_id), ("7", true));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Event<'a> {
    /// The event type, `message` unless the block set another one.
    pub event_type: Cow<'a, str>,
    /// The data lines, joined by LF.
    pub data: Cow<'a, str>,
    /// The last event ID string at the time of dispatch, inherited from earlier blocks too.
    pub last_event_id: Cow<'a, str>,
    /// Whether this very block set the id (also to the empty string).
    pub sets_id: bool,
    /// From the first byte of the block's first field line to the end of the blank line after it.
    /// If that ends with CRLF, the LF is outside: the event is dispatched before the LF has come.
    pub span: Span,
}

/// A comment line.
///
/// ```
/// use sseproof_codec::{Item, decode};
///
/// let items = decode(b": ping\n");
/// assert!(matches!(&items[0], Item::Comment(comment) if comment.text == " ping"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Comment<'a> {
    /// The text after the colon, unchanged.
    pub text: Cow<'a, str>,
    /// The line, without its line end.
    pub span: Span,
}

/// A reconnection time.
///
/// ```
/// use sseproof_codec::{Item, decode};
///
/// let items = decode(b"retry: 3000\n");
/// assert!(matches!(items[0], Item::Retry(retry) if retry.millis == 3000));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Retry {
    /// Milliseconds; `u64::MAX` for a number that is too large for it.
    pub millis: u64,
    /// The line, without its line end.
    pub span: Span,
}

/// A field with a name other than `data`, `event`, `id` and `retry`.
///
/// ```
/// use sseproof_codec::{Item, decode};
///
/// let items = decode(b"Data: x\n");
/// let Item::UnknownField(field) = &items[0] else { panic!("names are literal") };
/// assert_eq!((&*field.name, &*field.value, field.has_colon), ("Data", "x", true));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct UnknownField<'a> {
    /// The name, as spelled.
    pub name: Cow<'a, str>,
    /// The value, without the one leading space.
    pub value: Cow<'a, str>,
    /// Whether the line has a colon at all.
    pub has_colon: bool,
    /// The line, without its line end.
    pub span: Span,
}

/// A block that had at least one `event`, `id` or `retry` field, valid or not, and no `data` field.
///
/// ```
/// use sseproof_codec::{Item, decode};
///
/// let items = decode(b"id: 7\nevent: done\n\n");
/// assert!(matches!(items[0], Item::EmptyBlock(block) if block.sets_id && block.sets_event));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct EmptyBlock {
    /// Whether it set the id, which counts although no event is dispatched.
    pub sets_id: bool,
    /// Whether it set an event type (other than the empty string), which is lost.
    pub sets_event: bool,
    /// The same bytes as the span of an [`Event`].
    pub span: Span,
}

/// Something wrong at a byte offset.
///
/// ```
/// use sseproof_codec::{AnomalyKind, Item, decode};
///
/// let items = decode(b"id: 1\0\n");
/// let Item::Anomaly(anomaly) = items[0] else { panic!("a NUL") };
/// assert_eq!((anomaly.kind, anomaly.span.start), (AnomalyKind::NulInId, 5));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Anomaly {
    /// The kind.
    pub kind: AnomalyKind,
    /// The bytes that are wrong; `start` is the offset to point at.
    pub span: Span,
}

/// The kinds of anomalies; [`Anomaly`] shows one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum AnomalyKind {
    /// Bytes that are not UTF-8: the client shows U+FFFD for them. One anomaly per maximal invalid run.
    /// Bytes of a line that never ends are not reported, as no client shows that line.
    InvalidUtf8,
    /// A byte order mark at the start of a line, except at the start of the stream: it becomes part
    /// of a field name.
    BomNotAtStart,
    /// An `id` with a NUL: the client ignores the whole field. The span is its first NUL.
    NulInId,
    /// A `retry` whose value is not ASCII digits only, or is empty: the client ignores it. The span
    /// is the value.
    RetryNotDigits,
    /// The stream ended inside a block: the client discards it, its id too. The span goes from the
    /// first field line of the block to the end of the stream. A comment that is cut off loses
    /// nothing, so it is not an anomaly.
    UnterminatedBlock,
    /// A line longer than the limit: it was dropped, with its block. The span goes from the start
    /// of the line to the first byte over the limit, included.
    LineTooLong,
    /// An event larger than the limit: it was dropped. The span goes from the first field line of the
    /// block to the end of the line that passed the limit.
    EventTooLarge,
}

impl Item<'_> {
    /// The same item, free of what it borrowed.
    ///
    /// ```
    /// use sseproof_codec::{Decoder, Item};
    ///
    /// let mut decoder = Decoder::new();
    /// let kept: Option<Item<'static>> = decoder.inspect(b": hi\n").next().map(Item::into_owned);
    /// assert!(kept.is_some());
    /// ```
    pub fn into_owned(self) -> Item<'static> {
        match self {
            Item::Event(event) => Item::Event(event.into_owned()),
            Item::Comment(Comment { text, span }) => {
                Item::Comment(Comment { text: owned(text), span })
            }
            Item::Retry(retry) => Item::Retry(retry),
            Item::UnknownField(UnknownField { name, value, has_colon, span }) => {
                Item::UnknownField(UnknownField {
                    name: owned(name),
                    value: owned(value),
                    has_colon,
                    span,
                })
            }
            Item::EmptyBlock(block) => Item::EmptyBlock(block),
            Item::Anomaly(anomaly) => Item::Anomaly(anomaly),
        }
    }

    /// The bytes that the item describes.
    ///
    /// ```
    /// let items = sseproof_codec::decode(b"data: one\n\n: hi\n");
    /// assert_eq!(items[1].span().start, 11);
    /// ```
    pub fn span(&self) -> Span {
        match self {
            Item::Event(event) => event.span,
            Item::Comment(comment) => comment.span,
            Item::Retry(retry) => retry.span,
            Item::UnknownField(field) => field.span,
            Item::EmptyBlock(block) => block.span,
            Item::Anomaly(anomaly) => anomaly.span,
        }
    }
}

impl Event<'_> {
    /// The same event, free of what it borrowed.
    ///
    /// ```
    /// use sseproof_codec::{Decoder, Event};
    ///
    /// let mut decoder = Decoder::new();
    /// let kept: Option<Event<'static>> = decoder.feed(b"data: x\n\n").next().map(Event::into_owned);
    /// assert!(kept.is_some());
    /// ```
    pub fn into_owned(self) -> Event<'static> {
        Event {
            event_type: owned(self.event_type),
            data: owned(self.data),
            last_event_id: owned(self.last_event_id),
            sets_id: self.sets_id,
            span: self.span,
        }
    }
}

fn owned(text: Cow<'_, str>) -> Cow<'static, str> {
    Cow::Owned(text.into_owned())
}
