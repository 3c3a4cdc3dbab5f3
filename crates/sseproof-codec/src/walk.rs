//! What a chunk says: the steps from a line to what is handed out.
//!
//! Both ways to read a chunk take the same steps: with `INSPECT` everything that was seen is handed
//! out, without it only the events, and nothing is spent on the rest.

use alloc::borrow::Cow;
use core::mem;
use core::ops::Range;

use crate::buffer::Buffer;
use crate::decoder::Decoder;
use crate::field::{self, Field, FieldKind, Parsed};
use crate::lines::{BOM, Chunk, Lines, Scanned, span};
use crate::utf8::{invalid_run, is_cut};
use crate::{Anomaly, AnomalyKind, Comment, EmptyBlock, Event, Item, Retry, Span, UnknownField};

/// A chunk that is being read.
#[derive(Debug)]
pub(crate) struct Walk<'a, const INSPECT: bool> {
    pub(crate) decoder: &'a mut Decoder,
    pub(crate) chunk: Chunk<'a>,
    /// The only data line so far of the current block, if it lies in this chunk.
    pub(crate) lent_data: Option<&'a str>,
    /// The last event ID, where a block that lies in this chunk has set it.
    pub(crate) lent_id: Option<&'a str>,
    /// Whether the next block can be taken whole.
    pub(crate) is_whole: bool,
    stage: Stage<'a>,
}

/// What the next step has to do.
#[derive(Clone, Copy, Debug)]
enum Stage<'a> {
    /// Take in the chunk.
    Open,
    Scan,
    /// Report what is wrong with the bytes of this line, from its byte `checked` on.
    Check {
        start: u64,
        checked: usize,
    },
    /// Interpret this line.
    Interpret {
        start: u64,
        text: Text<'a>,
    },
}

/// The text of a whole line.
#[derive(Clone, Copy, Debug)]
enum Text<'a> {
    /// It lies in the chunk.
    Chunk(&'a str),
    /// It is [`Lines::carried`], with the very bytes of the line.
    Carried,
    /// It is [`Lines::carried`], with U+FFFD in place of what is not UTF-8; the bytes of the line
    /// are [`Lines::odd`].
    Mended,
}

/// A part of the text of a line, which an item will borrow.
#[derive(Clone, Debug)]
pub(crate) enum Part<'a> {
    Chunk(&'a str),
    /// A range of [`Lines::carried`].
    Carried(Range<usize>),
}

/// An item before it borrows, so that the decoder can still change.
#[derive(Debug)]
pub(crate) enum Seen<'a> {
    Event(Dispatched<'a>),
    Comment { text: Part<'a>, span: Span },
    UnknownField { name: Part<'a>, value: Part<'a>, has_colon: bool, span: Span },
    Retry(Retry),
    EmptyBlock(EmptyBlock),
    Anomaly(AnomalyKind, Span),
}

/// An event before it borrows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dispatched<'a> {
    /// The data, where the chunk lends it; otherwise the block has it.
    pub(crate) lent_data: Option<&'a str>,
    /// The event type, where the chunk lends it; otherwise the block has it, if there is one.
    pub(crate) lent_type: Option<&'a str>,
    pub(crate) sets_id: bool,
    pub(crate) span: Span,
}

impl<'a, const INSPECT: bool> Walk<'a, INSPECT> {
    #[inline(always)]
    pub(crate) const fn new(decoder: &'a mut Decoder, bytes: &'a [u8]) -> Self {
        let (chunk, stage) = (Chunk::closed(bytes), Stage::Open);
        Self { decoder, chunk, lent_data: None, lent_id: None, is_whole: false, stage }
    }

    /// Takes in the chunk. This is no part of `new`, so that nothing of this size is ever moved.
    pub(crate) fn open(&mut self) {
        let Decoder { lines, block, .. } = &mut *self.decoder;
        if block.dispatched {
            block.clear();
        }
        if block.in_data {
            lines.open(&mut self.chunk, Some(&mut block.data));
            self.go_on_with_data();
        } else {
            block.data.rest();
            lines.open(&mut self.chunk, None);
        }
    }

    /// Takes the rest of a data line that goes on, or as much of it as is there.
    #[inline(always)]
    fn go_on_with_data(&mut self) {
        let Decoder { lines, block, limits, .. } = &mut *self.decoder;
        let bytes = self.chunk.bytes;
        let line = self.chunk.cursor.next_line(bytes);
        let end = line.as_ref().map_or(bytes.len(), |line| line.end);
        let cut = match self.chunk.text {
            Some(text) => {
                let end = end.min(text.len());
                block.data.push(&text[..end]);
                &bytes[end..if line.is_some() { end } else { bytes.len() }]
            }
            None => push_lossy(&mut block.data, &bytes[..end], line.is_some()),
        };
        let line_len = lines.offset() + end as u64 - lines.line_start();
        // A line that is not complete is as long as it is only for the limit of lines.
        let is_too_large = line.is_some() && block.data_len() > limits.event_bytes;
        if is_too_large || line_len > limits.line_bytes as u64 {
            block.drop_rest();
            if line.is_none() {
                return lines.skip_line(&mut self.chunk);
            }
        }
        match line {
            Some(_) => {
                block.end_line();
                block.in_data = false;
                self.chunk.continues = false;
            }
            None => lines.keep_cut(&mut self.chunk, cut),
        }
    }

    /// The next thing that is handed out, or `None` when the chunk is used up.
    #[inline(always)]
    pub(crate) fn step(&mut self) -> Option<Seen<'a>> {
        if self.decoder.block.dispatched {
            self.decoder.block.clear();
        }
        loop {
            let seen = match self.stage {
                Stage::Open => {
                    self.open();
                    self.stage = Stage::Scan;
                    None
                }
                Stage::Scan => {
                    let Decoder { lines, .. } = &mut *self.decoder;
                    let scanned = lines.next(&mut self.chunk);
                    let Some(scanned) = scanned.or_else(|| lines.keep_rest(&mut self.chunk)) else {
                        self.keep_lent_data();
                        return None;
                    };
                    self.take(scanned)
                }
                Stage::Check { start, checked } => self.check(start, checked),
                Stage::Interpret { start, text } => {
                    self.stage = Stage::Scan;
                    self.interpret(start, text)
                }
            };
            if seen.is_some() {
                return seen;
            }
        }
    }

    /// Takes a line, whatever it is.
    #[inline(always)]
    pub(crate) fn take(&mut self, scanned: Scanned<'a>) -> Option<Seen<'a>> {
        match scanned {
            Scanned::Text { start, text: "" } => self.dispatch(start + 1),
            Scanned::Text { start, text } if self.counts() => {
                self.admit(start, Text::Chunk(text), text.as_bytes())
            }
            Scanned::Text { .. } => None,
            other => self.rare(other),
        }
    }

    #[inline(always)]
    fn counts(&self) -> bool {
        !self.decoder.block.dropped
    }

    /// A line that came in pieces, may not be UTF-8, or is too long.
    #[cold]
    fn rare(&mut self, scanned: Scanned<'a>) -> Option<Seen<'a>> {
        let Decoder { lines, block, limits, .. } = &mut *self.decoder;
        match scanned {
            Scanned::Bytes { start, bytes: b"" } => self.dispatch(start + 1),
            Scanned::Carried { start } if lines.carried.is_empty() => self.dispatch(start + 1),
            _ if block.dropped => None,
            Scanned::TooLong { start } => {
                let end = start.saturating_add(limits.line_bytes as u64).saturating_add(1);
                self.lent_data = None;
                block.drop_rest();
                self.anomaly(AnomalyKind::LineTooLong, || Span::new(start, end))
            }
            Scanned::Text { start, text } => self.admit(start, Text::Chunk(text), text.as_bytes()),
            Scanned::Bytes { start, bytes } => match str::from_utf8(bytes) {
                Ok(text) => self.admit(start, Text::Chunk(text), bytes),
                Err(_) => self.mend(start, bytes),
            },
            Scanned::Carried { start } => {
                let is_bom = INSPECT && lines.carried.as_str().as_bytes().starts_with(&BOM);
                self.admit(start, Text::Carried, if is_bom { &BOM } else { b"" })
            }
            Scanned::CarriedOdd { start } => {
                let bytes = lines.bytes();
                self.mend(start, &bytes)
            }
        }
    }

    /// Takes a line in whose bytes are not UTF-8.
    fn mend(&mut self, start: u64, bytes: &[u8]) -> Option<Seen<'a>> {
        self.decoder.lines.mend(bytes);
        if !INSPECT {
            return self.interpret(start, Text::Mended);
        }
        self.stage = Stage::Check { start, checked: 0 };
        self.bom(start, bytes)
    }

    /// Takes a line in.
    #[inline(always)]
    fn admit(&mut self, start: u64, text: Text<'a>, bytes: &[u8]) -> Option<Seen<'a>> {
        if INSPECT && bytes.starts_with(&BOM) {
            self.stage = Stage::Interpret { start, text };
            return self.bom(start, bytes);
        }
        self.interpret(start, text)
    }

    /// The BOM of the stream is gone already, so another one becomes a part of a field name.
    fn bom(&self, start: u64, bytes: &[u8]) -> Option<Seen<'a>> {
        let is_bom = bytes.starts_with(&BOM);
        is_bom.then(|| self.anomaly(AnomalyKind::BomNotAtStart, || span(start, 0..BOM.len())))?
    }

    /// Reports the next run of bytes that are not UTF-8. The line has U+FFFD in their places
    /// (`whatwg-sse/utf8-decode`). A line end, a colon and a space are ASCII, so bad bytes never
    /// swallow them, and to decode line by line is to decode the stream.
    fn check(&mut self, start: u64, checked: usize) -> Option<Seen<'a>> {
        if let Some(run) = invalid_run(&self.decoder.lines.odd, checked) {
            self.stage = Stage::Check { start, checked: run.end };
            return self.anomaly(AnomalyKind::InvalidUtf8, || span(start, run));
        }
        self.stage = Stage::Scan;
        self.interpret(start, Text::Mended)
    }

    #[inline(always)]
    fn interpret(&mut self, start: u64, text: Text<'a>) -> Option<Seen<'a>> {
        let field = match field::parse::<INSPECT>(text.whole(&self.decoder.lines)) {
            Parsed::Comment if INSPECT => {
                let len = text.whole(&self.decoder.lines).len();
                return Some(Seen::Comment {
                    text: text.part(1..len),
                    span: self.line(start, text),
                });
            }
            Parsed::Comment => return None,
            Parsed::Field(field) => field,
        };
        self.decoder.block.start.get_or_insert(start);
        match field.kind {
            FieldKind::Data => self.append_data(start, text, field.value),
            FieldKind::Event => self.set_event_type(text, field),
            FieldKind::Id => self.set_id(start, text, field),
            FieldKind::Retry => self.set_retry(start, text, field),
            FieldKind::Unknown if INSPECT => Some(Seen::UnknownField {
                name: text.part(field.name),
                value: text.part(field.value),
                has_colon: field.has_colon,
                span: self.line(start, text),
            }),
            FieldKind::Unknown => None,
        }
    }

    /// Appends a line to the data buffer (`whatwg-sse/field-data`). The first one stays where it
    /// is: most events have no other.
    #[inline(always)]
    fn append_data(&mut self, start: u64, text: Text<'a>, value: Range<usize>) -> Option<Seen<'a>> {
        let Decoder { block, lines, limits, .. } = &mut *self.decoder;
        let before = self.lent_data.map_or(block.data_len(), |lent| lent.len() + 1);
        if before + value.len() > limits.event_bytes {
            return self.too_large(start, text);
        }
        match (mem::replace(&mut block.has_data, true), text) {
            (false, Text::Chunk(text)) => self.lent_data = Some(&text[value]),
            (false, Text::Carried | Text::Mended) => {
                mem::swap(&mut block.data, &mut lines.carried);
                block.data_start = value.start;
                block.end_line();
            }
            (true, _) => {
                if let Some(lent) = self.lent_data.take() {
                    block.push_line(lent);
                }
                block.push_line(&text.whole(lines)[value]);
            }
        }
        None
    }

    #[cold]
    fn too_large(&mut self, start: u64, text: Text<'a>) -> Option<Seen<'a>> {
        let line = self.line(start, text);
        let block = &mut self.decoder.block;
        let from = block.start.unwrap_or(start);
        self.lent_data = None;
        block.drop_rest();
        self.anomaly(AnomalyKind::EventTooLarge, || Span::new(from, line.end))
    }

    /// Replaces the event type (`whatwg-sse/field-event`).
    #[inline]
    fn set_event_type(&mut self, text: Text<'a>, field: Field) -> Option<Seen<'a>> {
        let Decoder { block, lines, .. } = &mut *self.decoder;
        block.set_event_type(&text.whole(lines)[field.value]);
        None
    }

    /// Sets the last event ID buffer, unless the value has a NUL (`whatwg-sse/field-id`,
    /// `whatwg-sse/field-id-nul`).
    #[inline(always)]
    fn set_id(&mut self, start: u64, text: Text<'a>, field: Field) -> Option<Seen<'a>> {
        let Decoder { block, lines, .. } = &mut *self.decoder;
        block.has_other_field = true;
        let value = &text.whole(lines)[field.value];
        if value.as_bytes().contains(&0) {
            let nul = memchr::memchr(0, text.bytes(lines))?;
            return self.anomaly(AnomalyKind::NulInId, || span(start, nul..nul + 1));
        }
        block.set_id(value);
        None
    }

    /// Sets the reconnection time at once (`whatwg-sse/field-retry`).
    fn set_retry(&mut self, start: u64, text: Text<'a>, field: Field) -> Option<Seen<'a>> {
        self.decoder.block.has_other_field = true;
        let value = &text.whole(&self.decoder.lines)[field.value.clone()];
        let line = self.line(start, text);
        let Some(millis) = field::parse_retry(value) else {
            // What stands before the value is ASCII, so its place is the same in text and bytes.
            let value = start + field.value.start as u64;
            return self.anomaly(AnomalyKind::RetryNotDigits, || Span::new(value, line.end));
        };
        self.decoder.reconnection_time = Some(millis);
        INSPECT.then_some(Seen::Retry(Retry { millis, span: line }))
    }

    /// Ends the block at a blank line: its id counts from now on, with data or without, and only
    /// data makes an event (`whatwg-sse/dispatch-id`, `whatwg-sse/dispatch-no-data`).
    #[inline(always)]
    fn dispatch(&mut self, end: u64) -> Option<Seen<'a>> {
        let Decoder { block, last_event_id, .. } = &mut *self.decoder;
        let Some(start) = block.start else {
            block.clear();
            return None;
        };
        let lent_data = self.lent_data.take();
        let span = Span::new(start, end);
        let sets_id = block.sets_id;
        if sets_id {
            self.lent_id = None;
            mem::swap(last_event_id, &mut block.id);
        }
        if block.has_data {
            block.dispatched = true;
            return Some(Seen::Event(Dispatched { lent_data, lent_type: None, sets_id, span }));
        }
        let sets_event = !block.event_type.is_empty();
        let is_told = INSPECT && block.has_other_field;
        block.clear();
        is_told.then_some(Seen::EmptyBlock(EmptyBlock { sets_id, sets_event, span }))
    }

    /// The chunk is about to go away, so what it lent must be kept.
    pub(crate) fn keep_lent_data(&mut self) {
        if let Some(lent) = self.lent_data.take() {
            self.decoder.block.push_line(lent);
        }
    }

    #[inline(always)]
    fn anomaly(&self, kind: AnomalyKind, span: impl FnOnce() -> Span) -> Option<Seen<'a>> {
        INSPECT.then(|| Seen::Anomaly(kind, span()))
    }

    /// The bytes of a line, as a span.
    fn line(&self, start: u64, text: Text<'a>) -> Span {
        span(start, 0..text.bytes(&self.decoder.lines).len())
    }

    #[inline(always)]
    pub(crate) fn event(&self, event: Dispatched<'a>) -> Event<'_> {
        let Decoder { block, last_event_id, .. } = &*self.decoder;
        let event_type = event.lent_type.unwrap_or(block.event_type.as_str());
        let event_type = if event_type.is_empty() { "message" } else { event_type };
        Event {
            event_type: Cow::Borrowed(event_type),
            data: Cow::Borrowed(event.lent_data.unwrap_or_else(|| block.data())),
            last_event_id: Cow::Borrowed(self.lent_id.unwrap_or(last_event_id.as_str())),
            sets_id: event.sets_id,
            span: event.span,
        }
    }

    pub(crate) fn item(&self, seen: Seen<'a>) -> Item<'_> {
        let text = |part| {
            Cow::Borrowed(match part {
                Part::Chunk(text) => text,
                Part::Carried(range) => &self.decoder.lines.carried.as_str()[range],
            })
        };
        match seen {
            Seen::Event(event) => Item::Event(self.event(event)),
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

impl<'a> Text<'a> {
    #[inline(always)]
    fn whole<'t>(self, lines: &'t Lines) -> &'t str
    where
        'a: 't,
    {
        match self {
            Self::Chunk(text) => text,
            Self::Carried | Self::Mended => lines.carried.as_str(),
        }
    }

    /// The bytes of the line, as they came.
    fn bytes<'t>(self, lines: &'t Lines) -> &'t [u8]
    where
        'a: 't,
    {
        match self {
            Self::Mended => &lines.odd,
            Self::Chunk(_) | Self::Carried => self.whole(lines).as_bytes(),
        }
    }

    fn part(self, range: Range<usize>) -> Part<'a> {
        match self {
            Self::Chunk(text) => Part::Chunk(&text[range]),
            Self::Carried | Self::Mended => Part::Carried(range),
        }
    }
}

/// Appends the bytes with U+FFFD in place of what is not UTF-8; gives what the end of the chunk has
/// cut, unless the line ends there.
#[cold]
fn push_lossy<'b>(data: &mut Buffer, bytes: &'b [u8], ends: bool) -> &'b [u8] {
    let mut at = 0;
    for chunk in bytes.utf8_chunks() {
        data.push(chunk.valid());
        at += chunk.valid().len() + chunk.invalid().len();
        if !ends && at == bytes.len() && is_cut(chunk.invalid()) {
            return chunk.invalid();
        }
        if !chunk.invalid().is_empty() {
            data.push("\u{FFFD}");
        }
    }
    b""
}
