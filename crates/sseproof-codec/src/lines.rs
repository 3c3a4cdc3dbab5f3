//! Cuts a stream of chunks into lines, without looking at what the lines say.
//!
//! This is the half of the decoder that touches every byte, so it is kept apart from the half that
//! interprets fields: a faster scanner can replace it without a change of meaning.
//! No byte is looked at twice: what is left of a chunk is kept, and the next chunk is scanned from its own start.

use alloc::vec::Vec;
use core::ops::Range;

use memchr::memchr2;

use crate::Span;

pub(crate) const BOM: [u8; 3] = *b"\xEF\xBB\xBF";

/// Buffers above this capacity are given back once they are empty, so that one large line does not
/// weigh on a connection that is idle ever after.
pub(crate) const KEPT_CAPACITY: usize = 4096;

/// A line, as bytes, without its line end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line<'a> {
    /// The offset of its first byte in the stream.
    pub(crate) start: u64,
    /// How many bytes it has.
    pub(crate) len: usize,
    pub(crate) place: Place<'a>,
}

impl Line<'_> {
    /// A range of the line, in the stream.
    pub(crate) const fn span(self, range: Range<usize>) -> Span {
        Span::new(self.start + range.start as u64, self.start + range.end as u64)
    }
}

/// Where the bytes of a line are.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place<'a> {
    /// In the chunk, in one piece.
    Chunk(&'a [u8]),
    /// In [`Lines::carried`], since it came in several pieces.
    Carried,
}

#[derive(Debug)]
pub(crate) enum Scanned<'a> {
    Line(Line<'a>),
    /// The line that starts here has just passed the limit. What is left of it is skipped.
    TooLong {
        start: u64,
    },
}

#[derive(Debug)]
pub(crate) struct Lines {
    /// What was kept of the line that is not complete, or a complete line that came in pieces.
    pub(crate) carried: Vec<u8>,
    /// Whether `carried` is a complete line that was handed out.
    handed_out: bool,
    limit: usize,
    /// How many bytes of the stream were consumed.
    offset: u64,
    /// Where the current line starts.
    line_start: u64,
    /// The last line ended with a CR, so an LF that follows belongs to the same line end.
    after_cr: bool,
    /// The current line has passed the limit: it is skipped up to its end.
    skipping: bool,
    /// How many bytes of a BOM the stream has started with, while that is all it has.
    bom_matched: Option<usize>,
}

impl Lines {
    pub(crate) const fn new(limit: usize) -> Self {
        Self {
            carried: Vec::new(),
            handed_out: false,
            limit,
            offset: 0,
            line_start: 0,
            after_cr: false,
            skipping: false,
            bom_matched: Some(0),
        }
    }

    pub(crate) const fn offset(&self) -> u64 {
        self.offset
    }

    /// The next complete line; takes what it consumes off the front of `input`.
    pub(crate) fn next<'a>(&mut self, input: &mut &'a [u8]) -> Option<Scanned<'a>> {
        if self.handed_out {
            self.handed_out = false;
            recycle(&mut self.carried);
        }
        self.strip_bom(input);
        loop {
            self.swallow_lf(input);
            if input.is_empty() {
                return None;
            }
            let Some(len) = memchr2(b'\n', b'\r', input) else {
                return self.keep_rest(input);
            };
            let piece = &input[..len];
            self.after_cr = input[len] == b'\r';
            self.consume(input, len + 1);
            let start = core::mem::replace(&mut self.line_start, self.offset);
            if self.skipping {
                self.skipping = false;
                continue;
            }
            return Some(self.complete(start, piece));
        }
    }

    /// Forgets the line that is not complete, and says where it starts and whether it is a comment.
    pub(crate) fn discard_rest(&mut self) -> Option<Rest> {
        if self.handed_out {
            self.handed_out = false;
            recycle(&mut self.carried);
        }
        if let Some(matched) = self.bom_matched.take() {
            self.carried.extend_from_slice(&BOM[..matched]);
        }
        let start = core::mem::replace(&mut self.line_start, self.offset);
        // A line that is being skipped has left nothing here.
        self.skipping = false;
        let rest = core::mem::take(&mut self.carried);
        rest.first().map(|&first| Rest { start, is_comment: first == b':' })
    }

    /// Removes one BOM at the very start of the stream (`whatwg-sse/bom-at-start`).
    /// Its bytes may come one by one, and a chunk without bytes changes nothing.
    fn strip_bom(&mut self, input: &mut &[u8]) {
        while let Some(matched) = self.bom_matched {
            let Some(&byte) = input.first() else { return };
            if byte != BOM[matched] {
                // It was no BOM after all, so these bytes are the start of the first line.
                self.carried.extend_from_slice(&BOM[..matched]);
                self.bom_matched = None;
                return;
            }
            self.consume(input, 1);
            self.bom_matched = Some(matched + 1);
            if matched + 1 == BOM.len() {
                self.line_start = self.offset;
                self.bom_matched = None;
            }
        }
    }

    /// CRLF is one line end (`whatwg-sse/line-ends`). Its CR has ended the line already, since an
    /// event must not wait for a byte that may never come.
    fn swallow_lf(&mut self, input: &mut &[u8]) {
        let Some(&byte) = input.first() else { return };
        if core::mem::take(&mut self.after_cr) && byte == b'\n' {
            self.consume(input, 1);
            self.line_start = self.offset;
        }
    }

    fn complete<'a>(&mut self, start: u64, piece: &'a [u8]) -> Scanned<'a> {
        let len = self.carried.len() + piece.len();
        if len > self.limit {
            recycle(&mut self.carried);
            return Scanned::TooLong { start };
        }
        if self.carried.is_empty() {
            return Scanned::Line(Line { start, len, place: Place::Chunk(piece) });
        }
        self.carried.extend_from_slice(piece);
        self.handed_out = true;
        Scanned::Line(Line { start, len, place: Place::Carried })
    }

    fn keep_rest<'a>(&mut self, input: &mut &'a [u8]) -> Option<Scanned<'a>> {
        let rest = *input;
        self.consume(input, rest.len());
        if self.skipping {
            return None;
        }
        if self.carried.len() + rest.len() > self.limit {
            self.skipping = true;
            recycle(&mut self.carried);
            return Some(Scanned::TooLong { start: self.line_start });
        }
        self.carried.extend_from_slice(rest);
        None
    }

    fn consume(&mut self, input: &mut &[u8], len: usize) {
        *input = &input[len..];
        self.offset += len as u64;
    }
}

/// The start of a line whose end never came.
#[derive(Debug)]
pub(crate) struct Rest {
    pub(crate) start: u64,
    pub(crate) is_comment: bool,
}

/// Empties a buffer for its next use.
pub(crate) fn recycle(buffer: &mut Vec<u8>) {
    if buffer.capacity() > KEPT_CAPACITY {
        *buffer = Vec::new();
    } else {
        buffer.clear();
    }
}
