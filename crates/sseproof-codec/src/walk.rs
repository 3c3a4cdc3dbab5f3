//! The steps from the lines of a chunk to its items.
//!
//! Both ways to read a chunk take the same steps: with `INSPECT` every item is handed out, without
//! it only the events, and nothing else is computed.
//!
//! Most blocks lie in one chunk and have one line of data. They are lent from the chunk, and kept
//! in registers ([`Found`]). All others go through the buffers of the block: lines that the end of
//! the chunk cuts (`cut`), a second line of data, and rare lines (`line`).

mod cut;
mod line;

use alloc::borrow::Cow;
use core::mem;

use crate::decoder::Decoder;
use crate::lines::Left;
use crate::scan::Cursor;
use crate::touched::touch;
use crate::utf8;
use crate::{AnomalyKind, EmptyBlock, Event, Item, Retry, Span};
use line::{Part, Suspect, is_suspect};

/// How much of a chunk is checked for invalid UTF-8 in one pass: as much as stays in the nearest
/// cache until its lines are read.
const WINDOW: usize = 16 << 10;

/// A chunk that is being read.
#[derive(Debug)]
pub(crate) struct Walk<'a, const INSPECT: bool> {
    decoder: &'a mut Decoder,
    bytes: &'a [u8],
    cursor: Cursor,
    is_open: bool,
    pub(crate) is_over: bool,
    sound: Checked<'a>,
    /// The last event ID, if a block that lies in this chunk has set it.
    lent_id: Value,
    /// The latest event.
    dispatched: Dispatched,
    /// A line with invalid bytes, which are reported before the item of the line.
    suspect: Option<Suspect<'a>>,
}

/// The fields since the last blank line, if all of them lie in the chunk.
#[derive(Clone, Copy)]
struct Found {
    /// Where in the chunk the first field line starts, if there was one.
    start: usize,
    data: Value,
    event_type: Value,
    id: Value,
}

/// Where in the chunk the value of a field lies.
///
/// A name precedes it, so `from` is 0 if there is no value. An [`Option`] says the same, but takes
/// more room in the registers.
#[derive(Clone, Copy, Debug)]
struct Value {
    from: usize,
    to: usize,
}

/// A part of the chunk that was checked for invalid UTF-8: one check of many values is faster.
#[derive(Clone, Copy, Debug, Default)]
struct Checked<'a> {
    start: usize,
    end: usize,
    /// The part, unless it has invalid bytes.
    text: Option<&'a str>,
}

/// An item before it borrows, so that the decoder can still change.
#[derive(Debug)]
enum Pending<'a> {
    /// It is [`Walk::dispatched`].
    Event,
    Comment {
        text: Part<'a>,
        span: Span,
    },
    UnknownField {
        name: Part<'a>,
        value: Part<'a>,
        has_colon: bool,
        span: Span,
    },
    Retry(Retry),
    EmptyBlock(EmptyBlock),
    Anomaly(AnomalyKind, Span),
}

/// An event before it borrows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dispatched {
    /// The data, if the chunk lends it; otherwise the block has it.
    lent_data: Value,
    /// The event type, if the chunk lends it; otherwise the block has it, if there is one.
    lent_type: Value,
    sets_id: bool,
    span: Span,
}

impl<'a> Walk<'a, false> {
    /// Moves to the next event, which [`Walk::event`] gives, or to the end of the chunk.
    pub(crate) fn next_event(&mut self) -> bool {
        self.step().is_some()
    }
}

impl<'a> Walk<'a, true> {
    /// The next item, or `None` when the chunk is used up.
    pub(crate) fn next_item(&mut self) -> Option<Item<'_>> {
        if self.is_over && self.suspect.is_none() {
            return None;
        }
        let seen = self.step()?;
        Some(self.item(seen))
    }
}

impl<'a, const INSPECT: bool> Walk<'a, INSPECT> {
    #[inline(always)]
    pub(crate) const fn new(decoder: &'a mut Decoder, bytes: &'a [u8]) -> Self {
        Self {
            decoder,
            bytes,
            cursor: Cursor::new(),
            is_open: false,
            is_over: false,
            sound: Checked { start: 0, end: 0, text: None },
            lent_id: Value::NONE,
            dispatched: Dispatched {
                lent_data: Value::NONE,
                lent_type: Value::NONE,
                sets_id: false,
                span: Span::new(0, 0),
            },
            suspect: None,
        }
    }

    #[inline(always)]
    fn step(&mut self) -> Option<Pending<'a>> {
        if self.decoder.block.dispatched {
            self.decoder.block.clear();
        }
        if INSPECT && let Some(suspect) = self.suspect.take() {
            let seen = self.check(suspect);
            if seen.is_some() {
                return seen;
            }
        }
        if !mem::replace(&mut self.is_open, true) {
            let seen = match self.decoder.lines.left {
                Left::Data => self.go_on_with_data(),
                left => self.open(left),
            };
            if seen.is_some() {
                return seen;
            }
        }
        if self.is_over { None } else { self.next_line() }
    }

    /// Reads the lines up to the next one that gives an item.
    #[inline(always)]
    fn next_line(&mut self) -> Option<Pending<'a>> {
        let bytes = self.bytes;
        let line_bytes = self.decoder.limits.line_bytes;
        let ample = self.decoder.ample;
        let mut cursor = self.cursor;
        let mut found = Found::NOTHING;
        loop {
            let Some(line) = cursor.next_line(bytes) else {
                self.cursor = cursor;
                self.keep(&mut found);
                return self.leave();
            };
            let content = &bytes[line.clone()];
            let value = |name: usize| {
                let space = usize::from(content.get(name) == Some(&b' '));
                Value { from: line.start + name + space, to: line.end }
            };
            let is_open = self.decoder.block.is_open();
            match content {
                [] if is_open => {
                    let end = self.decoder.lines.offset + line.start as u64 + 1;
                    if let Some(seen) = self.dispatch(end) {
                        self.cursor = cursor;
                        return Some(seen);
                    }
                    continue;
                }
                [] => {
                    if found.is_nothing() {
                        continue;
                    }
                    if let Some(seen) = self.dispatch_found(found, line.start + 1) {
                        self.cursor = cursor;
                        return Some(seen);
                    }
                    found = Found::NOTHING;
                    continue;
                }
                _ if content.len() > line_bytes || INSPECT && is_suspect(content) => {}
                [b':', ..] if !INSPECT => continue,
                _ if content.starts_with(b"data:") => {
                    let value = value(5);
                    let len = value.to - value.from;
                    if !is_open && !found.data.is_some() && len <= ample {
                        found.start = found.start.min(line.start);
                        found.data = value;
                        continue;
                    }
                    self.keep(&mut found);
                    let block = &mut self.decoder.block;
                    if block.has_data && block.data.len() + len <= ample {
                        // Not an inclusive range, whose checks are not inlined.
                        let end = value.to + 1;
                        block.push_ended_line(&bytes[value.from..end]);
                        continue;
                    }
                }
                [b'i', b'd', b':', rest @ ..] if !is_open && !rest.contains(&0) => {
                    found.start = found.start.min(line.start);
                    found.id = value(3);
                    continue;
                }
                [b'e', b'v', b'e', b'n', b't', b':', ..] if !is_open => {
                    found.start = found.start.min(line.start);
                    found.event_type = value(6);
                    continue;
                }
                _ => {}
            }
            self.keep(&mut found);
            if let Some(seen) = self.take(line) {
                self.cursor = cursor;
                return Some(seen);
            }
        }
    }

    /// Moves the fields of a block in the chunk to the buffers.
    #[inline(always)]
    fn keep(&mut self, found: &mut Found) {
        if !found.is_nothing() {
            self.keep_found(*found);
            *found = Found::NOTHING;
        }
    }

    #[inline(never)]
    fn keep_found(&mut self, found: Found) {
        let Decoder { block, lines, .. } = &mut *self.decoder;
        block.start = Some(lines.offset + found.start as u64);
        if found.data.is_some() {
            block.push_line(found.data.of(self.bytes));
        }
        if found.event_type.is_some() {
            block.set_event_type(found.event_type.of(self.bytes));
        }
        if found.id.is_some() {
            block.set_id(found.id.of(self.bytes));
        }
    }

    /// Ends a block that lies in the chunk.
    #[inline(always)]
    fn dispatch_found(&mut self, found: Found, end: usize) -> Option<Pending<'a>> {
        let Found { start, data: lent_data, event_type: lent_type, id } = found;
        let sets_id = id.is_some();
        if sets_id {
            self.lent_id = id;
        }
        if end > self.sound.end {
            self.sound = Checked::of(self.bytes, start, end);
        }
        let offset = self.decoder.lines.offset;
        let span = Span::new(offset + start as u64, offset + end as u64);
        if lent_data.is_some() {
            self.dispatched = Dispatched { lent_data, lent_type, sets_id, span };
            return Some(Pending::Event);
        }
        let sets_event = lent_type.from < lent_type.to;
        INSPECT.then_some(Pending::EmptyBlock(EmptyBlock { sets_id, sets_event, span }))
    }

    /// Ends a block at a blank line: its id counts from now on, with data or without, and only data
    /// makes an event (`whatwg-sse/dispatch-id`, `whatwg-sse/dispatch-no-data`).
    #[inline(always)]
    fn dispatch(&mut self, end: u64) -> Option<Pending<'a>> {
        let Decoder { block, last_event_id, .. } = &mut *self.decoder;
        let Some(start) = block.start else {
            block.clear();
            return None;
        };
        let span = Span::new(start, end);
        let sets_id = block.sets_id;
        if sets_id {
            self.lent_id = Value::NONE;
            mem::swap(last_event_id, &mut block.id);
        }
        if block.has_data {
            block.data.seal();
            block.dispatched = true;
            let (lent_data, lent_type) = (Value::NONE, Value::NONE);
            self.dispatched = Dispatched { lent_data, lent_type, sets_id, span };
            return Some(Pending::Event);
        }
        let sets_event = !block.event_type.is_empty();
        let is_reported = INSPECT && block.has_other_field;
        block.clear();
        is_reported.then_some(Pending::EmptyBlock(EmptyBlock { sets_id, sets_event, span }))
    }

    /// The latest event.
    #[inline(always)]
    pub(crate) fn event(&self) -> Event<'_> {
        let Decoder { block, last_event_id, .. } = &*self.decoder;
        let Dispatched { lent_data, lent_type, sets_id, span } = self.dispatched;
        let data = match lent_data.is_some() {
            true => self.sound.lend(lent_data),
            false => block.data.lines(),
        };
        let event_type = match lent_type.is_some() {
            true => self.sound.lend(lent_type),
            false => Some(&*block.event_type),
        };
        let last_event_id = match self.lent_id.is_some() {
            true => self.sound.lend(self.lent_id),
            false => Some(&**last_event_id),
        };
        let (Some(data), Some(event_type), Some(last_event_id)) = (data, event_type, last_event_id)
        else {
            return self.lossy_event();
        };
        Event {
            event_type: Cow::Borrowed(if event_type.is_empty() { "message" } else { event_type }),
            data: Cow::Borrowed(data),
            last_event_id: Cow::Borrowed(last_event_id),
            sets_id,
            span,
        }
    }

    /// The latest event, if not all of it is known to be UTF-8.
    #[cold]
    fn lossy_event(&self) -> Event<'_> {
        let Decoder { block, last_event_id, .. } = &*self.decoder;
        let Dispatched { lent_data, lent_type, sets_id, span } = self.dispatched;
        let lend = |value: Value| value.is_some().then(|| utf8::text(value.of(self.bytes)));
        let event_type = lend(lent_type).unwrap_or(Cow::Borrowed(&block.event_type));
        let message = Cow::Borrowed("message");
        Event {
            event_type: if event_type.is_empty() { message } else { event_type },
            data: lend(lent_data).unwrap_or_else(|| block.data.lossy_lines()),
            last_event_id: lend(self.lent_id).unwrap_or(Cow::Borrowed(last_event_id)),
            sets_id,
            span,
        }
    }
}

impl Found {
    const NOTHING: Self =
        Self { start: usize::MAX, data: Value::NONE, event_type: Value::NONE, id: Value::NONE };

    #[inline(always)]
    const fn is_nothing(&self) -> bool {
        self.start == usize::MAX
    }
}

impl Value {
    const NONE: Self = Self { from: 0, to: 0 };

    #[inline(always)]
    const fn is_some(self) -> bool {
        self.from > 0
    }

    #[inline(always)]
    fn of(self, bytes: &[u8]) -> &[u8] {
        &bytes[self.from..self.to]
    }
}

impl<'a> Checked<'a> {
    /// Checks the bytes between two places of the chunk, and some after them.
    #[inline(never)]
    fn of(bytes: &'a [u8], start: usize, end: usize) -> Self {
        let end = bytes.len().min(end.max(start + WINDOW));
        let end = start + utf8::whole_characters(&bytes[start..end]);
        touch(end - start);
        Self { start, end, text: simdutf8::basic::from_utf8(&bytes[start..end]).ok() }
    }

    /// A value as text, if it was checked and is UTF-8.
    #[inline(always)]
    fn lend(&self, value: Value) -> Option<&'a str> {
        let place = value.from.wrapping_sub(self.start)..value.to.wrapping_sub(self.start);
        self.text?.get(place)
    }
}
