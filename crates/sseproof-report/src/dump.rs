//! Bytes in hex and as text, with one offset marked.

use std::fmt::Write;

use sseproof_rules::Excerpt;
use unicode_width::UnicodeWidthChar;

use crate::text::columns;

const MARK: char = '▲';

/// The lines of the dump, in at most `width` columns if possible (at least eight bytes per line);
/// `body` says whether the bytes belong to the stream, and not to its framing.
pub fn dump(excerpt: &Excerpt, body: bool, width: usize) -> Vec<String> {
    let bytes = &*excerpt.bytes;
    let last = excerpt.start.saturating_add(bytes.len() as u64);
    let digits = last.to_string().len().max(4);
    let per_line = if digits + 2 + 16 * 4 + 2 <= width { 16 } else { 8 };
    let hex_width = per_line * 3 - 1;
    let mark = excerpt.mark.checked_sub(excerpt.start).and_then(|at| usize::try_from(at).ok());
    let texts = text_cells(bytes, per_line);
    let mut lines = Vec::new();
    for (row, line) in bytes.chunks(per_line).enumerate() {
        let first = row * per_line;
        let offset = excerpt.start.saturating_add(first as u64);
        let mut hex = hex_of(line);
        if mark == Some(bytes.len()) && first + line.len() == bytes.len() {
            let end = format!(" {}", end_words(excerpt, body));
            if hex.len() + columns(&end) <= hex_width {
                hex.push_str(&end);
            }
        }
        let pad = " ".repeat(hex_width.saturating_sub(columns(&hex)));
        let text: String = texts[first..first + line.len()].concat();
        lines.push(format!("{offset:>digits$}  {hex}{pad}   {text}").trim_end().to_owned());
        if let Some(at) = mark.filter(|at| (first..first + line.len()).contains(at)) {
            let at = at - first;
            let hex_pad = " ".repeat(digits + 2 + at * 3);
            let between = " ".repeat(hex_width - (at * 3 + 1) + 3 + at);
            lines.push(format!("{hex_pad}{MARK}{between}{MARK}"));
        }
    }
    let end_is_shown = lines.last().is_some_and(|line| line.contains(MARK));
    if mark == Some(bytes.len()) && !end_is_shown {
        lines.push(format!("{last:>digits$}  {}", end_words(excerpt, body)));
    }
    lines
}

pub fn end_words(excerpt: &Excerpt, body: bool) -> String {
    match (excerpt.at_end, body) {
        (false, _) => MARK.to_string(),
        (true, true) => format!("{MARK} end of the stream"),
        (true, false) => format!("{MARK} end of the bytes"),
    }
}

fn hex_of(bytes: &[u8]) -> String {
    let mut hex = String::with_capacity(bytes.len() * 3);
    for byte in bytes {
        let space = if hex.is_empty() { "" } else { " " };
        // Writing into a string does not fail.
        let _ = write!(hex, "{space}{byte:02x}");
    }
    hex
}

/// The text of each byte, one column per byte: a character of several bytes is at the first one and
/// padded to their number. Others that do not fit or are invisible are dots.
pub fn text_cells(bytes: &[u8], per_line: usize) -> Vec<String> {
    let mut cells = Vec::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for char in chunk.valid().chars() {
            let room = per_line - cells.len() % per_line;
            let width = char.width().unwrap_or(0);
            let shown = match char {
                '\n' => '␊',
                '\r' => '␍',
                char if char.is_control() || width == 0 || width > room => '·',
                char => char,
            };
            cells.push(shown.to_string());
            let shown_width = shown.width().unwrap_or(1);
            // A wide character also covers the cell of its second byte.
            for index in 1..char.len_utf8() {
                cells.push(if index < shown_width { String::new() } else { " ".to_owned() });
            }
        }
        cells.extend(chunk.invalid().iter().map(|_| "·".to_owned()));
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;
    use insta::assert_snapshot;

    fn excerpt(start: u64, bytes: &[u8], mark: u64, at_end: bool) -> Excerpt {
        Excerpt { start, bytes: bytes.into(), mark, at_end }
    }

    fn shown(start: u64, bytes: &[u8], mark: u64, at_end: bool) -> String {
        dump(&excerpt(start, bytes, mark, at_end), true, 100).join("\n")
    }

    #[test]
    fn the_marked_byte_is_marked_on_both_sides() {
        assert_snapshot!(shown(6, b"id: 42\ndata: caf\xE9\r\n\r\n", 22, true));
    }

    #[test]
    fn what_is_missing_is_marked_at_the_end() {
        assert_snapshot!(shown(1020, b"id: 42\ndata: {\"n\":42}\n", 1042, true));
        assert_snapshot!(shown(0, b"sixteen bytes, :", 16, true));
        assert_snapshot!(shown(0, b"", 0, true));
    }

    #[test]
    fn characters_of_many_bytes_keep_the_columns() {
        let bytes = "data: é日本🦀\u{301}\u{feff}\0\tdata: 1234567890日".as_bytes();
        assert_snapshot!(shown(0, bytes, 40, false));
    }

    #[test]
    fn a_narrow_terminal_gets_eight_bytes_a_line() {
        let excerpt = excerpt(99_990, b"data: one\n\ndata: two\n\n", 100_001, false);
        let lines = dump(&excerpt, true, 60);
        assert!(lines.iter().all(|line| columns(line) <= 60));
        assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn no_excerpt_is_too_odd() {
        for (start, mark) in [(0, u64::MAX), (9, 3), (u64::MAX, u64::MAX), (u64::MAX, 0)] {
            for bytes in [&b""[..], b"x", b"\xE6\x97", b"0123456789abcdef0"] {
                for width in [0, 20, 200] {
                    dump(&excerpt(start, bytes, mark, true), false, width);
                }
            }
        }
    }
}
