//! Any line, read as the standard says: lines that go through the buffers, items that only
//! `inspect` gives, and anomalies.

use core::ops::Range;

use super::{Pending, Walk};
use crate::decoder::Decoder;
use crate::field::{self, Field, FieldKind, Parsed};
use crate::lines::{BOM, Left, Lines};
use crate::utf8;
use crate::{Anomaly, AnomalyKind, Comment, Item, Retry, Span, UnknownField};

/// A complete line that is not blank, without its line end.
#[derive(Clone, Copy, Debug)]
pub(super) enum Line<'a> {
    /// It lies in the chunk.
    Chunk(&'a [u8]),
    /// It came in pieces, and is [`Lines::carried`].
    Carried,
}

/// A line with invalid bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Suspect<'a> {
    start: u64,
    line: Line<'a>,
    /// The anomalies up to here were reported.
    checked: usize,
}

/// A part of a line, which an item will borrow.
#[derive(Clone, Debug)]
pub(super) enum Part<'a> {
    Chunk(&'a [u8]),
    /// A range of [`Lines::carried`].
    Carried(Range<usize>),
}

impl<'a, const INSPECT: bool> Walk<'a, INSPECT> {
    /// Reads a line of the chunk of any kind.
    #[inline(never)]
    pub(super) fn take(&mut self, line: Range<usize>) -> Option<Pending<'a>> {
        let start = self.decoder.lines.offset + line.start as u64;
        if self.decoder.block.dropped {
            return None;
        }
        if line.len() > self.decoder.limits.line_bytes {
            return self.too_long(start);
        }
        self.admit(start, Line::Chunk(&self.bytes[line]))
    }

    /// Reads a line within the limits.
    pub(super) fn admit(&mut self, start: u64, line: Line<'a>) -> Option<Pending<'a>> {
        if INSPECT && is_suspect(line.bytes(&self.decoder.lines)) {
            return self.check(Suspect { start, line, checked: 0 });
        }
        self.interpret(start, line)
    }

    /// Reports the next anomaly in the bytes of a line, or else reads the line.
    pub(super) fn check(&mut self, suspect: Suspect<'a>) -> Option<Pending<'a>> {
        let Suspect { start, line, checked } = suspect;
        let bytes = line.bytes(&self.decoder.lines);
        // The BOM of the stream is removed already, so another one becomes a part of a field name.
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

    fn interpret(&mut self, start: u64, line: Line<'a>) -> Option<Pending<'a>> {
        let Decoder { lines, block, .. } = &mut *self.decoder;
        let bytes = line.bytes(lines);
        let span = span(start, 0..bytes.len());
        let field = match field::parse::<INSPECT>(bytes) {
            Parsed::Comment => {
                let text = line.part(1..bytes.len());
                return INSPECT.then_some(Pending::Comment { text, span });
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
                INSPECT.then_some(Pending::UnknownField { name, value, has_colon, span })
            }
        }
    }

    /// Appends a line to the data buffer (`whatwg-sse/field-data`).
    fn append_data(
        &mut self,
        of: Span,
        line: Line<'a>,
        value: Range<usize>,
    ) -> Option<Pending<'a>> {
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
    fn set_id(&mut self, start: u64, line: Line<'a>, value: Range<usize>) -> Option<Pending<'a>> {
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

    /// Sets the reconnection time immediately (`whatwg-sse/field-retry`).
    fn set_retry(&mut self, of: Span, line: Line<'a>, value: Range<usize>) -> Option<Pending<'a>> {
        let Decoder { block, lines, reconnection_time, .. } = &mut *self.decoder;
        block.has_other_field = true;
        let Some(millis) = field::parse_retry(&line.bytes(lines)[value.clone()]) else {
            return self.anomaly(AnomalyKind::RetryNotDigits, span(of.start, value));
        };
        *reconnection_time = Some(millis);
        INSPECT.then_some(Pending::Retry(Retry { millis, span: of }))
    }

    /// The line has passed the limit. Its rest is skipped, with its block.
    #[cold]
    pub(super) fn too_long(&mut self, start: u64) -> Option<Pending<'a>> {
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
    pub(super) fn too_large(&mut self, line_start: u64, line_end: u64) -> Option<Pending<'a>> {
        let block = &mut self.decoder.block;
        let start = block.start.unwrap_or(line_start);
        block.drop_rest();
        self.anomaly(AnomalyKind::EventTooLarge, Span::new(start, line_end))
    }

    #[inline(always)]
    fn anomaly(&self, kind: AnomalyKind, span: Span) -> Option<Pending<'a>> {
        INSPECT.then_some(Pending::Anomaly(kind, span))
    }

    pub(super) fn item(&self, seen: Pending<'a>) -> Item<'_> {
        let text = |part| {
            utf8::text(match part {
                Part::Chunk(bytes) => bytes,
                Part::Carried(range) => &self.decoder.lines.carried.as_bytes()[range],
            })
        };
        match seen {
            Pending::Event => Item::Event(self.event()),
            Pending::Comment { text: part, span } => {
                Item::Comment(Comment { text: text(part), span })
            }
            Pending::UnknownField { name, value, has_colon, span } => {
                let (name, value) = (text(name), text(value));
                Item::UnknownField(UnknownField { name, value, has_colon, span })
            }
            Pending::Retry(retry) => Item::Retry(retry),
            Pending::EmptyBlock(block) => Item::EmptyBlock(block),
            Pending::Anomaly(kind, span) => Item::Anomaly(Anomaly { kind, span }),
        }
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

/// Whether the bytes of the line may have an anomaly.
pub(super) fn is_suspect(line: &[u8]) -> bool {
    line.starts_with(&BOM) || !utf8::is_text(line)
}

/// A part of a line, as a span of the stream.
fn span(start: u64, range: Range<usize>) -> Span {
    Span::new(start + range.start as u64, start + range.end as u64)
}
