//! Reads the frames that a WebSocket server sends (RFC 6455), and writes the replies.

use std::io::Cursor;

use sseproof_units::bytes as shown;
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Control, Data, OpCode};

use super::EVENT;

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Frame<'a> {
    Message(&'a [u8]),
    /// A ping, to be answered with the same payload.
    Ping(&'a [u8]),
    Pong,
    Close(Option<u16>),
}

/// Reads messages; it holds bytes only while a message is partial.
#[derive(Debug, Default)]
pub(crate) struct Reader(Option<Box<Partial>>);

#[derive(Debug, Default)]
struct Partial {
    frame: Vec<u8>,
    message: Option<Vec<u8>>,
}

impl Reader {
    /// Reads bytes, and passes each frame on.
    ///
    /// # Errors
    /// The violation of RFC 6455.
    pub(crate) fn feed(
        &mut self,
        bytes: &[u8],
        mut each: impl FnMut(Frame<'_>),
    ) -> Result<(), String> {
        let Some(mut partial) = self.0.take() else {
            let mut message = None;
            let rest = frames(bytes, &mut message, &mut each)?;
            self.keep(rest, message);
            return Ok(());
        };
        let mut frame = std::mem::take(&mut partial.frame);
        frame.extend_from_slice(bytes);
        let mut message = partial.message.take();
        let rest = frames(&frame, &mut message, &mut each)?;
        if rest.len() == frame.len() {
            // No frame was complete: the bytes stay, and are not copied again.
            *partial = Partial { frame, message };
            self.0 = Some(partial);
        } else {
            self.keep(rest, message);
        }
        Ok(())
    }

    fn keep(&mut self, rest: &[u8], message: Option<Vec<u8>>) {
        if !rest.is_empty() || message.is_some() {
            self.0 = Some(Box::new(Partial { frame: rest.to_vec(), message }));
        }
    }
}

/// Passes each complete frame on, and returns the rest.
fn frames<'a>(
    mut bytes: &'a [u8],
    message: &mut Option<Vec<u8>>,
    each: &mut impl FnMut(Frame<'_>),
) -> Result<&'a [u8], String> {
    loop {
        let mut cursor = Cursor::new(bytes);
        let header = FrameHeader::parse(&mut cursor).map_err(|error| error.to_string())?;
        let Some((header, length)) = header else { return Ok(bytes) };
        let begin = usize::try_from(cursor.position()).unwrap_or(usize::MAX);
        let length =
            usize::try_from(length).ok().filter(|length| *length <= EVENT).ok_or_else(|| {
                format!("a frame of {length} bytes; at most {} are read", shown(EVENT as u64))
            })?;
        if header.mask.is_some() {
            return Err("a masked frame from a server".to_owned());
        }
        if header.rsv1 || header.rsv2 || header.rsv3 {
            return Err("a reserved bit is set, and no extension was agreed on".to_owned());
        }
        let Some(payload) = bytes.get(begin..begin + length) else { return Ok(bytes) };
        bytes = &bytes[begin + length..];
        match header.opcode {
            OpCode::Data(Data::Continue) => {
                let mut whole = message.take().ok_or("a continuation frame without a message")?;
                if whole.len() + payload.len() > EVENT {
                    return Err(format!("a message of more than {}", shown(EVENT as u64)));
                }
                whole.extend_from_slice(payload);
                if header.is_final {
                    each(Frame::Message(&whole));
                } else {
                    *message = Some(whole);
                }
            }
            OpCode::Data(_) if message.is_some() => {
                return Err("a new message within a fragmented one".to_owned());
            }
            OpCode::Data(Data::Text | Data::Binary) if header.is_final => {
                each(Frame::Message(payload));
            }
            OpCode::Data(Data::Text | Data::Binary) => *message = Some(payload.to_vec()),
            OpCode::Control(_) if length > 125 || !header.is_final => {
                return Err("a control frame that is too long or fragmented".to_owned());
            }
            OpCode::Control(Control::Ping) => each(Frame::Ping(payload)),
            OpCode::Control(Control::Pong) => each(Frame::Pong),
            OpCode::Control(Control::Close) => {
                let code = payload.first_chunk().map(|code| u16::from_be_bytes(*code));
                each(Frame::Close(code));
            }
            OpCode::Data(Data::Reserved(code)) | OpCode::Control(Control::Reserved(code)) => {
                return Err(format!("a frame of the unknown kind {code}"));
            }
        }
    }
}

/// A control frame of a client, with its payload masked.
pub(crate) fn control(opcode: Control, payload: &[u8], mask: [u8; 4]) -> Vec<u8> {
    let header =
        FrameHeader { opcode: OpCode::Control(opcode), mask: Some(mask), ..FrameHeader::default() };
    let mut frame = Vec::with_capacity(6 + payload.len());
    let written = header.format(payload.len() as u64, &mut frame);
    debug_assert!(written.is_ok(), "{written:?}");
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], size: usize) -> Result<Vec<String>, String> {
        let mut reader = Reader::default();
        let mut seen = Vec::new();
        for part in bytes.chunks(size) {
            reader.feed(part, |frame| {
                seen.push(match frame {
                    Frame::Message(text) => String::from_utf8_lossy(text).into_owned(),
                    Frame::Ping(payload) => format!("ping {}", payload.len()),
                    Frame::Pong => "pong".to_owned(),
                    Frame::Close(code) => format!("close {code:?}"),
                });
            })?;
        }
        assert!(reader.0.is_none(), "it holds something though nothing is partial");
        Ok(seen)
    }

    #[test]
    fn every_cut_gives_the_same() {
        let mut bytes = vec![0x81, 2];
        bytes.extend(b"hi");
        bytes.extend([0x01, 1, b'a', 0x89, 3, 1, 2, 3, 0x80, 1, b'b', 0x8a, 0]);
        bytes.extend([0x82, 126, 0, 200]);
        bytes.extend([b'x'; 200]);
        bytes.extend([0x88, 2, 3, 232]);
        let long = "x".repeat(200);
        let expected = ["hi", "ping 3", "ab", "pong", &long, "close Some(1000)"];
        for size in 1..=bytes.len() {
            assert_eq!(read(&bytes, size).unwrap(), expected, "in pieces of {size}");
        }
    }

    #[test]
    fn violations_of_the_standard_are_reported() {
        for (bytes, said) in [
            (&[0x81, 0x81, 0, 0, 0, 0, 1][..], "masked"),
            (&[0xc1, 0], "reserved bit"),
            (&[0x80, 0], "continuation frame without"),
            (&[0x01, 0, 0x81, 0], "within a fragmented"),
            (&[0x09, 0], "fragmented"),
            (&[0x82, 127, 0, 0, 0, 1, 0, 0, 0, 0], "a frame of"),
        ] {
            let error = read(bytes, 64).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn a_pong_is_masked() {
        assert_eq!(
            control(Control::Pong, b"ab", [1, 2, 3, 4]),
            [0x8a, 0x82, 1, 2, 3, 4, b'a' ^ 1, b'b' ^ 2]
        );
    }
}
