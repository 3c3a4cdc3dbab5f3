//! Own events, heartbeats and published messages as bytes, for each framing.

use std::cell::OnceCell;

use bytes::Bytes;
use sseproof_codec::{EncodeError, Frame, encode};
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Control, Data, OpCode};

pub(super) use crate::stamp::Stamp;
use crate::stamp::number;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// Server-Sent Events in chunks of HTTP/1.1.
    Chunks,
    /// Server-Sent Events up to the end of the connection, for clients with HTTP/1.0.
    Plain,
    Frames,
}

/// A comment without a text.
pub(super) const COMMENT: &[u8] = b":\n\n";

impl Framing {
    /// Sent after a long silence, so that no proxy on the way takes the connection for dead.
    pub(super) fn heartbeat(self) -> &'static [u8] {
        match self {
            Self::Chunks => b"3\r\n:\n\n\r\n",
            Self::Plain => COMMENT,
            Self::Frames => b"\x89\0",
        }
    }

    pub(super) fn end(self) -> &'static [u8] {
        match self {
            Self::Chunks => b"0\r\n\r\n",
            Self::Plain => b"",
            // A close with the code 1000.
            Self::Frames => b"\x88\x02\x03\xe8",
        }
    }
}

impl Stamp {
    /// Appends the event. Its data is JSON of `size` bytes, or as many as it needs.
    pub(super) fn write(&self, framing: Framing, size: usize, out: &mut Vec<u8>) {
        let bare = self.bare();
        let pad = size.saturating_sub(bare);
        match framing {
            Framing::Chunks | Framing::Plain => {
                out.extend_from_slice(b"id: ");
                number(self.n, out);
                out.extend_from_slice(b"\ndata: ");
                self.data(pad, out);
                out.extend_from_slice(b"\n\n");
            }
            Framing::Frames => {
                frame(OpCode::Data(Data::Text), bare + pad, out);
                self.data(pad, out);
            }
        }
    }
}

/// Appends the head of a frame to a client, which is never masked.
fn frame(opcode: OpCode, length: usize, out: &mut Vec<u8>) {
    let header = FrameHeader { opcode, ..FrameHeader::default() };
    // A `Vec` takes whatever is written.
    let _ = header.format(length as u64, out);
}

pub(super) fn pong(payload: &[u8]) -> Vec<u8> {
    control(Control::Pong, payload)
}

pub(super) fn close(payload: &[u8]) -> Vec<u8> {
    control(Control::Close, payload)
}

fn control(kind: Control, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len() + 2);
    frame(OpCode::Control(kind), payload.len(), &mut out);
    out.extend_from_slice(payload);
    out
}

/// A buffer for one write to a connection: one chunk, if the body is chunked.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// After a gap for the size of the chunk.
    bytes: Vec<u8>,
}

/// Eight digits and a line end.
const ROOM: usize = 10;

impl Batch {
    pub(super) fn fill(&mut self) -> &mut Vec<u8> {
        self.bytes.clear();
        self.bytes.resize(ROOM, 0);
        &mut self.bytes
    }

    pub(super) fn content(&self) -> &[u8] {
        self.bytes.get(ROOM..).unwrap_or_default()
    }

    pub(super) fn framed(&mut self, framing: Framing) -> &[u8] {
        let length = self.bytes.len().saturating_sub(ROOM);
        if length == 0 {
            return &[];
        }
        if framing != Framing::Chunks {
            return &self.bytes[ROOM..];
        }
        let size = format!("{length:x}\r\n");
        let from = ROOM - size.len();
        self.bytes[from..ROOM].copy_from_slice(size.as_bytes());
        self.bytes.extend_from_slice(b"\r\n");
        &self.bytes[from..]
    }
}

/// A published message; each framing is made once, and shared by all subscribers.
#[derive(Debug)]
pub(super) struct Message {
    n: u64,
    data: String,
    forms: [OnceCell<Bytes>; 3],
}

impl Message {
    /// # Errors
    /// If the data cannot be in an event stream.
    pub(super) fn new(n: u64, data: String) -> Result<Self, EncodeError> {
        let frame = Frame { data: Some(&data), ..Frame::default() };
        encode(&frame, &mut Vec::with_capacity(data.len() + 16))?;
        Ok(Self { n, data, forms: [const { OnceCell::new() }; 3] })
    }

    pub(super) fn n(&self) -> u64 {
        self.n
    }

    pub(super) fn len(&self) -> usize {
        self.data.len()
    }

    pub(super) fn framed(&self, framing: Framing) -> &Bytes {
        self.forms[framing as usize].get_or_init(|| {
            let mut batch = Batch::default();
            self.write(framing, batch.fill());
            Bytes::copy_from_slice(batch.framed(framing))
        })
    }

    /// Appends it without a chunk of its own.
    pub(super) fn write(&self, framing: Framing, out: &mut Vec<u8>) {
        match framing {
            Framing::Chunks | Framing::Plain => {
                let id = self.n.to_string();
                let frame = Frame { id: Some(&id), data: Some(&self.data), ..Frame::default() };
                // An event that cannot be encoded was refused when it was made.
                let _ = encode(&frame, out);
            }
            Framing::Frames => {
                frame(OpCode::Data(Data::Text), self.data.len(), out);
                out.extend_from_slice(self.data.as_bytes());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const STAMP: Stamp = Stamp { at: 1_700_000_000_000_000_000, n: 12, held: None };

    fn written(stamp: Stamp, framing: Framing, size: usize) -> Vec<u8> {
        let mut out = Vec::new();
        stamp.write(framing, size, &mut out);
        out
    }

    fn message(bytes: &[u8]) -> &[u8] {
        let mut cursor = std::io::Cursor::new(bytes);
        let (header, length) = FrameHeader::parse(&mut cursor).unwrap().unwrap();
        assert_eq!((header.opcode, header.mask), (OpCode::Data(Data::Text), None));
        let from = usize::try_from(cursor.position()).unwrap();
        assert_eq!(bytes.len() - from, usize::try_from(length).unwrap());
        &bytes[from..]
    }

    #[test]
    fn both_transports_carry_the_same_data_of_the_size_that_was_asked_for() {
        for size in [0, 37, 38, 40, 47, 48, 100, 125, 126, 400, 70_000] {
            let held = Some(Duration::from_millis(10));
            for stamp in [STAMP, Stamp { n: 0, ..STAMP }, Stamp { held, ..STAMP }] {
                let frame = written(stamp, Framing::Frames, size);
                let data = message(&frame);
                let event = written(stamp, Framing::Plain, size);
                let mut expected = format!("id: {}\ndata: ", stamp.n).into_bytes();
                expected.extend_from_slice(data);
                expected.extend_from_slice(b"\n\n");
                assert_eq!(event, expected);

                assert_eq!(data.len(), size.max(stamp.bare()), "size={size}");
                let json: serde_json::Value = serde_json::from_slice(data).unwrap();
                assert_eq!((&json["at"], &json["n"]), (&stamp.at.into(), &stamp.n.into()));
                assert_eq!(json.get("held").is_some(), stamp.held.is_some());
            }
        }
    }

    #[test]
    fn a_batch_is_one_chunk_of_all_its_events() {
        let mut batch = Batch::default();
        let out = batch.fill();
        out.extend_from_slice(b"id: 0\ndata: a\n\n");
        out.extend_from_slice(b"id: 1\ndata: b\n\n");
        assert_eq!(
            batch.framed(Framing::Chunks),
            b"1e\r\nid: 0\ndata: a\n\nid: 1\ndata: b\n\n\r\n"
        );
        batch.fill();
        assert_eq!(batch.framed(Framing::Chunks), b"", "an empty chunk would end the stream");
        batch.fill().extend_from_slice(b"x");
        assert_eq!(batch.framed(Framing::Plain), b"x");
    }

    #[test]
    fn a_message_has_its_number_as_id_and_its_lines_as_fields() {
        let message_ = Message::new(7, "one\ntwo".to_owned()).unwrap();
        assert_eq!(message_.framed(Framing::Plain).as_ref(), b"id: 7\ndata: one\ndata: two\n\n");
        assert_eq!(message(message_.framed(Framing::Frames)), b"one\ntwo");
        assert!(Message::new(0, "a carriage\rreturn".to_owned()).is_err());
    }

    #[test]
    fn heartbeats_and_ends_are_what_the_standards_ask_for() {
        assert_eq!(Framing::Frames.end(), close(&1000_u16.to_be_bytes()));
        assert_eq!(Framing::Frames.heartbeat(), control(Control::Ping, b""));
        assert_eq!(pong(b"hi"), b"\x8a\x02hi");
    }
}
