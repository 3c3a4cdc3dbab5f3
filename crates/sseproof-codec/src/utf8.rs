//! What of some bytes is UTF-8.

use core::ops::Range;

/// The bytes as text, save a character at their end that is not complete; `None` if anything else
/// is wrong.
pub(crate) fn valid_front(bytes: &[u8]) -> Option<&str> {
    simdutf8::basic::from_utf8(&bytes[..whole_characters(bytes)]).ok()
}

/// Where the last character begins, if the end of the bytes cuts it.
fn whole_characters(bytes: &[u8]) -> usize {
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

/// Whether the bytes are the beginning of a character, and nothing else.
pub(crate) fn is_cut(bytes: &[u8]) -> bool {
    str::from_utf8(bytes)
        .is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
}

/// Whether the beginning of a character goes on with this byte.
pub(crate) fn goes_on(begin: &[u8], byte: u8) -> bool {
    let mut bytes = [0; 4];
    let len = begin.len();
    if len >= bytes.len() {
        return false;
    }
    bytes[..len].copy_from_slice(begin);
    bytes[len] = byte;
    str::from_utf8(&bytes[..=len]).is_ok() || is_cut(&bytes[..=len])
}

/// The first run of adjacent bytes at or behind `from` that are not UTF-8; `from` is a boundary.
pub(crate) fn invalid_run(bytes: &[u8], from: usize) -> Option<Range<usize>> {
    let mut run: Option<Range<usize>> = None;
    let mut at = from;
    for chunk in bytes[from..].utf8_chunks() {
        let valid = chunk.valid().len();
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
    }

    #[test]
    fn a_cut_character_is_left_out() {
        for (bytes, front) in [
            (&b"a\xE2\x98"[..], Some("a")),
            (b"a\xE2\x98\x95", Some("a\u{2615}")),
            (b"\xF0\x9F\x98", Some("")),
            (b"a\xC3", Some("a")),
            (b"a\xFFb", None),
            (b"a\x80", None),
            (b"", Some("")),
        ] {
            assert_eq!(valid_front(bytes), front, "{bytes:?}");
        }
        assert!(goes_on(b"\xE2", 0x98) && goes_on(b"\xE2\x98", 0x95));
        assert!(!goes_on(b"\xE2", b'a') && !goes_on(b"\xE0", 0x80));
    }
}
