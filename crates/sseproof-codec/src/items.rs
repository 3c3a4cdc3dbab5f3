//! What a chunk says: the steps from a line to an item.

use alloc::borrow::Cow;
use alloc::string::String;
use core::mem;

use crate::decoder::Decoder;
use crate::field::{self, Field, FieldKind, Parsed};
use crate::lines::{self, KEPT_CAPACITY, Line, Place, Scanned};
use crate::text::{Part, Text, invalid_run, is_bom, take_text};
use crate::{Anomaly, AnomalyKind, Comment, EmptyBlock, Event, Item, Retry, Span, UnknownField};

/// The items of one chunk. It lends them: each is valid until the next one is asked for.
///
/// ```
/// use sseproof_codec::{Decoder, Item};
///
/// let mut decoder = Decoder::new();
/// let mut items = decoder.feed(b"id: 7\ndata: hello\n\n");
/// while let Some(item) = items.next() {
///     if let Item::Event(event) = item {
///         assert_eq!((&*event.data, &*event.last_event_id), ("hello", "7"));
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Items<'a> {
    decoder: &'a mut Decoder,
    rest: &'a [u8],
    /// The only data line so far of the current block, if it lies in this chunk.
    lent_data: Option<&'a str>,
    stage: Stage<'a>,
}

/// What the next step has to do.
#[derive(Clone, Copy, Debug)]
enum Stage<'a> {
    Scan,
    /// Report what is wrong with the bytes of this line, from its byte `checked` on.
    Check {
        line: Line<'a>,
        checked: usize,
    },
    /// Interpret this line, whose text is `text`.
    Interpret {
        line: Line<'a>,
        text: Text<'a>,
    },
}

/// An item before it borrows, so that the decoder can still change.
#[derive(Debug)]
enum Seen<'a> {
    Event { lent_data: Option<&'a str>, sets_id: bool, span: Span },
    Comment { text: Part<'a>, span: Span },
    UnknownField { name: Part<'a>, value: Part<'a>, has_colon: bool, span: Span },
    Retry(Retry),
    EmptyBlock(EmptyBlock),
    Anomaly(AnomalyKind, Span),
}

impl<'a> Items<'a> {
    pub(crate) fn new(decoder: &'a mut Decoder, chunk: &'a [u8]) -> Self {
        Self { decoder, rest: chunk, lent_data: None, stage: Stage::Scan }
    }
}

impl Items<'_> {
    /// The next item, or `None` when the chunk is used up.
    #[expect(clippy::should_implement_trait, reason = "an Iterator cannot lend its items")]
    pub fn next(&mut self) -> Option<Item<'_>> {
        let seen = self.step()?;
        Some(self.item(seen))
    }
}

impl Drop for Items<'_> {
    /// Decodes the rest of the chunk, since the state of the decoder must not depend on who looks.
    fn drop(&mut self) {
        while self.step().is_some() {}
    }
}

impl<'a> Items<'a> {
    fn step(&mut self) -> Option<Seen<'a>> {
        loop {
            let seen = match self.stage {
                Stage::Scan => {
                    let Some(scanned) = self.scan() else {
                        self.keep_lent_data();
                        return None;
                    };
                    self.admit(scanned)
                }
                Stage::Check { line, checked } => self.check(line, checked),
                Stage::Interpret { line, text } => {
                    self.stage = Stage::Scan;
                    self.interpret(line, text)
                }
            };
            if seen.is_some() {
                return seen;
            }
        }
    }

    fn scan(&mut self) -> Option<Scanned<'a>> {
        let Decoder { lines, block, text, .. } = &mut *self.decoder;
        if block.dispatched {
            block.clear();
        }
        if text.capacity() > KEPT_CAPACITY {
            *text = String::new();
        }
        lines.next(&mut self.rest)
    }

    /// Takes a line in: decides whether it counts, and finds its text.
    fn admit(&mut self, scanned: Scanned<'a>) -> Option<Seen<'a>> {
        let Decoder { lines, block, text: own, limits, .. } = &mut *self.decoder;
        let line = match scanned {
            Scanned::TooLong { .. } if block.dropped => return None,
            Scanned::TooLong { start } => {
                let end = start.saturating_add(limits.line_bytes as u64).saturating_add(1);
                self.lent_data = None;
                block.drop_rest();
                return Some(Seen::Anomaly(AnomalyKind::LineTooLong, Span::new(start, end)));
            }
            Scanned::Line(line) if line.len == 0 => return self.dispatch(line.start + 1),
            Scanned::Line(_) if block.dropped => return None,
            Scanned::Line(line) => line,
        };
        let (text, starts_with_bom) = match line.place {
            Place::Chunk(bytes) => (str::from_utf8(bytes).ok().map(Text::Chunk), is_bom(bytes)),
            Place::Carried => {
                let is_bom = is_bom(&lines.carried);
                (take_text(&mut lines.carried, own).then_some(Text::Own), is_bom)
            }
        };
        self.stage = match text {
            Some(text) => Stage::Interpret { line, text },
            None => Stage::Check { line, checked: 0 },
        };
        // The BOM of the stream is gone already, so this one becomes a part of a field name.
        starts_with_bom.then(|| {
            let end = line.start + lines::BOM.len() as u64;
            Seen::Anomaly(AnomalyKind::BomNotAtStart, Span::new(line.start, end))
        })
    }

    /// Reports the next run of bytes that are not UTF-8, or else decodes the line with U+FFFD in
    /// their places (`whatwg-sse/utf8-decode`). A line end, a colon and a space are ASCII, so bad
    /// bytes never swallow them, and to decode line by line is to decode the stream.
    fn check(&mut self, line: Line<'a>, checked: usize) -> Option<Seen<'a>> {
        let bytes = self.bytes(line.place);
        if let Some(run) = invalid_run(bytes, checked) {
            self.stage = Stage::Check { line, checked: run.end };
            return Some(Seen::Anomaly(AnomalyKind::InvalidUtf8, line.span(run)));
        }
        self.decoder.text = String::from_utf8_lossy(bytes).into_owned();
        self.stage = Stage::Interpret { line, text: Text::Mended };
        None
    }

    fn interpret(&mut self, line: Line<'a>, text: Text<'a>) -> Option<Seen<'a>> {
        let span = line.span(0..line.len);
        let field = match field::parse(self.whole(text)) {
            Parsed::Comment { text: range } => {
                return Some(Seen::Comment { text: text.part(range), span });
            }
            Parsed::Field(field) => field,
        };
        self.decoder.block.start.get_or_insert(line.start);
        match field.kind {
            FieldKind::Data => self.append_data(text.part(field.value), span),
            FieldKind::Event => self.set_event_type(text, field),
            FieldKind::Id => self.set_id(line, text, field),
            FieldKind::Retry => self.set_retry(line, text, field),
            FieldKind::Unknown => Some(Seen::UnknownField {
                name: text.part(field.name),
                value: text.part(field.value),
                has_colon: field.has_colon,
                span,
            }),
        }
    }

    /// Appends a line to the data buffer (`whatwg-sse/field-data`). The first one stays in the
    /// chunk: most events have no other.
    fn append_data(&mut self, value: Part<'a>, line: Span) -> Option<Seen<'a>> {
        let Decoder { block, text, limits, .. } = &mut *self.decoder;
        let len = match &value {
            Part::Chunk(value) => value.len(),
            Part::Own(range) => range.len(),
        };
        let before =
            self.lent_data.map_or(block.data.len(), str::len) + usize::from(block.has_data);
        if before + len > limits.event_bytes {
            let span = Span::new(block.start.unwrap_or(line.start), line.end);
            self.lent_data = None;
            block.drop_rest();
            return Some(Seen::Anomaly(AnomalyKind::EventTooLarge, span));
        }
        if let (false, Part::Chunk(value)) = (block.has_data, &value) {
            block.has_data = true;
            self.lent_data = Some(value);
            return None;
        }
        if let Some(lent) = self.lent_data.take() {
            block.data.push_str(lent);
        }
        if mem::replace(&mut block.has_data, true) {
            block.data.push('\n');
        }
        block.data.push_str(match value {
            Part::Chunk(value) => value,
            Part::Own(range) => &text[range],
        });
        None
    }

    /// Replaces the event type (`whatwg-sse/field-event`).
    fn set_event_type(&mut self, text: Text<'a>, field: Field) -> Option<Seen<'a>> {
        let Decoder { block, text: own, .. } = &mut *self.decoder;
        block.has_other_field = true;
        block.event_type.clear();
        block.event_type.push_str(&text.whole(own)[field.value]);
        None
    }

    /// Sets the last event ID buffer, unless the value has a NUL (`whatwg-sse/field-id`,
    /// `whatwg-sse/field-id-nul`).
    fn set_id(&mut self, line: Line<'a>, text: Text<'a>, field: Field) -> Option<Seen<'a>> {
        let Decoder { block, text: own, .. } = &mut *self.decoder;
        block.has_other_field = true;
        let value = &text.whole(own)[field.value];
        if memchr::memchr(0, value.as_bytes()).is_none() {
            block.sets_id = true;
            block.id.clear();
            block.id.push_str(value);
            return None;
        }
        let bytes = if let Text::Own = text { own.as_bytes() } else { self.bytes(line.place) };
        let nul = memchr::memchr(0, bytes)?;
        Some(Seen::Anomaly(AnomalyKind::NulInId, line.span(nul..nul + 1)))
    }

    /// Sets the reconnection time at once (`whatwg-sse/field-retry`).
    fn set_retry(&mut self, line: Line<'a>, text: Text<'a>, field: Field) -> Option<Seen<'a>> {
        self.decoder.block.has_other_field = true;
        let Some(millis) = field::parse_retry(&self.whole(text)[field.value.clone()]) else {
            // What stands before the value is ASCII, so its place is the same in text and bytes.
            let span = line.span(field.value.start..line.len);
            return Some(Seen::Anomaly(AnomalyKind::RetryNotDigits, span));
        };
        self.decoder.reconnection_time = Some(millis);
        Some(Seen::Retry(Retry { millis, span: line.span(0..line.len) }))
    }

    /// Ends the block at a blank line: its id counts from now on, with data or without, and only
    /// data makes an event (`whatwg-sse/dispatch-id`, `whatwg-sse/dispatch-no-data`).
    fn dispatch(&mut self, end: u64) -> Option<Seen<'a>> {
        let Decoder { block, last_event_id, .. } = &mut *self.decoder;
        block.dispatched = true;
        let lent_data = self.lent_data.take();
        let span = Span::new(block.start?, end);
        let sets_id = block.sets_id;
        if sets_id {
            mem::swap(last_event_id, &mut block.id);
        }
        if block.has_data {
            return Some(Seen::Event { lent_data, sets_id, span });
        }
        let sets_event = !block.event_type.is_empty();
        let empty = EmptyBlock { sets_id, sets_event, span };
        block.has_other_field.then_some(Seen::EmptyBlock(empty))
    }

    /// The chunk is about to go away, so what it lent must be kept.
    fn keep_lent_data(&mut self) {
        if let Some(lent) = self.lent_data.take() {
            self.decoder.block.data.push_str(lent);
        }
    }

    fn whole(&self, text: Text<'a>) -> &str {
        text.whole(&self.decoder.text)
    }

    fn bytes(&self, place: Place<'a>) -> &[u8] {
        match place {
            Place::Chunk(bytes) => bytes,
            Place::Carried => &self.decoder.lines.carried,
        }
    }

    fn item(&self, seen: Seen<'a>) -> Item<'_> {
        let Decoder { block, text: own, last_event_id, .. } = &*self.decoder;
        let text = |part| {
            Cow::Borrowed(match part {
                Part::Chunk(text) => text,
                Part::Own(range) => &own[range],
            })
        };
        match seen {
            Seen::Event { lent_data, sets_id, span } => {
                let event_type = match block.event_type.as_str() {
                    "" => "message",
                    event_type => event_type,
                };
                Item::Event(Event {
                    event_type: Cow::Borrowed(event_type),
                    data: Cow::Borrowed(lent_data.unwrap_or(&block.data)),
                    last_event_id: Cow::Borrowed(last_event_id),
                    sets_id,
                    span,
                })
            }
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
