//! JSON as the rules of the profiles read it.

use serde_json::Value;

/// The replacement for half a character: the escape of one surrogate without the other one.
pub(super) const HALF: char = '\u{FFFD}';

/// The value if the text is JSON. A lone surrogate escape, which no string can contain, is read as
/// U+FFFD: other rules report it, and the rest of the payload can still be judged.
pub(super) fn read(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok().or_else(|| serde_json::from_str(&without_halves(text)?).ok())
}

/// The text with U+FFFD for each lone surrogate escape; `None` if there is none.
fn without_halves(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut found = false;
    while let Some(start) = rest.find('\\') {
        let (before, escape) = rest.split_at(start);
        out.push_str(before);
        let length = match surrogate(escape) {
            Some(0xD800..=0xDBFF) if matches!(surrogate(&escape[6..]), Some(0xDC00..)) => 12,
            Some(_) => {
                found = true;
                out.push(HALF);
                rest = &escape[6..];
                continue;
            }
            None => escape.char_indices().nth(2).map_or(escape.len(), |(end, _)| end),
        };
        out.push_str(&escape[..length]);
        rest = &escape[length..];
    }
    out.push_str(rest);
    found.then_some(out)
}

/// The surrogate whose escape begins the text.
fn surrogate(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    u32::from_str_radix(digits, 16).ok().filter(|code| (0xD800..0xE000).contains(code))
}

/// The value for a message: in backticks, and shortened.
pub(super) fn shown(value: &Value) -> String {
    crate::stream::quoted(value.to_string().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_character_is_read_as_a_replacement() {
        let text = |json| read(json).and_then(|value| value.as_str().map(str::to_owned));
        assert_eq!(text(r#""a\ud83db""#).as_deref(), Some("a\u{FFFD}b"));
        assert_eq!(text(r#""\ude00""#).as_deref(), Some("\u{FFFD}"));
        assert_eq!(text(r#""\ud83d\ude00""#).as_deref(), Some("😀"));
        assert_eq!(text(r#""\\ud83d\ud83d""#).as_deref(), Some("\\ud83d\u{FFFD}"));
        assert_eq!(text(r#""\ud8"#), None);
        assert_eq!(text("{\\"), None);
    }
}
