//! The field interpretation of the standard, for one line.
//!
//! Names, colons and spaces are ASCII, so it needs no decoded text.

use core::ops::Range;

/// A line that is not blank, split into its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Parsed {
    Comment,
    Field(Field),
}

/// A field; the ranges are those of the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) kind: FieldKind,
    pub(crate) name: Range<usize>,
    pub(crate) value: Range<usize>,
    pub(crate) has_colon: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FieldKind {
    Data,
    Event,
    Id,
    Retry,
    Unknown,
}

/// A line is a comment if it starts with a colon; otherwise its name ends at the first colon, and
/// one space after that colon does not count. Without a colon the whole line is the name
/// (`whatwg-sse/comment-line`, `whatwg-sse/field-split`, `whatwg-sse/field-space`,
/// `whatwg-sse/field-no-colon`). Names are compared as they are: no case folding, no trimming
/// (`whatwg-sse/field-name-literal`).
///
/// Without `INSPECT`, the name and value of an unknown field are not searched for.
#[inline(always)]
pub(crate) fn parse<const INSPECT: bool>(line: &[u8]) -> Parsed {
    let (kind, rest) = match line {
        [b':', ..] => return Parsed::Comment,
        [b'd', b'a', b't', b'a', rest @ ..] => (FieldKind::Data, rest),
        [b'i', b'd', rest @ ..] => (FieldKind::Id, rest),
        [b'e', b'v', b'e', b'n', b't', rest @ ..] => (FieldKind::Event, rest),
        [b'r', b'e', b't', b'r', b'y', rest @ ..] => (FieldKind::Retry, rest),
        line => return Parsed::Field(unknown::<INSPECT>(line)),
    };
    let end = line.len();
    let name = end - rest.len();
    let (value, has_colon) = match rest {
        [b':', b' ', ..] => (name + 2, true),
        [b':', ..] => (name + 1, true),
        [] => (end, false),
        _ => return Parsed::Field(unknown::<INSPECT>(line)),
    };
    Parsed::Field(Field { kind, name: 0..name, value: value..end, has_colon })
}

fn unknown<const INSPECT: bool>(line: &[u8]) -> Field {
    let end = line.len();
    let colon = if INSPECT { memchr::memchr(b':', line) } else { None };
    let (name, value) = match colon {
        Some(colon) => (colon, colon + 1 + usize::from(line.get(colon + 1) == Some(&b' '))),
        None => (end, end),
    };
    Field { kind: FieldKind::Unknown, name: 0..name, value: value..end, has_colon: colon.is_some() }
}

/// The number of a `retry` field, or `None` unless it is at least one ASCII digit and nothing else
/// (`whatwg-sse/field-retry`). A number too large for the type becomes the largest one.
pub(crate) fn parse_retry(value: &[u8]) -> Option<u64> {
    if value.is_empty() {
        return None;
    }
    value.iter().try_fold(0_u64, |millis, &byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        Some(millis.saturating_mul(10).saturating_add(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A JSON reader would round such numbers, so they are not in the corpus.
    #[test]
    fn a_huge_retry_saturates() {
        assert_eq!(parse_retry(b"18446744073709551615"), Some(u64::MAX));
        assert_eq!(parse_retry(b"18446744073709551616"), Some(u64::MAX));
        assert_eq!(parse_retry(&b"9".repeat(400)), Some(u64::MAX));
        assert_eq!(parse_retry(alloc::format!("{}7", "0".repeat(400)).as_bytes()), Some(7));
        assert_eq!(parse_retry(alloc::format!("{}x", "9".repeat(400)).as_bytes()), None);
    }

    #[test]
    fn a_line_comes_apart_at_its_first_colon() {
        let field =
            |kind, name, value, has_colon| Parsed::Field(Field { kind, name, value, has_colon });
        assert_eq!(parse::<true>(b"data: a:b"), field(FieldKind::Data, 0..4, 6..9, true));
        assert_eq!(parse::<true>(b"data"), field(FieldKind::Data, 0..4, 4..4, false));
        assert_eq!(parse::<true>(b"id:"), field(FieldKind::Id, 0..2, 3..3, true));
        assert_eq!(parse::<true>(b" :"), field(FieldKind::Unknown, 0..1, 2..2, true));
        assert_eq!(parse::<true>(b": x"), Parsed::Comment);
    }
}
