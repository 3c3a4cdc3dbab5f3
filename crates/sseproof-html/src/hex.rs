//! The bytes around a fault, in hex and as text, with one byte marked.

use maud::{Markup, html};
use sseproof_report::dump::{end_words, text_cells};
use sseproof_rules::Excerpt;

use crate::quoted::line;

const PER_LINE: usize = 16;

/// The excerpt; `is_body` says whether its bytes belong to the stream, and not to its framing.
pub(crate) fn hex(excerpt: &Excerpt, is_body: bool) -> Markup {
    let bytes = &*excerpt.bytes;
    let last = excerpt.start.saturating_add(bytes.len() as u64);
    let digits = last.to_string().len().max(4);
    let mark = excerpt.mark.checked_sub(excerpt.start).and_then(|at| usize::try_from(at).ok());
    let texts = text_cells(bytes, PER_LINE);
    let is_after = mark == Some(bytes.len());
    html! {
        pre.hex tabindex="0" {
            @for (row, bytes) in bytes.chunks(PER_LINE).enumerate() {
                @let first = row * PER_LINE;
                @let marked = mark.and_then(|at| at.checked_sub(first)).filter(|at| *at < bytes.len());
                span.offset { (format!("{:>digits$}", excerpt.start.saturating_add(first as u64))) }
                "  "
                @for (at, byte) in bytes.iter().enumerate() {
                    @if at > 0 { " " }
                    @if marked == Some(at) { mark { (format!("{byte:02x}")) } }
                    @else { (format!("{byte:02x}")) }
                }
                (" ".repeat((PER_LINE - bytes.len()) * 3 + 3))
                @for (at, cell) in texts[first..first + bytes.len()].iter().enumerate() {
                    @if marked == Some(at) { mark { (line(cell)) } } @else { (line(cell)) }
                }
                "\n"
            }
            @if is_after {
                span.offset { (format!("{last:>digits$}")) }
                "  "
                mark { (end_words(excerpt, is_body)) }
                "\n"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(bytes: &[u8], mark: u64) -> String {
        hex(&Excerpt { start: 6, bytes: bytes.into(), mark, at_end: true }, true).0
    }

    #[test]
    fn the_marked_byte_is_marked_in_both_columns() {
        insta::assert_snapshot!(shown(b"id: <42>\ndata: caf\xE9\r\n\r\n", 24));
    }

    #[test]
    fn what_is_missing_is_marked_at_the_end() {
        insta::assert_snapshot!(shown(b"data: 1\n", 14));
        insta::assert_snapshot!(shown(b"", 6));
    }

    #[test]
    fn no_excerpt_is_too_odd() {
        for (start, mark) in [(0, u64::MAX), (9, 3), (u64::MAX, u64::MAX), (u64::MAX, 0)] {
            for bytes in [&b""[..], b"x", b"\xE6\x97", b"0123456789abcdef0"] {
                hex(&Excerpt { start, bytes: bytes.into(), mark, at_end: true }, false);
            }
        }
    }
}
