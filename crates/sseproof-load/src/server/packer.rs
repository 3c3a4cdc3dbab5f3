//! Compresses what a stream carries, if its client offered that: gzip, or permessage-deflate on a WebSocket.

use std::fmt;
use std::io::{Cursor, Write};

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};
use tungstenite::protocol::frame::FrameHeader;

use super::event::Batch;
use crate::wire::permessage::Agreed;

pub(super) enum Packer {
    /// The content of a response, flushed after each write.
    Gzip(GzEncoder<Vec<u8>>),
    /// Each message of a WebSocket.
    Messages { encoder: DeflateEncoder<Vec<u8>>, keeps_context: bool },
}

/// Quick, as servers that compress while they send choose it.
fn level() -> Compression {
    Compression::fast()
}

/// The end of a flush, which a message leaves out (RFC 7692 section 7.2.1).
const FLUSHED: [u8; 4] = [0, 0, 0xFF, 0xFF];

impl Packer {
    pub(super) fn gzip() -> Box<Self> {
        Box::new(Self::Gzip(GzEncoder::new(Vec::new(), level())))
    }

    pub(super) fn messages(agreed: Agreed) -> Box<Self> {
        let encoder = DeflateEncoder::new(Vec::new(), level());
        Box::new(Self::Messages { encoder, keeps_context: agreed.keeps_context })
    }

    /// Compresses the content of the batch: a part of a response, or whole frames.
    pub(super) fn pack(&mut self, batch: &mut Batch) {
        if batch.content().is_empty() {
            return;
        }
        let packed = match self {
            Self::Gzip(encoder) => flushed(encoder, batch.content(), GzEncoder::get_mut),
            Self::Messages { encoder, keeps_context } => {
                let mut packed = Vec::new();
                for (header, payload) in frames(batch.content()) {
                    if !*keeps_context {
                        *encoder = DeflateEncoder::new(Vec::new(), level());
                    }
                    let mut payload = flushed(encoder, payload, DeflateEncoder::get_mut);
                    if payload.ends_with(&FLUSHED) {
                        payload.truncate(payload.len() - FLUSHED.len());
                    }
                    let header = FrameHeader { rsv1: true, ..header };
                    // A `Vec` takes whatever is written.
                    let _ = header.format(payload.len() as u64, &mut packed);
                    packed.append(&mut payload);
                }
                packed
            }
        };
        batch.fill().extend_from_slice(&packed);
    }

    /// The end of the compressed content.
    pub(super) fn finish(&mut self, batch: &mut Batch) {
        let out = batch.fill();
        if let Self::Gzip(encoder) = self {
            // A `Vec` takes whatever is written.
            let _ = encoder.try_finish();
            out.append(encoder.get_mut());
        }
    }
}

/// The encoding of these bytes, up to the last one.
fn flushed<E: Write>(
    encoder: &mut E,
    bytes: &[u8],
    out: impl Fn(&mut E) -> &mut Vec<u8>,
) -> Vec<u8> {
    // A `Vec` takes whatever is written.
    let _ = encoder.write_all(bytes);
    let _ = encoder.flush();
    std::mem::take(out(encoder))
}

/// The frames in these bytes, with their payloads.
fn frames(mut bytes: &[u8]) -> impl Iterator<Item = (FrameHeader, &[u8])> {
    std::iter::from_fn(move || {
        let mut cursor = Cursor::new(bytes);
        let (header, length) = FrameHeader::parse(&mut cursor).ok()??;
        let begin = usize::try_from(cursor.position()).ok()?;
        let (frame, rest) = bytes.split_at_checked(begin + usize::try_from(length).ok()?)?;
        bytes = rest;
        Some((header, &frame[begin..]))
    })
}

impl fmt::Debug for Packer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Packer")
    }
}
