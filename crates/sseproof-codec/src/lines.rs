//! What the end of a chunk leaves of a line, until the next chunk has the rest.

use core::mem;

use crate::buffer::Buffer;

pub(crate) const BOM: [u8; 3] = *b"\xEF\xBB\xBF";

/// What is known of the line under way between two chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// Nothing: a line begins.
    Nothing,
    /// Nothing, but an LF that comes next belongs to the CR that has ended the line: an event must
    /// not wait for a byte that may never come (`whatwg-sse/line-ends`).
    Cr,
    /// It is a data line, and its value is in the data of the block, as far as it has come. So its
    /// bytes are moved only once, however many chunks it has.
    Data,
    /// What has come of it is [`Lines::carried`].
    Line,
    /// It is too long, or of a block that is dropped: it is skipped up to its end.
    Skipped,
    /// The stream has begun with so many bytes of a BOM, and nothing else.
    Bom(usize),
}

/// What is kept from one chunk to the next.
#[derive(Debug)]
pub(crate) struct Lines {
    pub(crate) left: Left,
    /// What has come of a line that is cut, until another one is cut.
    pub(crate) carried: Buffer,
    /// How many bytes of the stream came before the chunk, or up to its end once it is over.
    pub(crate) offset: u64,
    /// Where the line starts that the chunk before has left.
    pub(crate) line_start: u64,
}

impl Default for Lines {
    fn default() -> Self {
        Self { left: Left::Bom(0), carried: Buffer::default(), offset: 0, line_start: 0 }
    }
}

impl Lines {
    /// Takes the bytes of a BOM off the very start of the stream (`whatwg-sse/bom-at-start`), which
    /// may come one by one.
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
                // It was no BOM after all, so these bytes are the start of the first line.
                _ => {
                    self.carried.clear();
                    self.carried.push(&BOM[..matched]);
                    break Left::Line;
                }
            }
        };
    }

    /// Begins another stream, with the buffers of this one; nothing of this one is left.
    pub(crate) const fn restart(&mut self) {
        self.left = Left::Bom(0);
        (self.offset, self.line_start) = (0, 0);
    }

    /// Forgets the line that is not complete, and says where it starts, unless it is a comment.
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
