//! What one line says: the field interpretation of the standard, on a line that is decoded already.

use core::ops::Range;

/// A line that is not blank, taken apart. The ranges are those of its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Parsed {
    Comment { text: Range<usize> },
    Field(Field),
}

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

/// A line is a comment if it starts with a colon; else its name ends at the first colon, and one
/// space behind that colon does not count. Without a colon the whole line is the name
/// (`whatwg-sse/comment-line`, `whatwg-sse/field-split`, `whatwg-sse/field-space`, `whatwg-sse/field-no-colon`).
pub(crate) fn parse(line: &str) -> Parsed {
    let end = line.len();
    Parsed::Field(match memchr::memchr(b':', line.as_bytes()) {
        Some(0) => return Parsed::Comment { text: 1..end },
        Some(colon) => {
            let space = line.as_bytes().get(colon + 1) == Some(&b' ');
            let value = colon + 1 + usize::from(space)..end;
            Field { kind: kind(&line[..colon]), name: 0..colon, value, has_colon: true }
        }
        None => Field { kind: kind(line), name: 0..end, value: end..end, has_colon: false },
    })
}

/// Names are compared as they are: no case folding, no trimming (`whatwg-sse/field-name-literal`).
fn kind(name: &str) -> FieldKind {
    match name {
        "data" => FieldKind::Data,
        "event" => FieldKind::Event,
        "id" => FieldKind::Id,
        "retry" => FieldKind::Retry,
        _ => FieldKind::Unknown,
    }
}

/// The number of a `retry` field, or `None` unless it is at least one ASCII digit and nothing else
/// (`whatwg-sse/field-retry`). What is too large for the type is as long as the type can say.
pub(crate) fn parse_retry(value: &str) -> Option<u64> {
    if value.is_empty() {
        return None;
    }
    value.bytes().try_fold(0_u64, |millis, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        Some(millis.saturating_mul(10).saturating_add(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The corpus holds no number that a JSON reader would round, so the huge ones are here.
    #[test]
    fn a_huge_retry_saturates() {
        assert_eq!(parse_retry("18446744073709551615"), Some(u64::MAX));
        assert_eq!(parse_retry("18446744073709551616"), Some(u64::MAX));
        assert_eq!(parse_retry(&"9".repeat(400)), Some(u64::MAX));
        assert_eq!(parse_retry(&alloc::format!("{}7", "0".repeat(400))), Some(7));
        assert_eq!(parse_retry(&alloc::format!("{}x", "9".repeat(400))), None);
    }

    #[test]
    fn a_line_comes_apart_at_its_first_colon() {
        let field =
            |kind, name, value, has_colon| Parsed::Field(Field { kind, name, value, has_colon });
        assert_eq!(parse("data: a:b"), field(FieldKind::Data, 0..4, 6..9, true));
        assert_eq!(parse("data"), field(FieldKind::Data, 0..4, 4..4, false));
        assert_eq!(parse("id:"), field(FieldKind::Id, 0..2, 3..3, true));
        assert_eq!(parse(" :"), field(FieldKind::Unknown, 0..1, 2..2, true));
        assert_eq!(parse(": x"), Parsed::Comment { text: 1..3 });
    }
}
