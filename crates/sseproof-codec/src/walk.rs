//! What a chunk says: the steps from a line to what is handed out.
//!
//! Both ways to read a chunk take the same steps: with `INSPECT` everything that was seen is handed
//! out, without it only the events, and nothing is spent on the rest.
//!
//! Most blocks lie in one chunk and have one line of data. What they set is lent from the chunk, and
//! kept in registers ([`Found`]). All else goes through the buffers of the block: what the end of
//! the chunk cuts, a second line of data, and lines that are rare.

use alloc::borrow::Cow;
use core::mem;
use core::ops::Range;

use crate::decoder::Decoder;
use crate::field::{self, Field, FieldKind, Parsed};
use crate::lines::{BOM, Left, Lines};
use crate::scan::Cursor;
use crate::touched::touch;
use crate::utf8;
use crate::{Anomaly, AnomalyKind, Comment, EmptyBlock, Event, Item, Retry, Span, UnknownField};

/// How much of a chunk is looked at in one go for bytes that are not UTF-8: as much as stays in the
/// nearest cache until its lines are taken.
const WINDOW: usize = 16 << 10;

/// A chunk that is being read.
#[derive(Debug)]
pub(crate) struct Walk<'a, const INSPECT: bool> {
    decoder: &'a mut Decoder,
    bytes: &'a [u8],
    cursor: Cursor,
    is_open: bool,
    pub(crate) is_over: bool,
    sound: Sound<'a>,
    /// The last event ID, where a block that lies in this chunk has set it.
    lent_id: Value,
    /// The event that was seen last.
    dispatched: Dispatched,
    /// A line with bytes that are wrong, which are reported before what the line means.
    suspect: Option<Suspect<'a>>,
}

/// What the lines since the last blank line have set, if all of them lie in the chunk.
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
/// There is a name before it, so `from` is 0 where there is no value. An [`Option`] says the same, but
/// takes more room in the registers.
#[derive(Clone, Copy, Debug)]
struct Value {
    from: usize,
    to: usize,
}

/// A part of the chunk that was looked at for bytes that are not UTF-8: it is quicker to look at many
/// values in one go.
#[derive(Clone, Copy, Debug, Default)]
struct Sound<'a> {
    start: usize,
    end: usize,
    /// The part, unless something is wrong with it.
    text: Option<&'a str>,
}

/// A complete line that is not blank, without its line end.
#[derive(Clone, Copy, Debug)]
enum Line<'a> {
    /// It lies in the chunk.
    Chunk(&'a [u8]),
    /// It came in pieces, and is [`Lines::carried`].
    Carried,
}

/// A line with bytes that are wrong.
#[derive(Clone, Copy, Debug)]
struct Suspect<'a> {
    start: u64,
    line: Line<'a>,
    /// What is wrong up to here was reported.
    checked: usize,
}

/// A part of a line, which an item will borrow.
#[derive(Clone, Debug)]
enum Part<'a> {
    Chunk(&'a [u8]),
    /// A range of [`Lines::carried`].
    Carried(Range<usize>),
}

/// An item before it borrows, so that the decoder can still change.
#[derive(Debug)]
enum Seen<'a> {
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
    /// The data, where the chunk lends it; otherwise the block has it.
    lent_data: Value,
    /// The event type, where the chunk lends it; otherwise the block has it, if there is one.
    lent_type: Value,
    sets_id: bool,
    span: Span,
}

impl<'a> Walk<'a, false> {
    /// Goes on to the next event, which [`Walk::event`] shows, or to the end of the chunk.
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
            sound: Sound { start: 0, end: 0, text: None },
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
    fn step(&mut self) -> Option<Seen<'a>> {
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

    /// Takes the lines up to the next one that hands something out.
    #[inline(always)]
    fn next_line(&mut self) -> Option<Seen<'a>> {
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

    /// Takes in the beginning of the chunk, where it does not go on with a data line.
    #[inline(always)]
    fn open(&mut self, left: Left) -> Option<Seen<'a>> {
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

    /// Goes on with what the chunk before has left, save data.
    #[inline(never)]
    fn go_on(&mut self, left: Left) -> Option<Seen<'a>> {
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

    /// The whole chunk belongs to the line that the chunk before has left.
    #[inline(always)]
    fn pass(&mut self) {
        self.is_over = true;
        self.decoder.lines.offset += self.bytes.len() as u64;
    }

    /// Takes the rest of a line that came in pieces, or as much of it as is there.
    fn go_on_with_line(&mut self) -> Option<Seen<'a>> {
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

    /// Takes the rest of a data line that came in pieces, or as much of it as is there.
    #[inline(always)]
    fn go_on_with_data(&mut self) -> Option<Seen<'a>> {
        // One of its own stays in registers.
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

    /// Keeps what is needed of the chunk, which is about to go away.
    #[inline(always)]
    fn leave(&mut self) -> Option<Seen<'a>> {
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

    /// Moves what was found of a block to the buffers.
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
    fn dispatch_found(&mut self, found: Found, end: usize) -> Option<Seen<'a>> {
        let Found { start, data: lent_data, event_type: lent_type, id } = found;
        let sets_id = id.is_some();
        if sets_id {
            self.lent_id = id;
        }
        if end > self.sound.end {
            self.sound = Sound::of(self.bytes, start, end);
        }
        let offset = self.decoder.lines.offset;
        let span = Span::new(offset + start as u64, offset + end as u64);
        if lent_data.is_some() {
            self.dispatched = Dispatched { lent_data, lent_type, sets_id, span };
            return Some(Seen::Event);
        }
        let sets_event = lent_type.from < lent_type.to;
        INSPECT.then_some(Seen::EmptyBlock(EmptyBlock { sets_id, sets_event, span }))
    }

    /// Ends a block at a blank line: its id counts from now on, with data or without, and only
    /// data makes an event (`whatwg-sse/dispatch-id`, `whatwg-sse/dispatch-no-data`).
    #[inline(always)]
    fn dispatch(&mut self, end: u64) -> Option<Seen<'a>> {
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
            return Some(Seen::Event);
        }
        let sets_event = !block.event_type.is_empty();
        let is_told = INSPECT && block.has_other_field;
        block.clear();
        is_told.then_some(Seen::EmptyBlock(EmptyBlock { sets_id, sets_event, span }))
    }

    /// Takes a line of the chunk, whatever it is.
    #[inline(never)]
    fn take(&mut self, line: Range<usize>) -> Option<Seen<'a>> {
        let start = self.decoder.lines.offset + line.start as u64;
        if self.decoder.block.dropped {
            return None;
        }
        if line.len() > self.decoder.limits.line_bytes {
            return self.too_long(start);
        }
        self.admit(start, Line::Chunk(&self.bytes[line]))
    }

    /// Takes a line that counts.
    fn admit(&mut self, start: u64, line: Line<'a>) -> Option<Seen<'a>> {
        if INSPECT && is_suspect(line.bytes(&self.decoder.lines)) {
            return self.check(Suspect { start, line, checked: 0 });
        }
        self.interpret(start, line)
    }

    /// Reports the next thing that is wrong with the bytes of a line, or else takes it.
    fn check(&mut self, suspect: Suspect<'a>) -> Option<Seen<'a>> {
        let Suspect { start, line, checked } = suspect;
        let bytes = line.bytes(&self.decoder.lines);
        // The BOM of the stream is gone already, so another one becomes a part of a field name.
        if checked == 0 && bytes.starts_with(&BOM) {
            self.suspect = Some(Suspect { checked: BOM.len(), ..suspect });
            return self.anomaly(AnomalyKind::BomNotAtStart, span(start, 0..BOM.len()));
        }
        if let Some(run) = utf8::invalid_run(bytes, checked) {
            self.suspect = Some(Suspect { checked: run.end, ..suspect });
            return self.anomaly(AnomalyKind::InvalidUtf8, span(start, run));
        }
        self.interpret(start, line)
    }

    fn interpret(&mut self, start: u64, line: Line<'a>) -> Option<Seen<'a>> {
        let Decoder { lines, block, .. } = &mut *self.decoder;
        let bytes = line.bytes(lines);
        let span = span(start, 0..bytes.len());
        let field = match field::parse::<INSPECT>(bytes) {
            Parsed::Comment => {
                let text = line.part(1..bytes.len());
                return INSPECT.then_some(Seen::Comment { text, span });
            }
            Parsed::Field(field) => field,
        };
        block.start.get_or_insert(start);
        match field.kind {
            FieldKind::Data => self.append_data(span, line, field.value),
            FieldKind::Event => {
                block.set_event_type(&bytes[field.value]);
                None
            }
            FieldKind::Id => self.set_id(start, line, field.value),
            FieldKind::Retry => self.set_retry(span, line, field.value),
            FieldKind::Unknown => {
                let Field { name, value, has_colon, .. } = field;
                let (name, value) = (line.part(name), line.part(value));
                INSPECT.then_some(Seen::UnknownField { name, value, has_colon, span })
            }
        }
    }

    /// Appends a line to the data buffer (`whatwg-sse/field-data`).
    fn append_data(&mut self, of: Span, line: Line<'a>, value: Range<usize>) -> Option<Seen<'a>> {
        let Decoder { block, lines, limits, .. } = &mut *self.decoder;
        let value = &line.bytes(lines)[value];
        if block.len_with(value) > limits.event_bytes {
            return self.too_large(of.start, of.end);
        }
        block.push_line(value);
        None
    }

    /// Sets the last event ID buffer, unless the value has a NUL (`whatwg-sse/field-id`,
    /// `whatwg-sse/field-id-nul`).
    fn set_id(&mut self, start: u64, line: Line<'a>, value: Range<usize>) -> Option<Seen<'a>> {
        let Decoder { block, lines, .. } = &mut *self.decoder;
        block.has_other_field = true;
        let bytes = line.bytes(lines);
        if let Some(nul) = memchr::memchr(0, &bytes[value.clone()]) {
            let nul = value.start + nul;
            return self.anomaly(AnomalyKind::NulInId, span(start, nul..nul + 1));
        }
        block.set_id(&bytes[value]);
        None
    }

    /// Sets the reconnection time at once (`whatwg-sse/field-retry`).
    fn set_retry(&mut self, of: Span, line: Line<'a>, value: Range<usize>) -> Option<Seen<'a>> {
        let Decoder { block, lines, reconnection_time, .. } = &mut *self.decoder;
        block.has_other_field = true;
        let Some(millis) = field::parse_retry(&line.bytes(lines)[value.clone()]) else {
            return self.anomaly(AnomalyKind::RetryNotDigits, span(of.start, value));
        };
        *reconnection_time = Some(millis);
        INSPECT.then_some(Seen::Retry(Retry { millis, span: of }))
    }

    /// The line has passed the limit. What is left of it is skipped, with its block.
    #[cold]
    fn too_long(&mut self, start: u64) -> Option<Seen<'a>> {
        let Decoder { block, lines, limits, .. } = &mut *self.decoder;
        if self.is_over {
            lines.left = Left::Skipped;
        }
        block.drop_rest();
        let end = start.saturating_add(limits.line_bytes as u64).saturating_add(1);
        self.anomaly(AnomalyKind::LineTooLong, Span::new(start, end))
    }

    /// The block has passed the limit with the line between these offsets.
    #[cold]
    fn too_large(&mut self, line_start: u64, line_end: u64) -> Option<Seen<'a>> {
        let block = &mut self.decoder.block;
        let start = block.start.unwrap_or(line_start);
        block.drop_rest();
        self.anomaly(AnomalyKind::EventTooLarge, Span::new(start, line_end))
    }

    #[inline(always)]
    fn anomaly(&self, kind: AnomalyKind, span: Span) -> Option<Seen<'a>> {
        INSPECT.then_some(Seen::Anomaly(kind, span))
    }

    /// The event that was seen last.
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
            return self.mended_event();
        };
        Event {
            event_type: Cow::Borrowed(if event_type.is_empty() { "message" } else { event_type }),
            data: Cow::Borrowed(data),
            last_event_id: Cow::Borrowed(last_event_id),
            sets_id,
            span,
        }
    }

    /// The event that was seen last, where not everything in it is known to be UTF-8.
    #[cold]
    fn mended_event(&self) -> Event<'_> {
        let Decoder { block, last_event_id, .. } = &*self.decoder;
        let Dispatched { lent_data, lent_type, sets_id, span } = self.dispatched;
        let lend = |value: Value| value.is_some().then(|| utf8::text(value.of(self.bytes)));
        let event_type = lend(lent_type).unwrap_or(Cow::Borrowed(&block.event_type));
        let message = Cow::Borrowed("message");
        Event {
            event_type: if event_type.is_empty() { message } else { event_type },
            data: lend(lent_data).unwrap_or_else(|| block.data.mended_lines()),
            last_event_id: lend(self.lent_id).unwrap_or(Cow::Borrowed(last_event_id)),
            sets_id,
            span,
        }
    }

    fn item(&self, seen: Seen<'a>) -> Item<'_> {
        let text = |part| {
            utf8::text(match part {
                Part::Chunk(bytes) => bytes,
                Part::Carried(range) => &self.decoder.lines.carried.as_bytes()[range],
            })
        };
        match seen {
            Seen::Event => Item::Event(self.event()),
            Seen::Comment { text: part, span } => Item::Comment(Comment { text: text(part), span }),
            Seen::UnknownField { name, value, has_colon, span } => {
                let (name, value) = (text(name), text(value));
                Item::UnknownField(UnknownField { name, value, has_colon, span })
            }
            Seen::Retry(retry) => Item::Retry(retry),
            Seen::EmptyBlock(block) => Item::EmptyBlock(block),
            Seen::Anomaly(kind, span) => Item::Anomaly(Anomaly { kind, span }),
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

impl<'a> Sound<'a> {
    /// Looks at the block between two places of the chunk, and at what follows it.
    #[inline(never)]
    fn of(bytes: &'a [u8], start: usize, end: usize) -> Self {
        let end = bytes.len().min(end.max(start + WINDOW));
        let end = start + utf8::whole_characters(&bytes[start..end]);
        touch(end - start);
        Self { start, end, text: simdutf8::basic::from_utf8(&bytes[start..end]).ok() }
    }

    /// A value as text, if it was looked at and is text.
    #[inline(always)]
    fn lend(&self, value: Value) -> Option<&'a str> {
        let place = value.from.wrapping_sub(self.start)..value.to.wrapping_sub(self.start);
        self.text?.get(place)
    }
}

impl<'a> Line<'a> {
    #[inline(always)]
    fn bytes<'t>(self, lines: &'t Lines) -> &'t [u8]
    where
        'a: 't,
    {
        match self {
            Self::Chunk(bytes) => bytes,
            Self::Carried => lines.carried.as_bytes(),
        }
    }

    fn part(self, range: Range<usize>) -> Part<'a> {
        match self {
            Self::Chunk(bytes) => Part::Chunk(&bytes[range]),
            Self::Carried => Part::Carried(range),
        }
    }
}

/// Whether there is something to report about the bytes of the line.
fn is_suspect(line: &[u8]) -> bool {
    line.starts_with(&BOM) || !utf8::is_text(line)
}

/// What has come of the value of a line that is cut, if it is a data line. With nothing behind the
/// colon, a space may follow that does not count.
fn data_value(line: &[u8]) -> Option<&[u8]> {
    match line.strip_prefix(b"data:")? {
        [] => None,
        [b' ', value @ ..] | value => Some(value),
    }
}

/// A part of a line, as a span of the stream.
fn span(start: u64, range: Range<usize>) -> Span {
    Span::new(start + range.start as u64, start + range.end as u64)
}
