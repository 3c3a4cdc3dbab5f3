//! Cuts a stream of chunks into lines, and knows which of them are UTF-8, without looking at what
//! the lines say.
//!
//! This is the half of the decoder that touches every byte, so it is kept apart from the half that
//! interprets fields. A chunk is searched once for line ends and once for bytes that are not UTF-8,
//! and lends its lines; only a line that came in pieces is put together.

use alloc::string::String;
use alloc::vec::Vec;
use core::mem;
use core::ops::Range;

use crate::Span;
use crate::buffer::{Buffer, KEPT_CAPACITY};
use crate::scan::Cursor;
use crate::utf8;

pub(crate) const BOM: [u8; 3] = *b"\xEF\xBB\xBF";

/// A complete line, without its line end.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scanned<'a> {
    /// It lies in the chunk, and is UTF-8.
    Text { start: u64, text: &'a str },
    /// It lies in the chunk, and may not be UTF-8.
    Bytes { start: u64, bytes: &'a [u8] },
    /// It came in pieces, and is [`Lines::carried`].
    Carried { start: u64 },
    /// It came in pieces, and is [`Lines::carried`] and behind it [`Lines::odd`].
    CarriedOdd { start: u64 },
    /// The line that starts here has just passed the limit. What is left of it is skipped.
    TooLong { start: u64 },
}

/// What is kept from one chunk to the next.
#[derive(Debug)]
pub(crate) struct Lines {
    /// What was kept of the line that is not complete, or a complete line that came in pieces.
    pub(crate) carried: Buffer,
    /// What follows it and is not known to be UTF-8: a character that the end of a chunk has cut,
    /// or everything from the first byte that is wrong.
    pub(crate) odd: Vec<u8>,
    /// Whether `odd` is the beginning of a character, and nothing else.
    is_cut: bool,
    /// Whether `carried` is a complete line that was handed out.
    pub(crate) handed_out: bool,
    pub(crate) limit: usize,
    /// How many bytes of the stream came before the chunk.
    offset: u64,
    /// Where the line starts that the chunk before has left.
    line_start: u64,
    /// The last byte was a CR, so an LF that follows belongs to the same line end.
    after_cr: bool,
    /// The current line has passed the limit: it is skipped up to its end.
    skipping: bool,
    /// How many bytes of a BOM the stream has started with, while that is all it has.
    bom_matched: Option<usize>,
}

/// The chunk under way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chunk<'a> {
    pub(crate) bytes: &'a [u8],
    /// As much of the front of `bytes` as is UTF-8: all but a character that its end has cut;
    /// `None` where there is more wrong than that.
    pub(crate) text: Option<&'a str>,
    pub(crate) cursor: Cursor,
    /// The current line began in an earlier chunk.
    pub(crate) continues: bool,
    pub(crate) is_open: bool,
    pub(crate) over: bool,
}

impl<'a> Chunk<'a> {
    pub(crate) const fn closed(bytes: &'a [u8]) -> Self {
        let cursor = Cursor::new(0);
        Self { bytes, text: None, cursor, continues: false, is_open: false, over: false }
    }
}

impl Lines {
    pub(crate) const fn new(limit: usize) -> Self {
        Self {
            carried: Buffer::new(),
            odd: Vec::new(),
            is_cut: false,
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

    /// Takes in the next chunk. What the chunk before has cut belongs to `data`, where a data line
    /// goes on.
    #[inline(always)]
    pub(crate) fn open(&mut self, chunk: &mut Chunk<'_>, data: Option<&mut Buffer>) {
        self.carried.rest();
        if self.is_cut || self.bom_matched.is_some() {
            self.strip_bom(&mut chunk.bytes);
            self.complete_character(&mut chunk.bytes, data);
        }
        let mut line = 0;
        // CRLF is one line end (`whatwg-sse/line-ends`). Its CR has ended the line already, since
        // an event must not wait for a byte that may never come.
        if self.after_cr && chunk.bytes.first() == Some(&b'\n') {
            line = 1;
            self.line_start = self.offset + 1;
        }
        chunk.continues = self.line_start < self.offset + line as u64;
        chunk.cursor = Cursor::new(line);
        chunk.text = utf8::valid_front(chunk.bytes);
        chunk.is_open = true;
    }

    /// The next complete line of the chunk, or `None` when there is no other.
    #[inline(always)]
    pub(crate) fn next<'a>(&mut self, chunk: &mut Chunk<'a>) -> Option<Scanned<'a>> {
        if chunk.continues || self.handed_out {
            return self.next_carried(chunk);
        }
        let line = chunk.cursor.next_line(chunk.bytes)?;
        self.whole(chunk, line.start, line.end)
    }

    /// The line between two places of the chunk.
    #[inline(always)]
    fn whole<'a>(&self, chunk: &Chunk<'a>, from: usize, end: usize) -> Option<Scanned<'a>> {
        let start = self.offset + from as u64;
        if end - from > self.limit {
            return Some(Scanned::TooLong { start });
        }
        Some(match chunk.text {
            Some(text) => Scanned::Text { start, text: &text[from..end] },
            None => Scanned::Bytes { start, bytes: &chunk.bytes[from..end] },
        })
    }

    /// The line that began in an earlier chunk, or the one behind it.
    #[cold]
    fn next_carried<'a>(&mut self, chunk: &mut Chunk<'a>) -> Option<Scanned<'a>> {
        self.recycle();
        if !chunk.continues {
            return self.next(chunk);
        }
        let line = chunk.cursor.next_line(chunk.bytes)?;
        chunk.continues = false;
        let Range { start: from, end } = line;
        let start = self.line_start;
        if mem::take(&mut self.skipping) {
            return self.next(chunk);
        }
        if self.carried.len() + self.odd.len() + (end - from) > self.limit {
            self.forget();
            return Some(Scanned::TooLong { start });
        }
        self.carry(chunk, from, end);
        self.handed_out = true;
        // A character that the line end has cut is none.
        self.is_cut = false;
        Some(match self.odd.is_empty() {
            true => Scanned::Carried { start },
            false => Scanned::CarriedOdd { start },
        })
    }

    /// Keeps what is left of the chunk for the next one, unless it is too much.
    #[cold]
    pub(crate) fn keep_rest<'a>(&mut self, chunk: &mut Chunk<'a>) -> Option<Scanned<'a>> {
        if mem::replace(&mut chunk.over, true) {
            return None;
        }
        let len = chunk.bytes.len();
        let line = chunk.cursor.line;
        if !chunk.continues {
            self.line_start = self.offset + line as u64;
        }
        self.offset += len as u64;
        if let Some(&last) = chunk.bytes.last() {
            self.after_cr = last == b'\r';
        }
        if self.skipping {
            return None;
        }
        if self.carried.len() + self.odd.len() + (len - line) > self.limit {
            self.skipping = true;
            self.forget();
            return Some(Scanned::TooLong { start: self.line_start });
        }
        self.carry(chunk, line, len);
        None
    }

    /// Puts a part of the chunk behind what was kept of the line.
    fn carry(&mut self, chunk: &Chunk<'_>, from: usize, end: usize) {
        let bytes = &chunk.bytes[from..end];
        if bytes.is_empty() {
            return;
        }
        if !self.odd.is_empty() {
            self.is_cut = false;
            self.odd.extend_from_slice(bytes);
            return;
        }
        let text = match chunk.text {
            Some(text) => &text[from..end.min(text.len())],
            None => utf8::valid_front(bytes).unwrap_or_default(),
        };
        self.carried.push(text);
        let odd = &bytes[text.len()..];
        self.odd.extend_from_slice(odd);
        self.is_cut = !odd.is_empty() && utf8::is_cut(odd);
    }

    /// Takes the bytes off the front of the chunk that belong to a character which the end of the
    /// chunk before has cut.
    #[cold]
    fn complete_character(&mut self, bytes: &mut &[u8], data: Option<&mut Buffer>) {
        while self.is_cut {
            let Some(&byte) = bytes.first() else { return };
            if !utf8::goes_on(&self.odd, byte) {
                self.is_cut = false;
                break;
            }
            self.odd.push(byte);
            *bytes = &bytes[1..];
            self.offset += 1;
            self.is_cut = str::from_utf8(&self.odd).is_err();
        }
        match (str::from_utf8(&self.odd), data) {
            (Ok(character), Some(data)) => data.push(character),
            (Ok(character), None) => self.carried.push(character),
            (Err(_), Some(data)) => data.push(&String::from_utf8_lossy(&self.odd)),
            (Err(_), None) => return,
        }
        self.odd.clear();
    }

    /// The rest of the chunk is the beginning of a data line, and what is text of it was taken.
    #[inline(always)]
    pub(crate) fn keep_data(&mut self, chunk: &mut Chunk<'_>, cut: &[u8]) {
        self.line_start = self.offset + chunk.cursor.line as u64;
        self.keep_cut(chunk, cut);
    }

    /// Keeps what a data line has left at the end of the chunk: the beginning of a character.
    #[inline(always)]
    pub(crate) fn keep_cut(&mut self, chunk: &mut Chunk<'_>, cut: &[u8]) {
        chunk.over = true;
        self.offset += chunk.bytes.len() as u64;
        if !chunk.bytes.is_empty() {
            self.after_cr = false;
        }
        if !cut.is_empty() {
            self.odd.extend_from_slice(cut);
            self.is_cut = true;
        }
    }

    /// The line under way has passed a limit: what is left of it is skipped.
    pub(crate) fn skip_line(&mut self, chunk: &mut Chunk<'_>) {
        self.forget();
        self.skipping = true;
        if !chunk.over {
            self.keep_cut(chunk, b"");
        }
    }

    /// Where the line under way starts.
    pub(crate) const fn line_start(&self) -> u64 {
        self.line_start
    }

    /// Removes one BOM at the very start of the stream (`whatwg-sse/bom-at-start`).
    /// Its bytes may come one by one, and a chunk without bytes changes nothing.
    fn strip_bom(&mut self, bytes: &mut &[u8]) {
        while let Some(matched) = self.bom_matched {
            let Some(&byte) = bytes.first() else { return };
            if byte != BOM[matched] {
                // It was no BOM after all, so these bytes are the start of the first line.
                self.keep_half_bom(matched);
                return;
            }
            *bytes = &bytes[1..];
            self.offset += 1;
            self.bom_matched = Some(matched + 1);
            if matched + 1 == BOM.len() {
                self.line_start = self.offset;
                self.bom_matched = None;
            }
        }
    }

    fn keep_half_bom(&mut self, matched: usize) {
        self.odd.extend_from_slice(&BOM[..matched]);
        self.is_cut = matched > 0;
        self.bom_matched = None;
    }

    /// Begins another stream, with the buffers of this one; nothing of this one is left.
    pub(crate) fn restart(&mut self) {
        (self.offset, self.line_start) = (0, 0);
        self.after_cr = false;
        self.bom_matched = Some(0);
    }

    /// Forgets the line that is not complete, and says where it starts and whether it is a comment.
    pub(crate) fn discard_rest(&mut self) -> Option<Rest> {
        self.recycle();
        if let Some(matched) = self.bom_matched {
            self.keep_half_bom(matched);
        }
        let start = mem::replace(&mut self.line_start, self.offset);
        // A line that is being skipped has left nothing here.
        self.skipping = false;
        let first = self.carried.as_str().as_bytes().first().or(self.odd.first()).copied();
        self.forget();
        first.map(|first| Rest { start, is_comment: first == b':' })
    }

    /// A line that was handed out is used up.
    pub(crate) fn recycle(&mut self) {
        if mem::take(&mut self.handed_out) {
            self.forget();
        }
    }

    fn forget(&mut self) {
        self.carried.clear();
        recycle(&mut self.odd);
        self.is_cut = false;
    }

    /// Keeps the line as text with U+FFFD in place of what is not UTF-8, and its bytes beside it.
    pub(crate) fn mend(&mut self, bytes: &[u8]) {
        self.forget();
        self.carried.push(&String::from_utf8_lossy(bytes));
        self.odd.extend_from_slice(bytes);
        self.handed_out = true;
    }

    /// The bytes of a line that came in pieces.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        [self.carried.as_str().as_bytes(), &self.odd].concat()
    }
}

/// A part of a line, as a span of the stream.
pub(crate) fn span(start: u64, range: Range<usize>) -> Span {
    Span::new(start + range.start as u64, start + range.end as u64)
}

/// The start of a line whose end never came.
#[derive(Debug)]
pub(crate) struct Rest {
    pub(crate) start: u64,
    pub(crate) is_comment: bool,
}

/// Empties bytes that are rarely there at all.
fn recycle(bytes: &mut Vec<u8>) {
    if bytes.capacity() > KEPT_CAPACITY {
        *bytes = Vec::new();
    } else {
        bytes.clear();
    }
}
