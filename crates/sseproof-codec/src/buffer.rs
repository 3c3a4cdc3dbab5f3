//! Buffers that are filled and emptied again and again.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use crate::touched::touch;
use crate::utf8;

/// The bytes that a buffer may always keep.
const KEPT_CAPACITY: usize = 4096;
/// A larger buffer is freed after this many chunks or texts that needed little of it: one large
/// line must not cost memory on a connection that stays idle, and a stream of large lines must not
/// allocate for each.
const PATIENCE: u8 = 16;
/// From this size on, UTF-8 is checked in a pass of its own.
const PIECE: usize = 512;
/// This much is checked while it is in the nearest cache.
const BATCH: usize = 4096;

/// When a large buffer is freed.
#[derive(Debug, Default)]
struct Patience {
    /// How often in a row it was larger than needed.
    unused: u8,
}

impl Patience {
    /// The buffer is emptied.
    #[inline(always)]
    const fn emptied(&mut self, len: usize, capacity: usize) {
        if capacity > KEPT_CAPACITY && len > capacity / 4 {
            self.unused = 0;
        }
    }

    /// A chunk begins, and the buffer is empty.
    const fn is_over(&mut self) -> bool {
        self.unused = (self.unused + 1) % PATIENCE;
        self.unused == 0
    }
}

/// Some bytes.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    patience: Patience,
}

impl Buffer {
    #[inline(always)]
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    #[inline(always)]
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        touch(bytes.len());
        self.bytes.extend_from_slice(bytes);
    }

    /// Empties the buffer; most of its memory is kept.
    pub(crate) fn clear(&mut self) {
        self.patience.emptied(self.bytes.len(), self.bytes.capacity());
        self.bytes.clear();
    }

    /// A chunk begins, and the buffer is not needed: frees memory that has not been needed for
    /// long.
    #[inline(always)]
    pub(crate) fn rest(&mut self) {
        if self.bytes.capacity() > KEPT_CAPACITY {
            self.clear();
            if self.patience.is_over() {
                self.bytes = Vec::new();
            }
        }
    }
}

/// A text that comes in pieces, cut anywhere.
///
/// Small pieces are joined before they are checked as UTF-8, so that the check costs little.
#[derive(Debug, Default)]
pub(crate) struct Text {
    /// The checked part, with U+FFFD in place of bytes that are not UTF-8.
    text: String,
    /// The part after it, as it came.
    tail: Vec<u8>,
    patience: Patience,
}

impl Text {
    /// The length, counting the unchecked part as it came.
    #[inline(always)]
    pub(crate) const fn len(&self) -> usize {
        self.text.len() + self.tail.len()
    }

    #[inline(always)]
    pub(crate) fn push(&mut self, piece: &[u8]) {
        touch(piece.len());
        if piece.len() >= PIECE || self.tail.len() >= BATCH {
            self.push_large(piece);
        } else {
            self.tail.extend_from_slice(piece);
        }
    }

    /// The line is complete.
    #[inline(always)]
    pub(crate) fn end_line(&mut self) {
        self.tail.push(b'\n');
    }

    #[inline(never)]
    fn push_large(&mut self, mut piece: &[u8]) {
        // The next piece may complete a character that is cut.
        while let [byte @ 0x80..0xC0, rest @ ..] = piece
            && !self.tail.is_empty()
        {
            self.tail.push(*byte);
            piece = rest;
        }
        let ends = piece.is_empty();
        let cut = if ends { utf8::whole_characters(&self.tail) } else { self.tail.len() };
        self.text.push_str(&utf8::text(&self.tail[..cut]));
        touch(self.tail.len());
        self.tail.drain(..cut);
        let cut = utf8::whole_characters(piece);
        self.text.push_str(&utf8::text(&piece[..cut]));
        self.tail.extend_from_slice(&piece[cut..]);
    }

    /// Nothing will follow that belongs to the last character.
    pub(crate) fn complete(&mut self) {
        self.text.push_str(&utf8::text(&self.tail));
        self.tail.clear();
    }

    /// The text is complete, and will be read.
    #[inline(always)]
    pub(crate) fn seal(&mut self) {
        if !self.text.is_empty() {
            self.complete();
        }
    }

    /// The text without the LF at its end, once it is sealed; `None` if it is not UTF-8.
    #[inline(always)]
    pub(crate) fn lines(&self) -> Option<&str> {
        if self.text.is_empty() {
            touch(self.tail.len());
            return simdutf8::basic::from_utf8(self.tail.strip_suffix(b"\n")?).ok();
        }
        self.text.strip_suffix('\n')
    }

    /// The same, with U+FFFD in place of bytes that are not UTF-8.
    pub(crate) fn lossy_lines(&self) -> Cow<'_, str> {
        self.lines().map_or_else(|| utf8::text(&self.tail[..self.tail.len() - 1]), Cow::Borrowed)
    }

    /// Empties the buffer; most of its memory is kept.
    #[inline(always)]
    pub(crate) fn clear(&mut self) {
        self.patience.emptied(self.text.len(), self.text.capacity());
        self.text.clear();
        self.tail.clear();
    }

    /// A chunk begins: frees memory that has not been needed for long.
    #[inline(always)]
    pub(crate) fn rest(&mut self) {
        if self.text.capacity() > KEPT_CAPACITY && self.len() == 0 && self.patience.is_over() {
            self.text = String::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_buffer_is_given_back_once_it_is_not_needed() {
        let mut buffer = Text::default();
        for _ in 0..100 {
            buffer.push(&[b'x'; 10_000]);
            buffer.clear();
            buffer.rest();
        }
        assert!(buffer.text.capacity() >= 10_000);
        for _ in 0..PATIENCE {
            buffer.push(b"x");
            buffer.clear();
            buffer.rest();
        }
        assert!(buffer.text.capacity() <= KEPT_CAPACITY);
    }

    /// The text does not depend on the sizes of the pieces.
    #[test]
    fn pieces_may_be_cut_anywhere() {
        let piece = "a\u{e9}\u{2615}\u{1F600}b".as_bytes();
        let bytes = [piece, b"\xFF\xE2\x98", &piece.repeat(90), b"\xF0\x9F", piece].concat();
        for size in 1..=bytes.len() {
            for first in 0..8 {
                let mut text = Text::default();
                let (front, rest) = bytes.split_at(first);
                text.push(front);
                rest.chunks(size).for_each(|piece| text.push(piece));
                text.end_line();
                text.seal();
                assert_eq!(text.lossy_lines(), String::from_utf8_lossy(&bytes), "{size} {first}");
            }
        }
    }
}
