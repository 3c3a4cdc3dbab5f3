//! Zstandard (RFC 8878), block by block.
//!
//! The library keeps a whole window back until the frame ends, which is when the stream ends.
//! So every block is marked as the last one in turn: the frame is decoded again from its
//! beginning, and the new bytes are returned.
//! That costs the square of a frame's length, so a long frame is not decoded for every block.

use std::io;

use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::{DECODED, TOO_MUCH, TOO_MUCH_WORK};

/// The first bytes of a frame, and those of a skippable frame without their lowest bits.
const MAGIC: u32 = 0xFD2F_B528;
const SKIPPED: u32 = 0x184D_2A50;
const BLOCK_HEAD: usize = 3;
/// A block that is the last one, and empty.
const LAST: [u8; BLOCK_HEAD] = [1, 0, 0];
/// RFC 9659, section 3: the most that a window may have in HTTP.
const WINDOW: u64 = 8 << 20;
/// How much is decoded before each comparison with the limit.
const AT_A_TIME: usize = 1 << 20;
/// How many bytes are decoded before a frame has to grow by a sixteenth to be decoded again.
const FREELY: usize = 128 << 20;
/// A block costs as much time as that many bytes, also if nothing comes out of it.
const BLOCK: usize = 64;
/// How many bytes are decoded at all.
const WORK: usize = 512 << 20;

#[derive(Default)]
pub(super) struct Zstd {
    /// Received, and not a whole header or block yet.
    pending: Vec<u8>,
    /// The head of the frame under way, and its whole blocks.
    frame: Vec<u8>,
    has_checksum: bool,
    /// How long the frame was when it was decoded last.
    undone: usize,
    blocks: usize,
    given_of_frame: usize,
    frames: usize,
    /// How many bytes are to be passed over.
    skip: usize,
    /// How many bytes were read and decoded in all, with every repetition.
    worked: usize,
    total: usize,
    /// Decoded and not returned yet.
    pub(super) out: Vec<u8>,
}

impl Zstd {
    pub(super) fn feed(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.pending.extend_from_slice(bytes);
        while self.advance()? {}
        let grown = self.frame.len() - self.undone;
        if grown > 0 && (self.worked < FREELY || grown * 16 > self.frame.len()) {
            self.catch_up()?;
        }
        Ok(())
    }

    /// Takes the next head or block, if it is whole.
    fn advance(&mut self) -> io::Result<bool> {
        let passed = self.skip.min(self.pending.len());
        self.pending.drain(..passed);
        self.skip -= passed;
        if self.skip > 0 {
            return Ok(false);
        }
        if self.frame.is_empty() { self.frame_head() } else { self.block() }
    }

    fn frame_head(&mut self) -> io::Result<bool> {
        let Some(magic) = number(&self.pending, 0) else { return Ok(false) };
        if magic & !0xF == SKIPPED {
            let Some(length) = number(&self.pending, 4) else { return Ok(false) };
            self.skip = 8 + length as usize;
            return Ok(true);
        }
        if magic != MAGIC {
            return Err(io::Error::other("it does not begin with the magic number of zstd"));
        }
        // RFC 8878, section 3.1.1.1: the descriptor says which fields follow.
        let Some(&descriptor) = self.pending.get(4) else { return Ok(false) };
        let is_single = descriptor >> 5 & 1 == 1;
        let dictionary = [0, 1, 2, 4][usize::from(descriptor & 3)];
        let size = [usize::from(is_single), 2, 4, 8][usize::from(descriptor >> 6)];
        let length = 5 + usize::from(!is_single) + dictionary + size;
        if self.pending.len() < length {
            return Ok(false);
        }
        self.frame = self.pending.drain(..length).collect();
        // The checksum of the whole does not fit a part of it.
        self.has_checksum = descriptor >> 2 & 1 == 1;
        self.frame[4] &= !(1 << 2);
        self.undone = self.frame.len();
        self.given_of_frame = 0;
        self.blocks = 0;
        Ok(true)
    }

    fn block(&mut self) -> io::Result<bool> {
        let Some(head) = self.pending.first_chunk::<BLOCK_HEAD>() else { return Ok(false) };
        let number = u32::from_le_bytes([head[0], head[1], head[2], 0]);
        let (is_last, kind, size) = (number & 1 == 1, number >> 1 & 3, (number >> 3) as usize);
        let length = BLOCK_HEAD
            + match kind {
                1 => 1,
                3 => return Err(io::Error::other("it has a block of an unknown type")),
                _ => size,
            };
        if self.pending.len() < length {
            return Ok(false);
        }
        let from = self.frame.len();
        self.blocks += 1;
        self.frame.extend(self.pending.drain(..length));
        self.frame[from] &= !1;
        if is_last {
            self.catch_up()?;
            self.frame.clear();
            self.frames += 1;
            self.undone = 0;
            self.skip = if self.has_checksum { 4 } else { 0 };
        }
        Ok(true)
    }

    /// Whether the bytes so far end after a frame.
    pub(super) fn is_between_frames(&self) -> bool {
        self.frame.is_empty() && self.pending.is_empty() && self.skip == 0 && self.frames > 0
    }

    /// Gives what the whole blocks say.
    pub(super) fn catch_up(&mut self) -> io::Result<()> {
        if self.frame.len() == self.undone {
            return Ok(());
        }
        if self.worked > WORK {
            return Err(io::Error::other(TOO_MUCH_WORK));
        }
        self.undone = self.frame.len();
        let whole = [self.frame.as_slice(), &LAST].concat();
        let mut source = whole.as_slice();
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(WINDOW);
        decoder.init(&mut source).map_err(io::Error::other)?;
        let mut at = 0;
        let mut is_over = false;
        while !is_over {
            let some = BlockDecodingStrategy::UptoBytes(AT_A_TIME);
            is_over = decoder.decode_blocks(&mut source, some).map_err(io::Error::other)?;
            let some = decoder.collect().unwrap_or_default();
            let new = self.given_of_frame.saturating_sub(at).min(some.len());
            self.total += some.len() - new;
            if self.total > DECODED {
                return Err(io::Error::other(TOO_MUCH));
            }
            self.out.extend_from_slice(&some[new..]);
            at += some.len();
        }
        self.worked += at + whole.len() + self.blocks * BLOCK;
        self.given_of_frame = at;
        Ok(())
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at + 4)?;
    Some(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
}
