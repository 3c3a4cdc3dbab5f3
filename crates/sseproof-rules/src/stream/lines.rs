//! A body cut into lines and blocks that keep their bytes and offsets.
//!
//! The decoder says what a client makes of a stream; a rule that says *why* a client makes nothing
//! of it needs the lines as they were written.

use sseproof_record::Ending;

use crate::View;

/// The byte order mark.
pub(super) const BOM: &[u8] = b"\xEF\xBB\xBF";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineEnd {
    Lf,
    CrLf,
    Cr,
    /// The body stops here.
    Missing,
}

/// A line that is not blank, as it stands in the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line<'b> {
    /// The offset of its first byte.
    pub(super) start: u64,
    /// The line without its end.
    pub(super) bytes: &'b [u8],
    pub(super) end: LineEnd,
}

/// The fields that clients know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    Data,
    Event,
    Id,
    Retry,
}

/// The lines between two blank lines, at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block<'b> {
    lines: Vec<Line<'b>>,
    blank: Option<LineEnd>,
}

impl<'b> Line<'b> {
    /// The text before the first colon, or the whole line without one.
    pub(super) fn name(&self) -> &'b [u8] {
        &self.bytes[..self.colon().unwrap_or(self.bytes.len())]
    }

    /// The value without the one space after the colon.
    pub(super) fn value(&self) -> &'b [u8] {
        let rest = self.colon().map_or(&[][..], |colon| &self.bytes[colon + 1..]);
        rest.strip_prefix(b" ").unwrap_or(rest)
    }

    /// The offset of the value in the body.
    pub(super) fn value_start(&self) -> u64 {
        self.start + (self.bytes.len() - self.value().len()) as u64
    }

    pub(super) fn has_colon(&self) -> bool {
        self.colon().is_some()
    }

    /// The field that clients take it for.
    pub(super) fn known(&self) -> Option<Known> {
        Known::named(self.name())
    }

    /// Whether clients read over it.
    pub(super) fn is_comment(&self) -> bool {
        self.bytes.first() == Some(&b':')
    }

    fn colon(&self) -> Option<usize> {
        self.bytes.iter().position(|&byte| byte == b':')
    }
}

impl Known {
    /// The field of exactly that name.
    pub(super) fn named(name: &[u8]) -> Option<Self> {
        match name {
            b"data" => Some(Self::Data),
            b"event" => Some(Self::Event),
            b"id" => Some(Self::Id),
            b"retry" => Some(Self::Retry),
            _ => None,
        }
    }
}

impl<'b> Block<'b> {
    /// Its lines without the comments.
    pub(super) fn fields(&self) -> impl DoubleEndedIterator<Item = &Line<'b>> + Clone {
        self.lines.iter().filter(|line| !line.is_comment())
    }

    /// Its fields of that name.
    pub(super) fn all(&self, known: Known) -> impl DoubleEndedIterator<Item = &Line<'b>> + Clone {
        self.fields().filter(move |line| line.known() == Some(known))
    }

    /// Whether it has a field of that name.
    pub(super) fn has(&self, known: Known) -> bool {
        self.all(known).next().is_some()
    }

    /// Whether a blank line ends it.
    pub(super) fn is_closed(&self) -> bool {
        self.blank.is_some()
    }

    /// The ends of all its lines, the blank one too.
    pub(super) fn line_ends(&self) -> impl Iterator<Item = LineEnd> {
        self.lines.iter().map(|line| line.end).chain(self.blank)
    }

    /// All its lines, comments too.
    pub(super) fn lines(&self) -> &[Line<'b>] {
        &self.lines
    }
}

/// The blocks of a body, without the byte order mark that it may begin with.
pub(super) fn blocks(body: &[u8]) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut lines = Vec::new();
    let mut place = if body.starts_with(BOM) { BOM.len() } else { 0 };
    while place < body.len() {
        let line = line(body, place);
        place += line.bytes.len()
            + match line.end {
                LineEnd::Lf | LineEnd::Cr => 1,
                LineEnd::CrLf => 2,
                LineEnd::Missing => 0,
            };
        if !line.bytes.is_empty() {
            lines.push(line);
        } else if !lines.is_empty() {
            blocks.push(Block { lines: std::mem::take(&mut lines), blank: Some(line.end) });
        }
    }
    if !lines.is_empty() {
        blocks.push(Block { lines, blank: None });
    }
    blocks
}

/// The `id` lines that set the last event ID: of blocks that are complete, not empty, without NUL.
pub(super) fn ids<'l, 'b>(blocks: &'l [Block<'b>]) -> impl Iterator<Item = &'l Line<'b>> {
    blocks
        .iter()
        .filter(|block| block.is_closed())
        .flat_map(|block| block.all(Known::Id))
        .filter(|line| !line.value().is_empty() && !line.value().contains(&0))
}

/// The blocks of a stream, without a last line that may have been cut.
pub(super) fn whole_lines<'b>(view: &View<'_>, body: &'b [u8]) -> Vec<Block<'b>> {
    let mut blocks = blocks(body);
    if !is_whole(view)
        && let Some(last) = blocks.last_mut()
    {
        last.lines.retain(|line| line.end != LineEnd::Missing);
        if last.lines.is_empty() {
            blocks.pop();
        }
    }
    blocks
}

/// Whether the server ended the body, and its framing proves that nothing is missing after it.
/// A body that only the end of the connection delimits proves nothing: a server that dies looks
/// the same.
pub(super) fn is_whole(view: &View<'_>) -> bool {
    view.end.how == Ending::Complete
        && view.head.as_ref().is_some_and(|head| {
            head.headers.has("content-length")
                || head.headers.list("transfer-encoding").iter().any(|coding| coding == "chunked")
        })
}

fn line(body: &[u8], place: usize) -> Line<'_> {
    let rest = &body[place..];
    let found = rest.iter().position(|&byte| matches!(byte, b'\n' | b'\r'));
    let end = match found {
        None => LineEnd::Missing,
        Some(len) if rest[len] == b'\n' => LineEnd::Lf,
        Some(len) if rest.get(len + 1) == Some(&b'\n') => LineEnd::CrLf,
        Some(_) => LineEnd::Cr,
    };
    Line { start: place as u64, bytes: &rest[..found.unwrap_or(rest.len())], end }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_that_count() {
        let blocks = blocks(b"id: 1\ndata: x\n\nid\n\nid: a\0\n\nid: 2\n\nid: 3\n");
        let values: Vec<_> = ids(&blocks).map(Line::value).collect();
        assert_eq!(values, [b"1", b"2"]);
    }

    #[test]
    fn every_kind_of_line_end_ends_a_line() {
        let blocks = blocks(b"\xEF\xBB\xBFdata:  a\r\nid\r\r\n\n: c\nevent:x\n\nretry");
        let lines: Vec<_> = blocks.iter().flat_map(|block| block.lines.clone()).collect();
        let ends: Vec<_> = lines.iter().map(|line| (line.start, line.end)).collect();
        assert_eq!(
            ends,
            [
                (3, LineEnd::CrLf),
                (13, LineEnd::Cr),
                (19, LineEnd::Lf),
                (23, LineEnd::Lf),
                (32, LineEnd::Missing)
            ]
        );
        assert_eq!(
            blocks.iter().map(|block| block.is_closed()).collect::<Vec<_>>(),
            [true, true, false]
        );
        assert_eq!((lines[0].value(), lines[0].value_start()), (&b" a"[..], 9));
        assert_eq!((lines[1].value(), lines[1].value_start()), (&b""[..], 15));
        assert_eq!(lines[3].value_start(), 29);
        assert_eq!(blocks[1].fields().count(), 1);
        assert_eq!(ids(&blocks).count(), 0);
        assert_eq!(blocks[2].fields().next().and_then(Line::known), Some(Known::Retry));
    }
}
