//! HTTP/2 as it stands on the wire (RFC 9113): frames, and the fields in them (HPACK, RFC 7541).
//!
//! The recording client, the lab server and the rules read the same bytes by the same code.
//! It is written here, and only HPACK is a library's: the client continues after errors at which a
//! strict library stops, so that a rule can name a forbidden field, and the lab server must be able
//! to send faults.
//!
//! A window is set once, with the first SETTINGS of a connection; other streams get theirs by
//! WINDOW_UPDATE, so that no server has to reduce a window.

mod client;
mod fields;
mod reader;
mod server;

pub use self::client::{CONNECTION_FIELDS, CONNECTION_UNPACKED, Client, Failure, Over, Part};
pub use self::fields::{FIELDS, Fields, TABLE, UNPACKED};
pub use self::reader::{BLOCK, Event, Reader};
pub use self::server::{Asked, Server};

/// The first bytes of a client on a connection (RFC 9113, section 3.4).
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// The most bytes that the payload of a frame may have by default.
pub const MAX_FRAME: usize = 16_384;
/// The default window of a stream or a connection.
pub const WINDOW: u32 = 65_535;
/// How many bytes stand before the payload of a frame.
pub const FRAME_HEAD: usize = 9;

/// The types of frames (RFC 9113, section 6).
pub mod kind {
    pub const DATA: u8 = 0;
    /// The fields of a request or a response, or trailers.
    pub const HEADERS: u8 = 1;
    /// The end of a stream before its time.
    pub const RST_STREAM: u8 = 3;
    /// Limits and options of one end for the other.
    pub const SETTINGS: u8 = 4;
    /// A response without a request (server push).
    pub const PUSH_PROMISE: u8 = 5;
    pub const PING: u8 = 6;
    pub const GOAWAY: u8 = 7;
    pub const WINDOW_UPDATE: u8 = 8;
    pub const CONTINUATION: u8 = 9;
}

/// The settings (RFC 9113, section 6.5.2).
pub mod settings {
    pub const ENABLE_PUSH: u16 = 2;
    pub const MAX_CONCURRENT_STREAMS: u16 = 3;
    pub const INITIAL_WINDOW_SIZE: u16 = 4;
    pub const MAX_FRAME_SIZE: u16 = 5;
}

pub mod flag {
    /// The last frame of a stream (DATA, HEADERS).
    pub const END_STREAM: u8 = 0x1;
    pub const ACK: u8 = 0x1;
    pub const END_HEADERS: u8 = 0x4;
    pub const PADDED: u8 = 0x8;
    pub const PRIORITY: u8 = 0x20;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'b> {
    pub kind: u8,
    pub flags: u8,
    pub stream: u32,
    pub payload: &'b [u8],
}

impl<'b> Frame<'b> {
    /// The frame that the bytes begin with, if it is whole.
    pub fn read(bytes: &'b [u8]) -> Option<Self> {
        let head = bytes.get(..FRAME_HEAD)?;
        let payload = bytes.get(FRAME_HEAD..FRAME_HEAD + Self::announced(bytes)?)?;
        let stream = u32::from_be_bytes([head[5] & 0x7F, head[6], head[7], head[8]]);
        Some(Self { kind: head[3], flags: head[4], stream, payload })
    }

    /// How long the payload of the frame is that the bytes begin with.
    pub fn announced(bytes: &[u8]) -> Option<usize> {
        let length = bytes.get(..3)?;
        Some(usize::from(length[0]) << 16 | usize::from(length[1]) << 8 | usize::from(length[2]))
    }

    pub const fn length(&self) -> usize {
        FRAME_HEAD + self.payload.len()
    }

    pub const fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// Whether it is the last one of its stream.
    pub const fn ends_stream(&self) -> bool {
        matches!(self.kind, kind::DATA | kind::HEADERS) && self.has(flag::END_STREAM)
    }

    /// The payload without padding and priority; `None` where these are longer than it.
    pub fn content(&self) -> Option<&'b [u8]> {
        let mut content = self.payload;
        let mut padding = 0;
        if matches!(self.kind, kind::DATA | kind::HEADERS | kind::PUSH_PROMISE)
            && self.has(flag::PADDED)
        {
            padding = usize::from(*content.first()?);
            content = &content[1..];
        }
        match self.kind {
            kind::HEADERS if self.has(flag::PRIORITY) => content = content.get(5..)?,
            kind::PUSH_PROMISE => content = content.get(4..)?,
            _ => {}
        }
        content.get(..content.len().checked_sub(padding)?)
    }

    /// The number that the payload begins with at this offset.
    pub fn number(&self, at: usize) -> Option<u32> {
        let bytes = self.payload.get(at..at + 4)?;
        Some(u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    pub fn settings(&self) -> impl Iterator<Item = (u16, u32)> + use<'b> {
        self.payload.chunks_exact(6).map(|one| {
            let which = u16::from_be_bytes([one[0], one[1]]);
            (which, u32::from_be_bytes([one[2], one[3], one[4], one[5]]))
        })
    }
}

pub fn write_frame(out: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    // No caller writes more than `MAX_FRAME`; a length that does not fit would be cut here.
    out.extend_from_slice(&u32::try_from(payload.len()).unwrap_or(u32::MAX).to_be_bytes()[1..]);
    out.extend_from_slice(&[kind, flags]);
    out.extend_from_slice(&stream.to_be_bytes());
    out.extend_from_slice(payload);
}

/// A setting, for the payload of SETTINGS.
pub fn setting(which: u16, to: u32) -> [u8; 6] {
    let ([a, b], [c, d, e, f]) = (which.to_be_bytes(), to.to_be_bytes());
    [a, b, c, d, e, f]
}

/// Writes fields as HEADERS and, where they are many, CONTINUATION frames.
pub fn write_fields(out: &mut Vec<u8>, stream: u32, end: bool, block: &[u8]) {
    let end = if end { flag::END_STREAM } else { 0 };
    let mut pieces = block.chunks(MAX_FRAME).peekable();
    let mut kind = (kind::HEADERS, end);
    while let Some(piece) = pieces.next() {
        let whole = if pieces.peek().is_none() { flag::END_HEADERS } else { 0 };
        write_frame(out, kind.0, kind.1 | whole, stream, piece);
        kind = (kind::CONTINUATION, 0);
    }
}

/// Writes a field in the form that needs no table on either side: a literal that is not indexed,
/// with a name of its own (RFC 7541, section 6.2.2).
pub fn write_field(block: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    block.push(0);
    write_string(block, name);
    write_string(block, value);
}

fn write_string(block: &mut Vec<u8>, text: &[u8]) {
    let mut rest = text.len();
    if rest < 0x7F {
        block.push(u8::try_from(rest).unwrap_or(0x7E));
    } else {
        block.push(0x7F);
        rest -= 0x7F;
        while rest >= 0x80 {
            block.push(u8::try_from(rest & 0x7F).unwrap_or(0) | 0x80);
            rest >>= 7;
        }
        block.push(u8::try_from(rest).unwrap_or(0));
    }
    block.extend_from_slice(text);
}

/// The name of an error code (RFC 9113, section 7).
pub fn error_name(code: u32) -> String {
    let name = match code {
        0 => "NO_ERROR",
        1 => "PROTOCOL_ERROR",
        2 => "INTERNAL_ERROR",
        3 => "FLOW_CONTROL_ERROR",
        4 => "SETTINGS_TIMEOUT",
        5 => "STREAM_CLOSED",
        6 => "FRAME_SIZE_ERROR",
        7 => "REFUSED_STREAM",
        8 => "CANCEL",
        9 => "COMPRESSION_ERROR",
        10 => "CONNECT_ERROR",
        11 => "ENHANCE_YOUR_CALM",
        12 => "INADEQUATE_SECURITY",
        13 => "HTTP_1_1_REQUIRED",
        other => return format!("error {other}"),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let long = "v".repeat(40_000);
        let mut block = Vec::new();
        write_field(&mut block, b":status", b"200");
        write_field(&mut block, b"x-long", long.as_bytes());
        let mut out = Vec::new();
        write_fields(&mut out, 5, true, &block);
        let mut read = Vec::new();
        let mut rest = out.as_slice();
        let mut kinds = Vec::new();
        while let Some(frame) = Frame::read(rest) {
            kinds.push((frame.kind, frame.flags, frame.stream));
            read.extend_from_slice(frame.content().unwrap());
            rest = &rest[frame.length()..];
        }
        assert_eq!(kinds, [(1, 1, 5), (9, 0, 5), (9, 4, 5)]);
        let fields = Fields::default().read(&read).unwrap();
        assert_eq!(fields.first(":status").as_deref(), Some("200"));
        assert_eq!(fields.first("x-long"), Some(long));
    }

    #[test]
    fn padding_and_priority_are_no_content() {
        let frame =
            Frame { kind: kind::DATA, flags: flag::PADDED, stream: 1, payload: b"\x02abcd" };
        assert_eq!(frame.content(), Some(&b"ab"[..]));
        let frame = Frame { payload: b"\x09abcd", ..frame };
        assert_eq!(frame.content(), None);
        let flags = flag::PADDED | flag::PRIORITY;
        let frame = Frame { kind: kind::HEADERS, flags, stream: 1, payload: b"\x01ppppphx" };
        assert_eq!(frame.content(), Some(&b"h"[..]));
    }

    #[test]
    fn part_of_a_frame_is_no_frame() {
        let mut out = Vec::new();
        write_frame(&mut out, kind::PING, 0, 0, b"12345678");
        for end in 0..out.len() {
            assert_eq!(Frame::read(&out[..end]), None);
        }
        assert_eq!(Frame::read(&out).map(|frame| frame.payload), Some(&b"12345678"[..]));
    }
}
