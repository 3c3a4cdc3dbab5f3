//! Classifies lines with unknown field names.
//!
//! The standard lets a client ignore them, so that the format can grow: an unknown name alone is
//! not a fault. The form and the place of the line distinguish a vendor's extension from a payload
//! that has lost its `data:`.

use std::collections::BTreeSet;

use super::lines::{BOM, Block, Known, Line, LineEnd, whole_lines};
use super::tally::each_stream;
use crate::{Fault, Record, Verdict, View};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unknown {
    /// A known field in another case, or with white space around its name.
    Misspelled(&'static str),
    Payload(Cause),
    /// The rest of a line that a comment cut in two; the comment begins at this offset.
    AfterComment(u64),
    /// A field of a vendor.
    Extension,
}

/// The cause that made a part of a payload a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// The payload has a line feed, and only its first line got its `data:`.
    LineFeed,
    /// The payload has a lone CR, which ends a line like any other line end.
    CarriageReturn,
    /// It never had a `data:`.
    NoPrefix,
}

/// The lines without a known name, in stream order.
///
/// Left out are those that begin with a byte order mark or that are not UTF-8: they have rules of
/// their own.
fn unknown_lines<'l, 'b>(blocks: &'l [Block<'b>]) -> Vec<(&'l Line<'b>, Unknown)> {
    let ends = || blocks.iter().flat_map(Block::line_ends);
    let lone = ends().filter(|&end| end == LineEnd::Cr).count();
    let other = ends().filter(|end| matches!(end, LineEnd::Lf | LineEnd::CrLf)).count();
    let cr_is_foreign = lone < other;
    let lines = blocks.iter().flat_map(Block::lines);
    let comments: BTreeSet<_> =
        lines.filter(|line| line.is_comment()).map(|line| line.bytes).collect();
    let mut found = Vec::new();
    let mut before: Option<&Line<'_>> = None;
    for block in blocks {
        let mut after_data = false;
        let last_data = block.all(Known::Data).last().map_or(0, |line| line.start);
        for line in block.lines() {
            let after_cr = cr_is_foreign
                && before.is_some_and(|before| {
                    before.end == LineEnd::Cr
                        && before.start + before.bytes.len() as u64 + 1 == line.start
                });
            let cut = before.and_then(|before| comment_inside(before, line, &comments));
            before = Some(line);
            if line.is_comment() {
                continue;
            }
            match line.known() {
                Some(Known::Data) => after_data = true,
                Some(_) => after_data = false,
                None if line.bytes.starts_with(BOM) || str::from_utf8(line.bytes).is_err() => {}
                None if let Some(offset) = cut => {
                    found.push((line, Unknown::AfterComment(offset)));
                }
                None => {
                    // A server that forgets the prefix of a line forgets it on all later ones.
                    let is_amid = last_data > line.start && is_name(line.bytes);
                    let after_data = after_data && !is_amid;
                    found.push((line, classify(line, after_data, after_cr)));
                }
            }
        }
    }
    found
}

/// Judges each stream by its lines with unknown names: `meant` chooses among them, and `fault` is
/// only built for the first of a stream.
pub(super) fn each_unknown<T>(
    record: &Record<'_>,
    meant: fn(Unknown) -> Option<T>,
    fault: fn(&View<'_>, &Line<'_>, T) -> Fault,
) -> Verdict {
    each_stream(record, "line", |view, tally| {
        let body = view.body_bytes();
        let blocks = whole_lines(view, &body);
        tally.look_at(blocks.iter().map(|block| block.lines().len() as u64).sum());
        for (line, unknown) in unknown_lines(&blocks) {
            if let Some(meant) = meant(unknown) {
                tally.fault(|| fault(view, line, meant));
            }
        }
    })
}

fn classify(line: &Line<'_>, after_data: bool, after_cr: bool) -> Unknown {
    let name = line.name();
    let indented = name.first().is_some_and(u8::is_ascii_whitespace);
    let spelling = ["data", "event", "id", "retry"]
        .into_iter()
        .find(|known| name.trim_ascii().eq_ignore_ascii_case(known.as_bytes()));
    match spelling {
        _ if after_cr => Unknown::Payload(Cause::CarriageReturn),
        Some(known) if line.has_colon() && !(indented && after_data) => Unknown::Misspelled(known),
        _ if after_data && !(line.has_colon() && is_name(name)) => {
            Unknown::Payload(Cause::LineFeed)
        }
        _ if !is_name(name) => Unknown::Payload(Cause::NoPrefix),
        _ => Unknown::Extension,
    }
}

/// The offset of the comment at the end of `cut` that a server wrote between two pieces of one line,
/// of which `rest` is the second.
///
/// A comment is known by its whole line elsewhere in the stream, by a usual word of heartbeats, or
/// because the payload is JSON only without it.
fn comment_inside(cut: &Line<'_>, rest: &Line<'_>, comments: &BTreeSet<&[u8]>) -> Option<u64> {
    let colons = (1..cut.bytes.len()).rev().filter(|&at| cut.bytes[at] == b':');
    let mut found = colons.filter(|&at| {
        let (front, comment) = cut.bytes.split_at(at);
        let is_known = comment.len() > 1 && comments.contains(comment) || is_heartbeat(comment);
        let whole = [front, rest.bytes].concat();
        let joined = Line { start: 0, bytes: &whole, end: rest.end };
        joined.known().is_some() && (is_known || is_json(joined.value()) && !is_json(cut.value()))
    });
    found.next().map(|at| cut.start + at as u64)
}

fn is_heartbeat(comment: &[u8]) -> bool {
    const WORDS: [&[u8]; 7] =
        [b"heartbeat", b"ping", b"keepalive", b"keep-alive", b"keep alive", b"hb", b"alive"];
    let text = comment[1..].trim_ascii().to_ascii_lowercase();
    WORDS.contains(&text.as_slice())
}

/// Whether it is an object or an array in JSON.
fn is_json(text: &[u8]) -> bool {
    matches!(text.trim_ascii_start(), [b'{' | b'[', ..])
        && serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok()
}

/// Whether it is plausible as the name of a field.
fn is_name(name: &[u8]) -> bool {
    const LONGEST: usize = 64;
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.$@#/+!*~".contains(byte);
    name.len() <= LONGEST && name.iter().all(fits)
}
