//! The payloads that encoders get wrong.

/// Data that an encoder may get wrong.
pub(super) struct Payload {
    /// What is dangerous about it, for messages.
    pub(super) name: &'static str,
    start: &'static str,
    /// How often what follows the start is repeated.
    repeated: (&'static str, usize),
}

impl Payload {
    /// The data itself.
    pub(super) fn data(&self) -> String {
        let (text, times) = self.repeated;
        format!("{}{}", self.start, text.repeat(times))
    }
}

const fn text(name: &'static str, start: &'static str) -> Payload {
    Payload { name, start, repeated: ("", 0) }
}

/// All of them. What forges a field, where it is taken for one, stands behind a line end.
pub(super) const PAYLOADS: &[Payload] = &[
    text("an event behind LFs", "a\n\ndata: sseproof-forged"),
    text("an event behind CRs", "a\r\rdata: sseproof-forged"),
    text("an event behind CRLFs", "a\r\n\r\ndata: sseproof-forged"),
    text("a data field behind a CR", "a\rdata: sseproof-forged"),
    text("an event type behind an LF", "a\nevent: sseproof-forged"),
    text("an event type behind a CR", "a\revent: sseproof-forged"),
    text("an id behind an LF", "a\nid: sseproof-forged"),
    text("a retry behind an LF", "a\nretry: 86399999"),
    text("an LF", "a\nb"),
    text("a CR", "a\rb"),
    text("a CRLF", "a\r\nb"),
    text("several LFs", "a\n\n\nb\nc"),
    text("LF, CR and CRLF mixed", "a\rb\nc\r\nd"),
    text("a leading LF", "\na"),
    text("a trailing LF", "a\n"),
    text("two trailing LFs", "a\n\n"),
    text("only an LF", "\n"),
    text("nothing", ""),
    text("a leading space", " a"),
    text("two leading spaces", "  a"),
    text("trailing spaces", "a  "),
    text("only a space", " "),
    text("tabs", "\ta\t"),
    text("a field", "data: x"),
    text("only a colon", ":"),
    text("a NUL", "a\0b"),
    text("a byte order mark", "\u{feff}a"),
    text("U+0085", "a\u{85}b"),
    text("U+2028", "a\u{2028}b"),
    text("U+2029", "a\u{2029}b"),
    text("a vertical tab", "a\u{b}b"),
    text("a form feed", "a\u{c}b"),
    text("information separators", "a\u{1c}b\u{1d}c\u{1e}d"),
    text("an emoji", "caf\u{e9} \u{1f469}\u{200d}\u{1f680}"),
    text("an escaped lone surrogate", r#"{"a":"\ud83d"}"#),
    text("backslashes", r"C:\new\table \\ \0"),
    Payload { name: "64 KiB in one line", start: "", repeated: ("0123456789abcdef", 4_096) },
    Payload { name: "1,000 lines", start: "first", repeated: ("\nnext", 999) },
];

#[cfg(test)]
mod tests {
    use super::*;
    use sseproof_exchange::{FORGED, FORGED_RETRY};

    #[test]
    fn what_forges_has_the_marks_that_the_rules_look_for() {
        let forging = PAYLOADS.iter().filter(|payload| payload.name.contains("behind"));
        for payload in forging {
            let retry = FORGED_RETRY.to_string();
            let data = payload.data();
            assert!(data.ends_with(FORGED) || data.ends_with(&retry), "{}", payload.name);
        }
    }

    #[test]
    fn every_name_is_its_own() {
        let names: std::collections::BTreeSet<_> = PAYLOADS.iter().map(|one| one.name).collect();
        assert_eq!(names.len(), PAYLOADS.len());
    }
}
