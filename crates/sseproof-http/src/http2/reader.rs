//! The receiving half of an HTTP/2 connection: bytes in, frames out, their fields decoded.

use super::{FRAME_HEAD, Fields, Frame, MAX_FRAME, PREFACE, flag, kind};
use crate::{Bytes, Headers};

/// The most bytes of an encoded block of fields.
pub const BLOCK: usize = 256 << 10;

#[derive(Default)]
pub struct Reader {
    unread: Bytes,
    /// How much of the preface of a client is still to come.
    preface: usize,
    fields: Fields,
    /// Fields whose last frame is still to come.
    block: Option<Block>,
    is_lost: bool,
}

struct Block {
    /// `None` for those of a promise: they are in the tables, and belong to no answer.
    stream: Option<u32>,
    ends: bool,
    bytes: Vec<u8>,
}

/// The content of a frame, or of a whole block of fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The fields of a request or a response, or trailers.
    Fields {
        stream: u32,
        fields: Headers,
        ends: bool,
    },
    /// A piece of a body, and how many bytes of the windows it took.
    Data {
        stream: u32,
        content: Bytes,
        spent: u32,
        ends: bool,
    },
    Reset {
        stream: u32,
        code: u32,
    },
    Settings(Vec<(u16, u32)>),
    Ping(Bytes),
    /// The end of the connection; streams after `last` are not answered.
    GoAway {
        last: u32,
        code: u32,
    },
    WindowUpdate {
        stream: u32,
        by: u32,
    },
    /// A frame that changes nothing by itself.
    Other,
}

impl Reader {
    pub fn of_client() -> Self {
        Self { preface: PREFACE.len(), ..Self::default() }
    }

    pub fn feed(&mut self, bytes: &Bytes) {
        self.unread = if self.unread.is_empty() {
            bytes.clone()
        } else {
            [&self.unread[..], bytes].concat().into()
        };
        let preface = self.preface.min(self.unread.len());
        self.preface -= preface;
        self.unread = self.unread.slice(preface..);
    }

    /// The unread bytes: the beginning of a frame, once there are no more events.
    pub fn unread(&self) -> &[u8] {
        &self.unread
    }

    /// The next event; `None` before more bytes come, and after an error.
    ///
    /// # Errors
    /// The error ends the connection, since its ends no longer agree on their state.
    pub fn event(&mut self) -> Option<Result<Event, String>> {
        if self.is_lost {
            return None;
        }
        let unread = self.unread.clone();
        let Some(frame) = Frame::read(&unread) else {
            let announced = Frame::announced(&unread).filter(|length| *length > MAX_FRAME)?;
            self.is_lost = true;
            return Some(Err(format!(
                "a frame of {announced} bytes; at most {MAX_FRAME} are allowed"
            )));
        };
        self.unread = unread.slice(frame.length()..);
        let event = self.frame(&frame, &unread);
        self.is_lost = event.is_err();
        Some(event)
    }

    fn frame(&mut self, frame: &Frame<'_>, bytes: &Bytes) -> Result<Event, String> {
        let stream = frame.stream;
        Ok(match frame.kind {
            kind::DATA => {
                let content = frame.content().ok_or_else(padded)?;
                let padding = if frame.has(flag::PADDED) { 1 } else { 0 };
                let begin = FRAME_HEAD + padding;
                let spent = u32::try_from(frame.payload.len()).unwrap_or(0);
                let content = bytes.slice(begin..begin + content.len());
                Event::Data { stream, content, spent, ends: frame.ends_stream() }
            }
            kind::HEADERS | kind::PUSH_PROMISE => {
                let is_promise = frame.kind == kind::PUSH_PROMISE;
                let bytes = frame.content().ok_or_else(padded)?.to_vec();
                let stream = (!is_promise).then_some(stream);
                self.block = Some(Block { stream, ends: frame.ends_stream(), bytes });
                return self.block_end(frame);
            }
            kind::CONTINUATION => {
                let block = self.block.as_mut().ok_or("CONTINUATION without HEADERS")?;
                block.bytes.extend_from_slice(frame.payload);
                if block.bytes.len() > BLOCK {
                    return Err(format!("its headers have more than {} KiB", BLOCK >> 10));
                }
                return self.block_end(frame);
            }
            kind::RST_STREAM => Event::Reset { stream, code: frame.number(0).unwrap_or(0) },
            kind::SETTINGS if !frame.has(flag::ACK) => Event::Settings(frame.settings().collect()),
            kind::PING if !frame.has(flag::ACK) => Event::Ping(frame.payload.into()),
            kind::GOAWAY => {
                // RFC 9113, section 6.8: the first bit is reserved.
                let last = frame.number(0).unwrap_or(0) & 0x7FFF_FFFF;
                Event::GoAway { last, code: frame.number(4).unwrap_or(0) }
            }
            kind::WINDOW_UPDATE => {
                let by = frame.number(0).unwrap_or(0) & 0x7FFF_FFFF;
                Event::WindowUpdate { stream, by }
            }
            _ => Event::Other,
        })
    }

    /// The fields are whole if this was their last frame.
    fn block_end(&mut self, frame: &Frame<'_>) -> Result<Event, String> {
        if !frame.has(flag::END_HEADERS) {
            return Ok(Event::Other);
        }
        let Some(Block { stream, ends, bytes }) = self.block.take() else {
            return Ok(Event::Other);
        };
        let fields = self.fields.read(&bytes)?;
        Ok(match stream {
            Some(stream) => Event::Fields { stream, fields, ends },
            None => Event::Other,
        })
    }
}

fn padded() -> String {
    "a frame with more padding than bytes".to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::{write_field, write_fields, write_frame};
    use super::*;

    fn events(pieces: &[&[u8]]) -> Vec<Result<Event, String>> {
        let mut reader = Reader::of_client();
        let mut events = Vec::new();
        for piece in pieces {
            reader.feed(&Bytes::from(*piece));
            while let Some(event) = reader.event() {
                events.push(event);
            }
        }
        events
    }

    #[test]
    fn pieces_of_any_size_give_the_same_events() {
        let mut wire = PREFACE.to_vec();
        write_frame(&mut wire, kind::SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 9]);
        let mut block = Vec::new();
        write_field(&mut block, b":status", &[b'2'; MAX_FRAME]);
        write_fields(&mut wire, 1, false, &block);
        write_frame(&mut wire, kind::DATA, flag::PADDED | flag::END_STREAM, 1, b"\x02data..");
        write_frame(&mut wire, kind::GOAWAY, 0, 0, &[0, 0, 0, 1, 0, 0, 0, 11]);
        let whole = events(&[&wire]);
        assert_eq!(whole.len(), 5);
        assert_eq!(whole[0], Ok(Event::Settings(vec![(4, 9)])));
        let content = Bytes::from("data");
        assert_eq!(whole[3], Ok(Event::Data { stream: 1, content, spent: 7, ends: true }));
        assert_eq!(whole[4], Ok(Event::GoAway { last: 1, code: 11 }));
        for size in [1, 2, 7, 9, 1_000] {
            assert_eq!(events(&wire.chunks(size).collect::<Vec<_>>()), whole, "by {size}");
        }
    }

    #[test]
    fn nothing_follows_an_error() {
        for (kind, flags, payload) in [
            (kind::DATA, flag::PADDED, &b"\x09ab"[..]),
            (kind::CONTINUATION, 0, b""),
            (kind::HEADERS, flag::END_HEADERS, b"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"),
        ] {
            let mut wire = PREFACE.to_vec();
            write_frame(&mut wire, kind, flags, 1, payload);
            write_frame(&mut wire, kind::PING, 0, 0, &[0; 8]);
            let events = events(&[&wire]);
            assert!(matches!(events[..], [Err(_)]), "{events:?}");
        }
        let events = events(&[PREFACE, b"HTTP/1.1 400"]);
        assert!(matches!(events[..], [Err(_)]), "{events:?}");
    }
}
