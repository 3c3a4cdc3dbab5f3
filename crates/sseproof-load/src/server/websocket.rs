//! Reads the frames of a client (RFC 6455): pings and closes are answered, messages are counted for
//! their size and thrown away, and a violation of the protocol ends the connection.
//!
//! A reader is only needed while something is unfinished: an idle connection has none.

use std::io::Cursor;

use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Control, Data, OpCode};

use super::event::{close, pong};

/// The largest message of a client; its content is not used.
const LARGEST: u64 = 1 << 20;

/// The largest payload of a ping, a pong or a close (section 5.5).
const LARGEST_CONTROL: u64 = 125;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    Send(Vec<u8>),
    Close(Vec<u8>),
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Reader {
    kept: Vec<u8>,
    /// How many bytes of the current frame are still missing.
    skip: u64,
    /// The length so far of a fragmented message.
    message: Option<u64>,
}

/// Codes of a close (section 7.4.1).
const PROTOCOL_ERROR: u16 = 1002;
const NO_UTF8: u16 = 1007;
const TOO_BIG: u16 = 1009;

impl Reader {
    pub(super) fn is_idle(&self) -> bool {
        *self == Self::default()
    }

    /// Takes bytes and returns the replies; after a close there are none.
    pub(super) fn read(&mut self, bytes: &[u8], may_be_compressed: bool) -> Vec<Reply> {
        let joined;
        let mut rest = bytes;
        if !self.kept.is_empty() {
            let mut kept = std::mem::take(&mut self.kept);
            kept.extend_from_slice(bytes);
            joined = kept;
            rest = &joined;
        }
        let mut replies = Vec::new();
        loop {
            let skipped = self.skip.min(rest.len() as u64);
            self.skip -= skipped;
            rest = &rest[skipped as usize..];
            if rest.is_empty() {
                return replies;
            }
            match self.frame(&mut rest, may_be_compressed) {
                Ok(Some(reply)) => {
                    let ends = matches!(reply, Reply::Close(_));
                    replies.push(reply);
                    if ends {
                        return replies;
                    }
                }
                Ok(None) if self.kept.is_empty() => {}
                Ok(None) => return replies,
                Err(code) => {
                    replies.push(Reply::Close(close(&code.to_be_bytes())));
                    return replies;
                }
            }
        }
    }

    /// Takes a frame header, and all of a control frame; keeps an incomplete one.
    fn frame(&mut self, rest: &mut &[u8], may_be_compressed: bool) -> Result<Option<Reply>, u16> {
        let mut cursor = Cursor::new(*rest);
        let Some((header, length)) = FrameHeader::parse(&mut cursor).map_err(|_| PROTOCOL_ERROR)?
        else {
            self.kept = rest.to_vec();
            return Ok(None);
        };
        // A bit of an extension needs an agreement, and a client has to mask (sections 5.1 and 5.2).
        let is_first = matches!(header.opcode, OpCode::Data(Data::Text | Data::Binary));
        let is_compressed = header.rsv1 && may_be_compressed && is_first;
        let reserved = header.rsv1 && !is_compressed || header.rsv2 || header.rsv3;
        let (Some(mask), false) = (header.mask, reserved) else { return Err(PROTOCOL_ERROR) };
        let body = &rest[cursor.position() as usize..];
        match header.opcode {
            OpCode::Data(kind) => {
                *rest = body;
                self.data(kind, header.is_final, length).map(|()| None)
            }
            OpCode::Control(kind) => {
                if length > LARGEST_CONTROL || !header.is_final {
                    return Err(PROTOCOL_ERROR);
                }
                let Some((payload, behind)) = body.split_at_checked(length as usize) else {
                    self.kept = rest.to_vec();
                    return Ok(None);
                };
                *rest = behind;
                let payload: Vec<u8> = payload
                    .iter()
                    .zip(mask.iter().cycle())
                    .map(|(byte, mask)| byte ^ mask)
                    .collect();
                control(kind, &payload)
            }
        }
    }

    fn data(&mut self, kind: Data, is_final: bool, length: u64) -> Result<(), u16> {
        let so_far = match (kind, self.message) {
            (Data::Continue, Some(so_far)) => so_far,
            (Data::Text | Data::Binary, None) => 0,
            _ => return Err(PROTOCOL_ERROR),
        };
        let so_far = so_far.saturating_add(length);
        if so_far > LARGEST {
            return Err(TOO_BIG);
        }
        self.skip = length;
        self.message = (!is_final).then_some(so_far);
        Ok(())
    }
}

fn control(kind: Control, payload: &[u8]) -> Result<Option<Reply>, u16> {
    match kind {
        Control::Ping => Ok(Some(Reply::Send(pong(payload)))),
        Control::Close => {
            let Some((code, reason)) = payload.split_at_checked(2) else {
                // A close may be empty, but must not have half a code.
                let fits = payload.is_empty();
                return if fits { Ok(Some(Reply::Close(close(b"")))) } else { Err(PROTOCOL_ERROR) };
            };
            let number = u16::from_be_bytes([code[0], code[1]]);
            if !matches!(number, 1000..=1003 | 1007..=1014 | 3000..=4999) {
                return Err(PROTOCOL_ERROR);
            }
            std::str::from_utf8(reason).map_err(|_| NO_UTF8)?;
            Ok(Some(Reply::Close(close(code))))
        }
        Control::Pong | Control::Reserved(_) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIN: u8 = 0x80;
    const TEXT: u8 = 1;
    const PING: u8 = 9;
    const CLOSE: u8 = 8;

    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mask = [1, 2, 3, 4];
        let mut out = vec![first];
        match payload.len() {
            short @ 0..126 => out.push(0x80 | short as u8),
            long @ 126..65536 => {
                out.push(0x80 | 126);
                out.extend_from_slice(&(long as u16).to_be_bytes());
            }
            longer => {
                out.push(0x80 | 127);
                out.extend_from_slice(&(longer as u64).to_be_bytes());
            }
        }
        out.extend_from_slice(&mask);
        out.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        out
    }

    /// The replies to all of it, which must be the same however it is cut.
    fn replies(bytes: &[u8]) -> Vec<Reply> {
        replies_if(bytes, false)
    }

    fn replies_if(bytes: &[u8], may_be_compressed: bool) -> Vec<Reply> {
        let mut whole = Reader::default();
        let replies = whole.read(bytes, may_be_compressed);
        let ends = |replies: &[Reply]| matches!(replies.last(), Some(Reply::Close(_)));
        let mut single = Reader::default();
        let mut one_by_one = Vec::new();
        for byte in bytes.chunks(1) {
            if !ends(&one_by_one) {
                one_by_one.extend(single.read(byte, may_be_compressed));
            }
        }
        assert_eq!(replies, one_by_one);
        assert!(ends(&replies) || whole.is_idle() && single.is_idle());
        replies
    }

    fn closed(code: u16) -> Vec<Reply> {
        vec![Reply::Close(close(&code.to_be_bytes()))]
    }

    #[test]
    fn pings_are_answered_between_the_fragments_of_a_message() {
        let mut bytes = frame(TEXT, b"hel");
        bytes.extend(frame(FIN | PING, b"are you there"));
        bytes.extend(frame(0, b""));
        bytes.extend(frame(FIN, &[b'x'; 300]));
        bytes.extend(frame(FIN | PING, b""));
        let expected = [Reply::Send(pong(b"are you there")), Reply::Send(pong(b""))];
        assert_eq!(replies(&bytes), expected);
    }

    #[test]
    fn a_close_is_answered_with_its_code_and_ends_everything() {
        let mut bytes = frame(FIN | CLOSE, b"\x03\xe8bye");
        bytes.extend(frame(FIN | PING, b""));
        assert_eq!(replies(&bytes), closed(1000));
        assert_eq!(replies(&frame(FIN | CLOSE, b"")), [Reply::Close(close(b""))]);
    }

    #[test]
    fn what_breaks_the_protocol_ends_the_connection() {
        for wrong in [
            b"\x81\x01x".to_vec(),
            frame(FIN | 0x40 | TEXT, b""),
            frame(FIN | 3, b""),
            frame(FIN | 11, b""),
            frame(PING, b""),
            frame(FIN | PING, &[0; 126]),
            frame(FIN, b"a continuation frame without a message"),
            [frame(TEXT, b"a"), frame(FIN | TEXT, b"b")].concat(),
            frame(FIN | CLOSE, b"\x03"),
            frame(FIN | CLOSE, &1005_u16.to_be_bytes()),
        ] {
            assert_eq!(replies(&wrong), closed(PROTOCOL_ERROR), "{wrong:x?}");
        }
        assert_eq!(replies(&frame(FIN | CLOSE, b"\x03\xe8\xff")), closed(NO_UTF8));
    }

    #[test]
    fn only_the_first_frame_of_a_message_may_be_compressed() {
        let first = frame(FIN | 0x40 | TEXT, b"x");
        assert_eq!(replies_if(&first, true), []);
        assert_eq!(replies(&first), closed(PROTOCOL_ERROR));
        for wrong in
            [frame(FIN | 0x40 | PING, b""), [frame(TEXT, b"a"), frame(FIN | 0x40, b"b")].concat()]
        {
            assert_eq!(replies_if(&wrong, true), closed(PROTOCOL_ERROR));
        }
    }

    #[test]
    fn a_message_that_is_too_large_ends_it_before_it_is_read() {
        let head = b"\x82\xff\0\0\0\0\0\x10\0\x01\0\0\0\0";
        assert_eq!(replies(head), closed(TOO_BIG));
        let head = b"\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0";
        assert_eq!(replies(head), closed(TOO_BIG));
        let half = vec![0; 600 << 10];
        let mut reader = Reader::default();
        assert_eq!(reader.read(&frame(2, &half), false), []);
        assert_eq!(reader.read(&frame(FIN, &half), false), closed(TOO_BIG));
    }
}
