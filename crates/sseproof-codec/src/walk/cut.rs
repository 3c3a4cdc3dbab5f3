//! Lines that the ends of chunks cut: how a chunk continues the line before it, and leaves one to
//! the next.

use super::line::Line;
use super::{Pending, Walk};
use crate::decoder::Decoder;
use crate::lines::Left;
use crate::scan::Cursor;
use crate::utf8;

impl<'a, const INSPECT: bool> Walk<'a, INSPECT> {
    /// Reads the beginning of the chunk, unless it continues a data line.
    #[inline(always)]
    pub(super) fn open(&mut self, left: Left) -> Option<Pending<'a>> {
        let Decoder { lines, block, .. } = &mut *self.decoder;
        block.data.rest();
        match left {
            Left::Nothing => {
                lines.carried.rest();
                None
            }
            left => self.go_on(left),
        }
    }

    /// Continues the line that the previous chunk left incomplete, except a data line.
    #[inline(never)]
    fn go_on(&mut self, left: Left) -> Option<Pending<'a>> {
        let Decoder { lines, .. } = &mut *self.decoder;
        match left {
            Left::Nothing | Left::Data => None,
            Left::Cr => {
                self.cursor.line = usize::from(self.bytes.first() == Some(&b'\n'));
                None
            }
            Left::Bom(matched) => {
                lines.strip_bom(matched, &mut self.bytes);
                match lines.left {
                    Left::Nothing => None,
                    Left::Line => self.go_on_with_line(),
                    _ => {
                        self.is_over = true;
                        None
                    }
                }
            }
            Left::Line => self.go_on_with_line(),
            Left::Skipped => {
                match self.cursor.next_line(self.bytes) {
                    Some(_) => lines.left = Left::Nothing,
                    None => self.pass(),
                }
                None
            }
        }
    }

    /// The whole chunk belongs to the line that the previous chunk left incomplete.
    #[inline(always)]
    fn pass(&mut self) {
        self.is_over = true;
        self.decoder.lines.offset += self.bytes.len() as u64;
    }

    /// Reads the rest of a line that came in pieces, or as much of it as has arrived.
    fn go_on_with_line(&mut self) -> Option<Pending<'a>> {
        let line = self.cursor.next_line(self.bytes);
        let Decoder { lines, limits, .. } = &mut *self.decoder;
        let end = line.as_ref().map_or(self.bytes.len(), |line| line.end);
        let start = lines.line_start;
        let is_too_long = lines.carried.as_bytes().len() + end > limits.line_bytes;
        if !is_too_long {
            lines.carried.push(&self.bytes[..end]);
        }
        if line.is_some() {
            lines.left = Left::Nothing;
            return match is_too_long {
                true => self.too_long(start),
                false => self.admit(start, Line::Carried),
            };
        }
        self.pass();
        if is_too_long {
            return self.too_long(start);
        }
        let Decoder { lines, block, .. } = &mut *self.decoder;
        if !INSPECT && let Some(value) = data_value(lines.carried.as_bytes()) {
            block.begin_line(start, value);
            lines.left = Left::Data;
        }
        None
    }

    /// Reads the rest of a data line that came in pieces, or as much of it as has arrived.
    #[inline(always)]
    pub(super) fn go_on_with_data(&mut self) -> Option<Pending<'a>> {
        // A local variable stays in registers.
        let mut cursor = Cursor::new();
        let line = cursor.next_line(self.bytes);
        self.cursor = cursor;
        let Decoder { lines, block, limits, ample, .. } = &mut *self.decoder;
        let start = lines.line_start;
        let end = line.as_ref().map_or(self.bytes.len(), |line| line.end);
        let line_end = lines.offset + end as u64;
        if line_end - start > limits.line_bytes as u64 {
            match line {
                Some(_) => lines.left = Left::Nothing,
                None => self.pass(),
            }
            return self.too_long(start);
        }
        block.data.push(&self.bytes[..end]);
        if line.is_none() {
            self.pass();
            return None;
        }
        lines.left = Left::Nothing;
        if block.data.len() > *ample && block.len_with(b"") > limits.event_bytes {
            return self.too_large(start, line_end);
        }
        block.data.end_line();
        None
    }

    /// Copies the incomplete line from the chunk, which the caller will drop.
    #[inline(always)]
    pub(super) fn leave(&mut self) -> Option<Pending<'a>> {
        self.is_over = true;
        let Decoder { lines, block, last_event_id, limits, .. } = &mut *self.decoder;
        if self.lent_id.is_some() {
            last_event_id.clear();
            last_event_id.push_str(&utf8::text(self.lent_id.of(self.bytes)));
        }
        let last = self.bytes.last()?;
        let start = lines.offset + self.cursor.line as u64;
        lines.line_start = start;
        lines.offset += self.bytes.len() as u64;
        let rest = &self.bytes[self.cursor.line..];
        lines.left = match rest {
            [] if *last == b'\r' => Left::Cr,
            [] => Left::Nothing,
            _ if block.dropped => Left::Skipped,
            _ if rest.len() > limits.line_bytes => return self.too_long(start),
            rest => match data_value(rest) {
                Some(value) if !INSPECT => {
                    block.begin_line(start, value);
                    Left::Data
                }
                _ => {
                    lines.carried.clear();
                    lines.carried.push(rest);
                    Left::Line
                }
            },
        };
        None
    }
}

/// The value so far of a line that is cut, if it is a data line. If nothing follows the colon yet,
/// a space that does not count may come.
fn data_value(line: &[u8]) -> Option<&[u8]> {
    match line.strip_prefix(b"data:")? {
        [] => None,
        [b' ', value @ ..] | value => Some(value),
    }
}
