//! The line that the end of a chunk cuts, until the next chunk has the rest.

use core::mem;

use crate::buffer::Buffer;

pub(crate) const BOM: [u8; 3] = *b"\xEF\xBB\xBF";

/// The state of the current line between two chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// Empty: a line begins.
    Nothing,
    /// Empty, but an LF that comes next belongs to the CR that has ended the line: an event must
    /// not wait for a byte that may never come (`whatwg-sse/line-ends`).
    Cr,
    /// A data line, whose value so far is in the data of the block. So its bytes are moved only
    /// once, in however many chunks they come.
    Data,
    /// The part that has arrived is [`Lines::carried`].
    Line,
    /// It is too long, or belongs to a block that is dropped: it is skipped up to its end.
    Skipped,
    /// The stream has begun with this many bytes of a BOM, and nothing else.
    Bom(usize),
}

/// The state that is kept from one chunk to the next.
#[derive(Debug)]
pub(crate) struct Lines {
    pub(crate) left: Left,
    /// The part of a cut line that has arrived, until another line is cut.
    pub(crate) carried: Buffer,
    /// How many bytes of the stream came before the chunk, or up to its end once it is decoded.
    pub(crate) offset: u64,
    /// Where the line starts that the previous chunk left incomplete.
    pub(crate) line_start: u64,
}

impl Default for Lines {
    fn default() -> Self {
        Self { left: Left::Bom(0), carried: Buffer::default(), offset: 0, line_start: 0 }
    }
}

impl Lines {
    /// Removes a BOM at the very start of the stream (`whatwg-sse/bom-at-start`), whose bytes may
    /// come one by one.
    pub(crate) fn strip_bom(&mut self, mut matched: usize, bytes: &mut &[u8]) {
        self.left = loop {
            if matched == BOM.len() {
                self.line_start = self.offset;
                break Left::Nothing;
            }
            match bytes {
                [] => break Left::Bom(matched),
                [byte, rest @ ..] if *byte == BOM[matched] => {
                    *bytes = rest;
                    self.offset += 1;
                    matched += 1;
                }
                _ if matched == 0 => break Left::Nothing,
                // It was not a BOM, so these bytes are the start of the first line.
                _ => {
                    self.carried.clear();
                    self.carried.push(&BOM[..matched]);
                    break Left::Line;
                }
            }
        };
    }

    /// Begins another stream with the same buffers and no other state.
    pub(crate) const fn restart(&mut self) {
        self.left = Left::Bom(0);
        (self.offset, self.line_start) = (0, 0);
    }

    /// Drops the incomplete line and returns its start, unless it is a comment.
    pub(crate) fn discard_rest(&mut self) -> Option<u64> {
        let is_lost = match mem::replace(&mut self.left, Left::Nothing) {
            Left::Nothing | Left::Skipped => false,
            Left::Cr => {
                self.left = Left::Cr;
                false
            }
            Left::Data => true,
            Left::Line => self.carried.as_bytes().first() != Some(&b':'),
            Left::Bom(matched) => matched > 0,
        };
        is_lost.then_some(self.line_start)
    }
}
