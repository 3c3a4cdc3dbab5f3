//! The encoder: frames in, bytes out that decode to exactly these frames.
//!
//! It refuses what the format cannot carry instead of mending it, because a value that is changed in
//! silence is the injection bug of so many servers.

use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt;

/// What to write in one go: comments, and a block of fields.
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
    /// A comment line for each of its lines. The text follows the colon unchanged, so a comment that
    /// shall read `: ping` starts with a space.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EncodeError {
    /// The value that cannot be written.
    pub field: FrameField,
    /// The byte offset in that value.
    pub offset: usize,
    /// What stands there.
    pub what: Refused,
}

/// A text of a [`Frame`].
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

/// What a field cannot carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refused {
    /// A CR: it ends the line, and no client puts it back.
    CarriageReturn,
    /// An LF in a field of one line.
    LineFeed,
    /// A NUL in an id: clients ignore such an id.
    Nul,
    /// An event type without a character: it is read as `message`.
    Empty,
}

/// Appends the frame to `out`, which stays as it was if the frame cannot be written.
///
/// Comments come first, then the fields, then the blank line that dispatches them. A frame that is
/// only a comment has no blank line, so that a heartbeat may be written in the middle of a block and
/// does not end it; a frame without anything writes nothing. `event`, `id` and `retry` without data
/// make a block that dispatches nothing, though its id and its reconnection time count.
///
/// # Errors
/// A CR anywhere, an LF or nothing at all in `event`, an LF or a NUL in `id`.
pub fn encode(frame: &Frame<'_>, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let Frame { comment, event, id, retry, data } = *frame;
    check(FrameField::Comment, comment, |byte| byte == b'\r')?;
    check(FrameField::Event, event, |byte| matches!(byte, b'\r' | b'\n'))?;
    check(FrameField::Id, id, |byte| matches!(byte, b'\r' | b'\n' | 0))?;
    check(FrameField::Data, data, |byte| byte == b'\r')?;
    if event == Some("") {
        return Err(EncodeError { field: FrameField::Event, offset: 0, what: Refused::Empty });
    }

    for line in comment.into_iter().flat_map(|comment| comment.split('\n')) {
        out.push(b':');
        out.extend_from_slice(line.as_bytes());
        out.push(b'\n');
    }
    if let Some(event) = event {
        write_field("event", event, out);
    }
    if let Some(id) = id {
        write_field("id", id, out);
    }
    if let Some(retry) = retry {
        write_field("retry", &retry.to_string(), out);
    }
    for line in data.into_iter().flat_map(|data| data.split('\n')) {
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
    refuses: impl Fn(u8) -> bool,
) -> Result<(), EncodeError> {
    let bytes = value.unwrap_or_default().as_bytes();
    let Some(offset) = bytes.iter().position(|&byte| refuses(byte)) else { return Ok(()) };
    let what = match bytes[offset] {
        b'\r' => Refused::CarriageReturn,
        b'\n' => Refused::LineFeed,
        _ => Refused::Nul,
    };
    Err(EncodeError { field, offset, what })
}

/// The space behind the colon is always written, so that one that the value starts with is not
/// the one that clients take away.
fn write_field(name: &str, value: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(name.as_bytes());
    out.push(b':');
    if !value.is_empty() {
        out.push(b' ');
        out.extend_from_slice(value.as_bytes());
    }
    out.push(b'\n');
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
