//! The encoder: frames in, bytes out that decode to exactly these frames.
//!
//! It rejects a value that the format cannot carry, and does not change it: a value changed in
//! silence is the injection bug of many servers.

use alloc::vec::Vec;
use core::{fmt, mem};

use memchr::{memchr, memchr_iter, memchr2, memchr3};

/// A comment and a block of fields, to be written together.
///
/// ```
/// use sseproof_codec::{Frame, encode};
///
/// let mut out = Vec::new();
/// encode(&Frame { id: Some("7"), data: Some("two\nlines"), ..Frame::default() }, &mut out)?;
/// assert_eq!(out, b"id: 7\ndata: two\ndata: lines\n\n");
/// # Ok::<(), sseproof_codec::EncodeError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Frame<'a> {
    /// A comment line for each of its lines. The text follows the colon unchanged, so a comment
    /// that is to read `: ping` starts with a space.
    pub comment: Option<&'a str>,
    /// The event type.
    pub event: Option<&'a str>,
    /// The last event ID; the empty string resets it.
    pub id: Option<&'a str>,
    /// The reconnection time in milliseconds.
    pub retry: Option<u64>,
    /// A `data` line for each of its lines. Without data no event is dispatched.
    pub data: Option<&'a str>,
}

/// A frame that cannot be written, since the stream would decode to something else.
///
/// ```
/// use sseproof_codec::{Frame, FrameField, Refused, encode};
///
/// let frame = Frame { id: Some("7\ndata: forged"), ..Frame::default() };
/// let error = encode(&frame, &mut Vec::new()).expect_err("it would forge data");
/// assert_eq!((error.field, error.offset, error.what), (FrameField::Id, 1, Refused::LineFeed));
/// assert_eq!(error.to_string(), "the id has a line feed at byte 1");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EncodeError {
    /// The value that cannot be written.
    pub field: FrameField,
    /// The byte offset in that value.
    pub offset: usize,
    /// The character or property that the field cannot carry.
    pub what: Refused,
}

/// A text of a [`Frame`]; [`EncodeError`] shows one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrameField {
    /// [`Frame::comment`].
    Comment,
    /// [`Frame::event`].
    Event,
    /// [`Frame::id`].
    Id,
    /// [`Frame::data`].
    Data,
}

/// The reasons for which a field is rejected; [`EncodeError`] shows one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refused {
    /// A CR: it ends the line, and clients do not restore it.
    CarriageReturn,
    /// An LF in a field of one line.
    LineFeed,
    /// A NUL in an id: clients ignore such an id.
    Nul,
    /// An empty event type: clients read it as `message`.
    Empty,
}

/// Appends the frame to `out`, which stays as it was if the frame cannot be written.
///
/// Comments come first, then the fields, then the blank line that dispatches them. A frame with
/// only a comment has no blank line, so that a heartbeat in the middle of a block does not end it;
/// an empty frame writes nothing. `event`, `id` and `retry` without data make a block that
/// dispatches no event, though its id and its reconnection time count.
///
/// ```
/// use sseproof_codec::{Frame, encode};
///
/// let mut out = Vec::new();
/// encode(&Frame { comment: Some(" ping"), ..Frame::default() }, &mut out)?;
/// encode(&Frame { event: Some("tick"), data: Some("42"), ..Frame::default() }, &mut out)?;
/// assert_eq!(out, b": ping\nevent: tick\ndata: 42\n\n");
/// # Ok::<(), sseproof_codec::EncodeError>(())
/// ```
///
/// # Errors
/// A CR anywhere, an LF or nothing at all in `event`, an LF or a NUL in `id`.
pub fn encode(frame: &Frame<'_>, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let Frame { comment, event, id, retry, data } = *frame;
    check(FrameField::Comment, comment, |bytes| memchr(b'\r', bytes))?;
    check(FrameField::Event, event, |bytes| memchr2(b'\r', b'\n', bytes))?;
    check(FrameField::Id, id, |bytes| memchr3(b'\r', b'\n', 0, bytes))?;
    check(FrameField::Data, data, |bytes| memchr(b'\r', bytes))?;
    if event == Some("") {
        return Err(EncodeError { field: FrameField::Event, offset: 0, what: Refused::Empty });
    }

    for line in lines(comment) {
        out.push(b':');
        out.extend_from_slice(line);
        out.push(b'\n');
    }
    if let Some(event) = event {
        write_field("event", event.as_bytes(), out);
    }
    if let Some(id) = id {
        write_field("id", id.as_bytes(), out);
    }
    if let Some(retry) = retry {
        write_field("retry", Decimal::new(retry).digits(), out);
    }
    for line in lines(data) {
        write_field("data", line, out);
    }
    if event.is_some() || id.is_some() || retry.is_some() || data.is_some() {
        out.push(b'\n');
    }
    Ok(())
}

fn check(
    field: FrameField,
    value: Option<&str>,
    find: impl Fn(&[u8]) -> Option<usize>,
) -> Result<(), EncodeError> {
    let bytes = value.unwrap_or_default().as_bytes();
    let Some(offset) = find(bytes) else { return Ok(()) };
    let what = match bytes[offset] {
        b'\r' => Refused::CarriageReturn,
        b'\n' => Refused::LineFeed,
        _ => Refused::Nul,
    };
    Err(EncodeError { field, offset, what })
}

/// The space after the colon is always written, because clients remove one, which must not be the
/// first character of the value.
fn write_field(name: &str, value: &[u8], out: &mut Vec<u8>) {
    out.reserve(name.len() + value.len() + 3);
    out.extend_from_slice(name.as_bytes());
    out.push(b':');
    if !value.is_empty() {
        out.push(b' ');
        out.extend_from_slice(value);
    }
    out.push(b'\n');
}

/// The lines of a value, the last one without an LF.
fn lines(value: Option<&str>) -> impl Iterator<Item = &[u8]> {
    value.into_iter().flat_map(|value| {
        let bytes = value.as_bytes();
        let ends = memchr_iter(b'\n', bytes).chain([bytes.len()]);
        ends.scan(0, move |from, end| Some(&bytes[mem::replace(from, end + 1)..end]))
    })
}

/// A number in decimal, without an allocation.
struct Decimal {
    digits: [u8; 20],
    from: usize,
}

impl Decimal {
    fn new(mut number: u64) -> Self {
        let mut decimal = Self { digits: [b'0'; 20], from: 20 };
        loop {
            decimal.from -= 1;
            decimal.digits[decimal.from] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                return decimal;
            }
        }
    }

    fn digits(&self) -> &[u8] {
        &self.digits[self.from..]
    }
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, offset, what } = self;
        match what {
            Refused::Empty => write!(f, "{field} is empty, which reads as `message`"),
            what => write!(f, "{field} has {what} at byte {offset}"),
        }
    }
}

impl core::error::Error for EncodeError {}

impl fmt::Display for FrameField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Comment => "the comment",
            Self::Event => "the event type",
            Self::Id => "the id",
            Self::Data => "the data",
        })
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CarriageReturn => "a carriage return",
            Self::LineFeed => "a line feed",
            Self::Nul => "a NUL",
            Self::Empty => "nothing",
        })
    }
}
