//! Finds the lines of a chunk, 64 bytes at a time.
//!
//! Each byte is compared once: the line ends of a block of 64 bytes stay in a bit mask until they
//! are handed out, so that short lines cost no new search.

use core::ops::Range;

use memchr::memchr2;
use wide::u8x16;

use crate::touched::touch;

/// How many bytes are compared together.
const BLOCK: usize = 64;
/// After this many blocks without a line end the line is a long one, and a search for its end alone
/// is faster.
const LONG: usize = 8;

/// The lines of a chunk.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor {
    /// Where a line may end in the current block, lowest bit first; bits that were used are
    /// cleared.
    mask: u64,
    /// Where the next block starts, also after the last one, which may be shorter. The end of a
    /// long line counts as the last byte of a block.
    next: usize,
    /// Where the current line starts.
    pub(crate) line: usize,
}

impl Cursor {
    /// At the start of a chunk, whose first line starts there.
    pub(crate) const fn new() -> Self {
        Self { mask: 0, next: 0, line: 0 }
    }

    /// The next complete line, without its line end: an LF, a CR, or a CRLF
    /// (`whatwg-sse/line-ends`).
    #[inline(always)]
    pub(crate) fn next_line(&mut self, bytes: &[u8]) -> Option<Range<usize>> {
        loop {
            if self.mask == 0 && !self.refill(bytes) {
                return None;
            }
            let end = self.next - BLOCK + self.mask.trailing_zeros() as usize;
            self.mask &= self.mask - 1;
            let from = self.line;
            match bytes[end] {
                // The LF of a CRLF lies before the line.
                _ if end < from => {}
                b'\n' => {
                    self.line = end + 1;
                    return Some(from..end);
                }
                b'\r' => {
                    self.line = end + 1 + usize::from(bytes.get(end + 1) == Some(&b'\n'));
                    return Some(from..end);
                }
                _ => {}
            }
        }
    }

    /// Moves to the next block in which a line may end.
    #[inline]
    fn refill(&mut self, bytes: &[u8]) -> bool {
        let rest = bytes.get(self.next..).unwrap_or_default();
        let (blocks, tail) = rest.as_chunks::<BLOCK>();
        let far = self.next + LONG * BLOCK;
        for block in blocks {
            if self.next == far {
                let end = long_line(bytes, far);
                self.mask = u64::from(end < bytes.len()) << (BLOCK - 1);
                self.next = end + 1;
                return self.mask != 0;
            }
            touch(BLOCK);
            self.next += BLOCK;
            self.mask = candidates(block);
            if self.mask != 0 {
                return true;
            }
        }
        if tail.is_empty() {
            return false;
        }
        let mut block = [0xFF; BLOCK];
        block[..tail.len()].copy_from_slice(tail);
        touch(tail.len());
        self.next += BLOCK;
        self.mask = candidates(&block);
        self.mask != 0
    }
}

/// The end of a long line whose bytes up to `from` were searched, or the end of the chunk.
///
/// It takes no cursor, since a cursor that is borrowed does not stay in registers.
#[inline(never)]
fn long_line(bytes: &[u8], from: usize) -> usize {
    let end = memchr2(b'\n', b'\r', &bytes[from..]).map_or(bytes.len(), |end| from + end);
    touch(bytes.len().min(end + 1) - from);
    end
}

/// A bit for each byte up to CR: of those only the two line ends are common in text, so one
/// comparison finds both.
#[inline(always)]
fn candidates(block: &[u8; BLOCK]) -> u64 {
    let last = u8x16::splat(b'\r');
    let ([a, b, c, d], _) = block.as_chunks::<16>() else { return 0 };
    let [a, b, c, d] = [u8x16::from(*a), u8x16::from(*b), u8x16::from(*c), u8x16::from(*d)];
    // Most blocks have none, and are done here.
    let least = a.min(b).min(c.min(d));
    if least.min(last).simd_eq(least).to_bitmask() == 0 {
        return 0;
    }
    let bits = |lane: u8x16| u64::from(lane.min(last).simd_eq(lane).to_bitmask());
    bits(a) | bits(b) << 16 | bits(c) << 32 | bits(d) << 48
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn lines(bytes: &[u8]) -> Vec<Range<usize>> {
        let mut cursor = Cursor::new();
        core::iter::from_fn(|| cursor.next_line(bytes)).collect()
    }

    /// Byte by byte, as the standard describes it.
    fn naive(bytes: &[u8]) -> Vec<Range<usize>> {
        let mut lines = Vec::new();
        let mut line = 0;
        for (at, &byte) in bytes.iter().enumerate() {
            let is_end = byte == b'\r' || byte == b'\n';
            let ends_crlf = byte == b'\n' && at > 0 && bytes[at - 1] == b'\r';
            if is_end && !ends_crlf {
                lines.push(line..at);
            }
            if is_end {
                line = at + 1;
            }
        }
        lines
    }

    const PIECES: [&[u8]; 5] = [b"\n", b"\r", b"\r\n", b"\n\n", b"\t"];

    proptest::proptest! {
        #[test]
        fn all_lines_are_found(
            pieces in proptest::collection::vec(
                (proptest::sample::select(&PIECES[..]), 0_usize..1500),
                0..12,
            ),
        ) {
            let mut bytes = Vec::new();
            for (end, gap) in pieces {
                bytes.extend_from_slice(end);
                bytes.resize(bytes.len() + gap, b'x');
            }
            proptest::prop_assert_eq!(lines(&bytes), naive(&bytes));
        }
    }
}
