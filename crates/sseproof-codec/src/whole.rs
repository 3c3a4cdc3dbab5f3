//! Whole blocks that lie in one chunk, which is the way that most events come.
//!
//! Such a block needs no buffers: what it sets is lent from the chunk, and kept in registers. Where
//! a line is rare or the chunk ends, what was found so far goes to the buffers of the decoder, and
//! `walk` takes it from there, line by line.

use crate::Decoder;
use crate::lines::{Scanned, span};
use crate::walk::{Dispatched, Seen, Walk};

/// What the lines since the last blank line have set.
#[derive(Clone, Copy, Default)]
struct Found<'a> {
    /// Where in the chunk the first field line starts.
    start: Option<usize>,
    data: Option<&'a str>,
    /// There is more than one data line, and they are in the data buffer of the block.
    is_joined: bool,
    event_type: Option<&'a str>,
    id: Option<&'a str>,
}

impl<'a> Walk<'a, false> {
    /// The next event, or `None` when the chunk is used up.
    pub(crate) fn next_event(&mut self) -> Option<Dispatched<'a>> {
        if self.is_whole || self.make_whole() { self.next_whole() } else { self.next_in_pieces() }
    }

    /// Whether the next block begins in this chunk, and the chunk is text.
    #[inline(never)]
    fn make_whole(&mut self) -> bool {
        if !self.chunk.is_open {
            self.open();
        }
        let Decoder { lines, block, .. } = &mut *self.decoder;
        if block.dispatched {
            block.clear();
        }
        let is_whole = self.chunk.text.is_some() && !self.chunk.continues && block.is_empty();
        self.is_whole = is_whole && !self.chunk.over;
        if self.is_whole {
            lines.recycle();
        }
        self.is_whole
    }

    /// The next event, of which something was in an earlier chunk, or is rare.
    #[inline(never)]
    fn next_in_pieces(&mut self) -> Option<Dispatched<'a>> {
        self.is_whole = false;
        if self.chunk.over {
            return None;
        }
        while let Some(scanned) = self.decoder.lines.next(&mut self.chunk) {
            // Nothing but events is handed out here.
            if let Some(Seen::Event(event)) = self.take(scanned) {
                return Some(event);
            }
        }
        if !self.begin_data()
            && let Some(too_long) = self.decoder.lines.keep_rest(&mut self.chunk)
        {
            self.take(too_long);
        }
        self.keep_lent_data();
        if let Some(id) = self.lent_id.take() {
            let last_event_id = &mut self.decoder.last_event_id;
            last_event_id.clear();
            last_event_id.push(id);
        }
        None
    }

    #[inline(always)]
    fn next_whole(&mut self) -> Option<Dispatched<'a>> {
        let text = self.chunk.text.unwrap_or_default();
        let limits = self.decoder.limits;
        let mut cursor = self.chunk.cursor;
        let mut found = Found::default();
        loop {
            let Some(line) = cursor.next_line(text.as_bytes()) else {
                self.chunk.cursor = cursor;
                self.leave(found);
                return self.next_in_pieces();
            };
            let bytes = &text.as_bytes()[line.clone()];
            let value = |name: usize| {
                let space = usize::from(bytes.get(name) == Some(&b' '));
                &text[line.start + name + space..line.end]
            };
            match bytes {
                [] => {
                    let Some(start) = found.start.take() else { continue };
                    if found.id.is_some() {
                        self.lent_id = found.id;
                    }
                    if found.data.is_none() && !found.is_joined {
                        found = Found::default();
                        continue;
                    }
                    self.chunk.cursor = cursor;
                    if found.is_joined {
                        self.decoder.block.dispatched = true;
                        self.is_whole = false;
                    }
                    return Some(Dispatched {
                        lent_data: found.data,
                        lent_type: found.event_type,
                        sets_id: found.id.is_some(),
                        span: span(self.decoder.lines.offset(), start..line.start + 1),
                    });
                }
                _ if bytes.len() > limits.line_bytes => {}
                [b':', ..] => continue,
                [b'd', b'a', b't', b'a', b':', ..] => {
                    let value = value(5);
                    if !found.is_joined && found.data.is_none() && value.len() <= limits.event_bytes
                    {
                        found.start.get_or_insert(line.start);
                        found.data = Some(value);
                        continue;
                    }
                    if self.join(&mut found, value) {
                        continue;
                    }
                }
                [b'i', b'd', b':', ..] if !cursor.has_nul => {
                    found.start.get_or_insert(line.start);
                    found.id = Some(value(3));
                    continue;
                }
                [b'e', b'v', b'e', b'n', b't', b':', ..] => {
                    found.start.get_or_insert(line.start);
                    found.event_type = Some(value(6));
                    continue;
                }
                _ => {}
            }
            self.chunk.cursor = cursor;
            self.leave(found);
            let start = self.decoder.lines.offset() + line.start as u64;
            self.take(match bytes.len() > limits.line_bytes {
                true => Scanned::TooLong { start },
                false => Scanned::Text { start, text: &text[line] },
            });
            return self.next_in_pieces();
        }
    }

    /// Appends another line of data, unless it is too much.
    #[inline(always)]
    fn join(&mut self, found: &mut Found<'a>, value: &str) -> bool {
        let limit = self.decoder.limits.event_bytes;
        let block = &mut self.decoder.block;
        if let Some(first) = found.data.take() {
            found.is_joined = true;
            block.push_line(first);
        }
        if !found.is_joined || block.data_len() + value.len() > limit {
            return false;
        }
        block.push_line(value);
        true
    }

    /// Leaves what was found of a block to those who go on with it.
    fn leave(&mut self, found: Found<'a>) {
        let block = &mut self.decoder.block;
        if let Some(start) = found.start {
            block.start = Some(self.decoder.lines.offset() + start as u64);
        }
        block.has_data = found.is_joined || found.data.is_some();
        self.lent_data = found.data;
        if let Some(event_type) = found.event_type {
            block.set_event_type(event_type);
        }
        if let Some(id) = found.id {
            block.set_id(id);
        }
    }

    /// A data line that is not complete goes to the data at once, so that its bytes are moved only
    /// once however many chunks it has.
    #[inline(always)]
    fn begin_data(&mut self) -> bool {
        let Decoder { lines, block, limits, .. } = &mut *self.decoder;
        let (Some(text), false) = (self.chunk.text, self.chunk.continues || block.dropped) else {
            return false;
        };
        let rest = text.get(self.chunk.cursor.line..).unwrap_or_default();
        let Some(value) = rest.strip_prefix("data:") else { return false };
        let value = value.strip_prefix(' ').unwrap_or(value);
        // With nothing behind the colon, a space may follow that does not count.
        if rest.len() == 5 || rest.len() > limits.line_bytes {
            return false;
        }
        if let Some(lent) = self.lent_data.take() {
            block.push_line(lent);
        }
        block.data.push(value);
        block.has_data = true;
        block.in_data = true;
        block.start.get_or_insert(lines.offset() + self.chunk.cursor.line as u64);
        let cut = &self.chunk.bytes[text.len()..];
        lines.keep_data(&mut self.chunk, cut);
        true
    }
}
