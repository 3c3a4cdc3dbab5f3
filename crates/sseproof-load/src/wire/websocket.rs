//! Reads the frames that a WebSocket server sends (RFC 6455), and writes the replies.

use std::io::Cursor;

use sseproof_load_model::{ErrorKind, LoadError};
use sseproof_units::bytes as shown;
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Control, Data, OpCode};

use super::EVENT;
use super::inflate::Messages;
use super::permessage::Agreed;

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Frame<'a> {
    Message(&'a [u8]),
    /// A ping, to be answered with the same payload.
    Ping(&'a [u8]),
    Pong,
    Close(Option<u16>),
}

/// Reads messages; it holds bytes only while a message is partial, or a window if they are compressed.
#[derive(Debug, Default)]
pub(crate) struct Reader(Option<Box<Partial>>);

#[derive(Debug, Default)]
struct Partial {
    frame: Vec<u8>,
    message: Option<Message>,
    inflate: Option<Messages>,
}

/// A message of which not all fragments have arrived.
#[derive(Debug)]
struct Message {
    payload: Vec<u8>,
    is_compressed: bool,
}

impl Reader {
    pub(crate) fn new(agreed: Option<Agreed>) -> Self {
        Self(agreed.map(|agreed| {
            let inflate = Some(Messages::new(agreed.keeps_context));
            Box::new(Partial { inflate, ..Partial::default() })
        }))
    }

    /// Reads bytes, and passes each frame on.
    ///
    /// # Errors
    /// The violation of RFC 6455, or a compressed message that cannot be read.
    pub(crate) fn feed(
        &mut self,
        bytes: &[u8],
        mut each: impl FnMut(Frame<'_>),
    ) -> Result<(), LoadError> {
        let Some(mut partial) = self.0.take() else {
            let mut message = None;
            let rest = frames(bytes, &mut message, None, &mut each)?;
            self.keep(rest, message, None);
            return Ok(());
        };
        let mut frame = std::mem::take(&mut partial.frame);
        frame.extend_from_slice(bytes);
        let mut message = partial.message.take();
        let mut inflate = partial.inflate.take();
        let rest = frames(&frame, &mut message, inflate.as_mut(), &mut each)?;
        if rest.len() == frame.len() {
            // No frame was complete: the bytes stay, and are not copied again.
            *partial = Partial { frame, message, inflate };
            self.0 = Some(partial);
        } else {
            self.keep(rest, message, inflate);
        }
        Ok(())
    }

    fn keep(&mut self, rest: &[u8], message: Option<Message>, inflate: Option<Messages>) {
        if !rest.is_empty() || message.is_some() || inflate.is_some() {
            self.0 = Some(Box::new(Partial { frame: rest.to_vec(), message, inflate }));
        }
    }
}

/// Passes each complete frame on, and returns the rest.
fn frames<'a>(
    mut bytes: &'a [u8],
    message: &mut Option<Message>,
    mut inflate: Option<&mut Messages>,
    each: &mut impl FnMut(Frame<'_>),
) -> Result<&'a [u8], LoadError> {
    loop {
        let mut cursor = Cursor::new(bytes);
        let header = FrameHeader::parse(&mut cursor).map_err(|error| wrong(error.to_string()))?;
        let Some((header, length)) = header else { return Ok(bytes) };
        let begin = usize::try_from(cursor.position()).unwrap_or(usize::MAX);
        let length =
            usize::try_from(length).ok().filter(|length| *length <= EVENT).ok_or_else(|| {
                wrong(format!(
                    "a frame of {length} bytes; at most {} are read",
                    shown(EVENT as u64)
                ))
            })?;
        if header.mask.is_some() {
            return Err(wrong("a masked frame from a server"));
        }
        // Only the first frame of a message says whether it is compressed (RFC 7692 section 6).
        let is_first = matches!(header.opcode, OpCode::Data(Data::Text | Data::Binary));
        let may_be_compressed = inflate.is_some() && is_first;
        if header.rsv1 && !may_be_compressed || header.rsv2 || header.rsv3 {
            return Err(wrong("a reserved bit is set, and no extension was agreed on for it"));
        }
        let Some(payload) = bytes.get(begin..begin + length) else { return Ok(bytes) };
        bytes = &bytes[begin + length..];
        match header.opcode {
            OpCode::Data(Data::Continue) => {
                let mut whole = message
                    .take()
                    .ok_or_else(|| wrong("a continuation frame without a message"))?;
                if whole.payload.len() + payload.len() > EVENT {
                    return Err(wrong(format!("a message of more than {}", shown(EVENT as u64))));
                }
                whole.payload.extend_from_slice(payload);
                if !header.is_final {
                    *message = Some(whole);
                } else if let (true, Some(inflate)) = (whole.is_compressed, &mut inflate) {
                    each(Frame::Message(&inflate.message(&whole.payload)?));
                } else {
                    each(Frame::Message(&whole.payload));
                }
            }
            OpCode::Data(_) if message.is_some() => {
                return Err(wrong("a new message within a fragmented one"));
            }
            OpCode::Data(Data::Text | Data::Binary) if !header.is_final => {
                let (payload, is_compressed) = (payload.to_vec(), header.rsv1);
                *message = Some(Message { payload, is_compressed });
            }
            OpCode::Data(Data::Text | Data::Binary) => match &mut inflate {
                Some(inflate) if header.rsv1 => {
                    each(Frame::Message(&inflate.message(payload)?));
                }
                _ => each(Frame::Message(payload)),
            },
            OpCode::Control(_) if length > 125 || !header.is_final => {
                return Err(wrong("a control frame that is too long or fragmented"));
            }
            OpCode::Control(Control::Ping) => each(Frame::Ping(payload)),
            OpCode::Control(Control::Pong) => each(Frame::Pong),
            OpCode::Control(Control::Close) => {
                let code = payload.first_chunk().map(|code| u16::from_be_bytes(*code));
                each(Frame::Close(code));
            }
            OpCode::Data(Data::Reserved(code)) | OpCode::Control(Control::Reserved(code)) => {
                return Err(wrong(format!("a frame of the unknown kind {code}")));
            }
        }
    }
}

fn wrong(text: impl std::fmt::Display) -> LoadError {
    LoadError::new(ErrorKind::Protocol, format!("websocket: {text}"))
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

    fn read(bytes: &[u8], size: usize) -> Result<Vec<String>, LoadError> {
        read_by(Reader::default(), bytes, size)
    }

    fn read_by(mut reader: Reader, bytes: &[u8], size: usize) -> Result<Vec<String>, LoadError> {
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
        let is_idle = |partial: &Partial| partial.frame.is_empty() && partial.message.is_none();
        assert!(
            reader
                .0
                .as_deref()
                .is_none_or(|partial| { is_idle(partial) && partial.inflate.is_some() }),
            "it holds something though nothing is partial"
        );
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
            assert!(error.text().contains(said), "{error}");
        }
    }

    #[test]
    fn compressed_messages_may_be_fragmented_and_stand_between_others() {
        // "Hello", as in RFC 7692 section 7.2.3.1, and the same with a reference to it.
        let (hello, again) =
            ([0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00], [0xf2, 0x00, 0x11, 0x00, 0x00]);
        let mut bytes = vec![0xc1, 7];
        bytes.extend(hello);
        bytes.extend([0x81, 2, b'h', b'i', 0x41, 2]);
        bytes.extend(&again[..2]);
        bytes.extend([0x89, 0, 0x80, 3]);
        bytes.extend(&again[2..]);
        let agreed = Some(Agreed { keeps_context: true });
        for size in 1..=bytes.len() {
            let seen = read_by(Reader::new(agreed), &bytes, size).unwrap();
            assert_eq!(seen, ["Hello", "hi", "ping 0", "Hello"], "in pieces of {size}");
        }
        let error = read_by(Reader::new(None), &bytes, bytes.len()).unwrap_err();
        assert!(error.text().contains("reserved bit"), "{error}");
        for (wrong, said) in [
            (&[0xc1, 2, 0xf2, 0x48][..], "breaks off"),
            (&[0xc1, 3, 7, 7, 7], "invalid"),
            (&[0x01, 0, 0xc0, 0], "reserved bit"),
            (&[0xc9, 0], "reserved bit"),
        ] {
            let error = read_by(Reader::new(agreed), wrong, 64).unwrap_err();
            assert!(error.text().contains(said), "{error}");
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
