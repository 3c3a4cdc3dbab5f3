//! Bytes as text, and where they are not UTF-8.

use alloc::borrow::Cow;
use alloc::string::String;
use core::ops::Range;

use crate::touched::touch;

/// The bytes as text, with U+FFFD in place of what is not UTF-8 (`whatwg-sse/utf8-decode`).
///
/// A line end, a colon and a space are ASCII, so invalid bytes never swallow them, and decoding
/// each value is the same as decoding the stream.
#[inline]
pub(crate) fn text(bytes: &[u8]) -> Cow<'_, str> {
    touch(bytes.len());
    match simdutf8::basic::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => lossy(bytes),
    }
}

#[cold]
fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    touch(bytes.len());
    String::from_utf8_lossy(bytes)
}

#[inline]
pub(crate) fn is_text(bytes: &[u8]) -> bool {
    touch(bytes.len());
    simdutf8::basic::from_utf8(bytes).is_ok()
}

/// The length of the bytes as text.
pub(crate) fn text_len(bytes: &[u8]) -> usize {
    let replaced = |chunk: core::str::Utf8Chunk<'_>| match chunk.invalid() {
        [] => chunk.valid().len(),
        _ => chunk.valid().len() + '\u{FFFD}'.len_utf8(),
    };
    if is_text(bytes) { bytes.len() } else { bytes.utf8_chunks().map(replaced).sum() }
}

/// The start of the last character if it is incomplete; otherwise the end of the bytes.
pub(crate) fn whole_characters(bytes: &[u8]) -> usize {
    let len = bytes.len();
    for (behind, &byte) in bytes.iter().rev().take(3).enumerate() {
        let width = match byte {
            ..0x80 => return len,
            0x80..0xC0 => continue,
            0xC0..0xE0 => 2,
            0xE0..0xF0 => 3,
            0xF0.. => 4,
        };
        return if width > behind + 1 { len - behind - 1 } else { len };
    }
    len
}

/// The first run of adjacent bytes from `from` on that are not UTF-8; `from` is a boundary.
pub(crate) fn invalid_run(bytes: &[u8], from: usize) -> Option<Range<usize>> {
    let mut run: Option<Range<usize>> = None;
    let mut at = from;
    for chunk in bytes[from..].utf8_chunks() {
        let valid = chunk.valid().len();
        touch(valid + chunk.invalid().len());
        match &mut run {
            Some(run) if valid > 0 => return Some(run.clone()),
            Some(run) => run.end = at + chunk.invalid().len(),
            None if chunk.invalid().is_empty() => return None,
            None => run = Some(at + valid..at + valid + chunk.invalid().len()),
        }
        at += valid + chunk.invalid().len();
    }
    run
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adjacent_bad_bytes_are_one_run() {
        let bytes = b"a\xFF\xE2\x82b\x80";
        assert_eq!(invalid_run(bytes, 0), Some(1..4));
        assert_eq!(invalid_run(bytes, 4), Some(5..6));
        assert_eq!(invalid_run(bytes, 6), None);
        assert_eq!(text_len(bytes), text(bytes).len());
    }

    #[test]
    fn a_cut_character_is_left_out() {
        for (bytes, front) in [
            (&b"a\xE2\x98"[..], 1),
            (b"a\xE2\x98\x95", 4),
            (b"\xF0\x9F\x98", 0),
            (b"a\xC3", 1),
            (b"a\x80", 2),
            (b"", 0),
        ] {
            assert_eq!(whole_characters(bytes), front, "{bytes:?}");
        }
    }
}
