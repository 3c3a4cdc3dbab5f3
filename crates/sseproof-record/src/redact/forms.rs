//! The encodings in which a server may repeat a secret, each with a replacement that is valid in it.

use std::collections::BTreeSet;

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// How libraries escape a quotation mark and an apostrophe in HTML: Python, PHP, Go, JavaScript.
const HTML: [(&str, &str); 8] = [
    ("&quot;", "'"),
    ("&quot;", "&#39;"),
    ("&quot;", "&#x27;"),
    ("&quot;", "&#039;"),
    ("&quot;", "&apos;"),
    ("&#34;", "&#39;"),
    ("&#x22;", "&#x27;"),
    ("\"", "'"),
];
/// Fewer characters of base64 may occur by chance.
const SHORTEST_BASE64: usize = 7;

/// A secret in one encoding.
#[derive(Clone, Debug)]
pub(super) struct Form {
    pub(super) bytes: Vec<u8>,
    /// `redacted-1`
    word: String,
    letters: Letters,
    is_plain: bool,
}

/// The characters that the encoding permits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Letters {
    Any,
    Base64,
    Hex,
}

impl Form {
    /// Only a secret that is not encoded may change its length.
    pub(super) fn word(&self, keeps_length: bool) -> String {
        if self.is_plain && !keeps_length {
            return self.word.clone();
        }
        fitted(&self.word, self.bytes.len(), self.letters)
    }
}

/// The word with that length; its number distinguishes secrets, also short ones.
pub(super) fn fitted(word: &str, length: usize, letters: Letters) -> String {
    let number = word.trim_start_matches("redacted-");
    // The widths of `format!` end at 65,535, and a secret may be longer.
    let fill = |with: &str, text: &str| with.repeat(length.saturating_sub(text.len()));
    let mut fitted = match letters {
        Letters::Hex => fill("0", number) + number,
        Letters::Base64 => format!("redacted{number}"),
        Letters::Any if word.len() <= length => word.to_owned(),
        Letters::Any => format!("r{number}"),
    };
    fitted += &fill("x", &fitted);
    fitted.truncate(length);
    fitted
}

/// Whether the value is a replacement.
pub(super) fn is_word(value: &[u8]) -> bool {
    let is_short = value.strip_prefix(b"r").is_some_and(|rest| {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        digits > 0 && rest[digits..].iter().all(|byte| *byte == b'x')
    });
    is_short || value.starts_with(b"redacted")
}

/// The secret itself in other forms: without the encoding of a URL or of JSON.
pub(super) fn plain(value: &[u8]) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    if value.contains(&b'%') {
        all.push(without_percent(value));
    }
    if value.contains(&b'\\') {
        let quoted = [b"\"", value, b"\""].concat();
        all.extend(serde_json::from_slice::<String>(&quoted).map(String::into_bytes));
    }
    all
}

fn without_percent(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((&first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if first == b'%' => {
                out.push(byte);
                rest = &after[2..];
            }
            _ => {
                out.push(first);
                rest = after;
            }
        }
    }
    out
}

/// The secret in each encoding, first as it is.
pub(super) fn of(value: &[u8], word: &str) -> Vec<Form> {
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    let mut add = |bytes: Vec<u8>, letters, is_plain| {
        if seen.insert(bytes.clone()) {
            all.push(Form { bytes, word: word.to_owned(), letters, is_plain });
        }
    };
    add(value.to_vec(), Letters::Any, true);
    for is_kept in [
        (|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)) as fn(u8) -> bool,
        |byte| byte.is_ascii_alphanumeric() || b"-._~!*'()".contains(&byte),
        |byte| byte.is_ascii_alphanumeric(),
        |_| false,
    ] {
        let upper = percent(value, is_kept);
        // Forms have a plus for a blank.
        add(upper.replace("%20", "+").into_bytes(), Letters::Any, false);
        add(percent_lower(&upper).into_bytes(), Letters::Any, false);
        add(upper.into_bytes(), Letters::Any, false);
    }
    if let Ok(text) = std::str::from_utf8(value) {
        for text in in_json(text) {
            add(text.into_bytes(), Letters::Any, false);
        }
        let html = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        for (quote, apostrophe) in HTML {
            let html = html.replace('"', quote).replace('\'', apostrophe);
            add(html.into_bytes(), Letters::Any, false);
        }
    }
    for offset in 0..3 {
        let standard = base64(value, offset);
        if standard.len() >= SHORTEST_BASE64 {
            let in_urls = standard.replace('+', "-").replace('/', "_");
            let in_query = percent(standard.as_bytes(), |byte| byte.is_ascii_alphanumeric());
            let in_json = standard.replace('/', "\\/");
            for text in [standard, in_urls, in_query, in_json] {
                add(text.into_bytes(), Letters::Base64, false);
            }
        }
    }
    let hex: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
    add(hex.to_uppercase().into_bytes(), Letters::Hex, false);
    add(hex.into_bytes(), Letters::Hex, false);
    all
}

fn percent(value: &[u8], is_kept: impl Fn(u8) -> bool) -> String {
    let encoded = |byte: &u8| {
        if is_kept(*byte) { char::from(*byte).to_string() } else { format!("%{byte:02X}") }
    };
    value.iter().map(encoded).collect()
}

fn percent_lower(text: &str) -> String {
    let mut out = String::new();
    let mut left = 0;
    for char in text.chars() {
        if char == '%' {
            left = 2;
            out.push(char);
        } else {
            out.push(if left > 0 { char.to_ascii_lowercase() } else { char });
            left = left.max(1) - 1;
        }
    }
    out
}

/// As the usual libraries write it: only what must be escaped, also `/`, also characters beyond
/// ASCII, also those of HTML.
fn in_json(text: &str) -> Vec<String> {
    let Ok(quoted) = serde_json::to_string(text) else { return Vec::new() };
    let least = quoted[1..quoted.len() - 1].to_owned();
    let escaped = |is: fn(char) -> bool| -> String {
        let mut units = [0; 2];
        let mut out = String::new();
        for char in least.chars() {
            if is(char) {
                for unit in char.encode_utf16(&mut units) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            } else {
                out.push(char);
            }
        }
        out
    };
    let ascii = escaped(|char| !char.is_ascii());
    let html = escaped(|char| "<>&".contains(char));
    let html_quote = escaped(|char| "<>&'+".contains(char));
    vec![ascii.replace('/', "\\/"), least.replace('/', "\\/"), ascii, html, html_quote, least]
}

/// The characters of base64 that the secret decides alone, after that many other bytes.
fn base64(value: &[u8], offset: usize) -> String {
    let bytes: Vec<u8> = std::iter::repeat_n(0, offset).chain(value.iter().copied()).collect();
    let bit = |at: usize| bytes[at / 8] >> (7 - at % 8) & 1;
    let first = (offset * 8).div_ceil(6);
    let six = |at: usize| (at * 6..at * 6 + 6).fold(0, |sum, at| sum << 1 | bit(at));
    let chars = (first..bytes.len() * 8 / 6).map(|at| STANDARD[usize::from(six(at))]);
    chars.map(char::from).collect()
}

/// The bytes of a text in base64, of either alphabet; empty if it is none.
pub(super) fn decoded(text: &[u8]) -> Vec<u8> {
    let (mut out, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for byte in text.iter().filter(|byte| **byte != b'=') {
        let byte = match byte {
            b'-' => b'+',
            b'_' => b'/',
            byte => *byte,
        };
        let Some(six) = STANDARD.iter().position(|known| *known == byte) else { return Vec::new() };
        bits = (bits << 6 | u32::try_from(six).unwrap_or(0)) & 0xFFFF;
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push(u8::try_from(bits >> count & 0xFF).unwrap_or(0));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_known_in_each_encoding() {
        let secret = "s3cr/t+\"é\" k&y";
        let texts: Vec<_> = of(secret.as_bytes(), "redacted-1")
            .into_iter()
            .map(|form| String::from_utf8(form.bytes).unwrap())
            .collect();
        for expected in [
            secret,
            "s3cr%2Ft%2B%22%C3%A9%22%20k%26y",
            "s3cr%2ft%2b%22%c3%a9%22%20k%26y",
            "s3cr%2Ft%2B%22%C3%A9%22+k%26y",
            "s3cr/t+\\\"é\\\" k&y",
            "s3cr\\/t+\\\"\\u00e9\\\" k&y",
            "s3cr/t+\\\"é\\\" k\\u0026y",
            "s3cr/t+&quot;é&quot; k&amp;y",
            "czNjci90KyLDqSIgayZ5",
            "czNjci90KyLDqSIgayZ5",
            "733363722f742b22c3a922206b2679",
        ] {
            assert!(texts.iter().any(|text| text == expected), "{expected}: {texts:#?}");
        }
        assert_eq!(decoded(b"czNjci90KyLDqSIgayZ5"), secret.as_bytes());
        assert_eq!(decoded(b"!"), b"");
    }

    #[test]
    fn a_replacement_is_valid_in_its_encoding() {
        for (letters, length, expected) in [
            (Letters::Any, 12, "redacted-1xx"),
            (Letters::Any, 6, "r1xxxx"),
            (Letters::Base64, 12, "redacted1xxx"),
            (Letters::Hex, 6, "000001"),
        ] {
            assert_eq!(fitted("redacted-1", length, letters), expected);
        }
        for letters in [Letters::Any, Letters::Base64, Letters::Hex] {
            assert_eq!(fitted("redacted-1", 100_000, letters).len(), 100_000);
        }
        for word in ["redacted-1", "redacted1xx", "r1xxxx"] {
            assert!(is_word(word.as_bytes()), "{word}");
        }
        assert!(!is_word(b"r1x2") && !is_word(b"rx"));
    }
}
