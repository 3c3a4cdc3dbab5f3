//! The payloads that encoders get wrong.

use sseproof_record::{PLAIN, Part};

pub(super) struct Payload {
    pub(super) name: &'static str,
    start: &'static str,
    /// A text that follows the start, and how often.
    repeated: (&'static str, usize),
}

impl Payload {
    pub(super) fn text(&self) -> String {
        let (text, times) = self.repeated;
        format!("{}{}", self.start, text.repeat(times))
    }

    pub(super) fn forges(&self) -> bool {
        self.name.contains("after")
    }
}

const fn text(name: &'static str, start: &'static str) -> Payload {
    Payload { name, start, repeated: ("", 0) }
}

/// The payloads for this part. Those that forge a field have it after a line end. They come first:
/// if time is short, the others are left out.
pub(super) const fn payloads(part: Part) -> &'static [Payload] {
    match part {
        Part::Data => DATA,
        Part::Event => EVENT_NAMES,
        Part::Id => IDS,
        Part::Comment => COMMENTS,
    }
}

const DATA: &[Payload] = &[
    text("an event after LFs", "a\n\ndata: sseproof-forged"),
    text("an event after CRs", "a\r\rdata: sseproof-forged"),
    text("an event after CRLFs", "a\r\n\r\ndata: sseproof-forged"),
    text("a data field after a CR", "a\rdata: sseproof-forged"),
    text("an event type after an LF", "a\nevent: sseproof-forged"),
    text("an event type after a CR", "a\revent: sseproof-forged"),
    text("an id after an LF", "a\nid: sseproof-forged"),
    text("a retry after an LF", "a\nretry: 86399999"),
    text("an LF", "a\nb"),
    text("a CR", "a\rb"),
    text("a CRLF", "a\r\nb"),
    text("several LFs", "a\n\n\nb\nc"),
    text("several CRs", "a\r\r\rb"),
    text("several CRLFs", "a\r\n\r\n\r\nb"),
    text("LF, CR and CRLF mixed", "a\rb\nc\r\nd"),
    text("a leading LF", "\na"),
    text("a leading CR", "\ra"),
    text("a leading CRLF", "\r\na"),
    text("a trailing LF", "a\n"),
    text("a trailing CR", "a\r"),
    text("a trailing CRLF", "a\r\n"),
    text("two trailing LFs", "a\n\n"),
    text("only an LF", "\n"),
    text("only a CR", "\r"),
    text("only a CRLF", "\r\n"),
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
    Payload { name: "1,000 lines", start: "first", repeated: ("\nnext", 999) },
    Payload { name: "64 KiB in one line", start: "", repeated: ("0123456789abcdef", 4_096) },
];

/// Payloads so long that they have a step of their own: a recording has each several times.
pub(super) const LONG: &[Payload] = &[
    Payload { name: "10,000 lines", start: "first", repeated: ("\nnext", 9_999) },
    Payload { name: "1 MiB in one line", start: "", repeated: ("0123456789abcdef", 65_536) },
];

const EVENT_NAMES: &[Payload] =
    &values(text("a data field after a CR", "a\rdata: sseproof-forged"));

const IDS: &[Payload] = &values(text("an event type after a CR", "a\revent: sseproof-forged"));

/// The payloads for a value in one line.
const fn values(after_cr: Payload) -> [Payload; 14] {
    [
        text("nothing special", PLAIN),
        text("a data field after an LF", "a\ndata: sseproof-forged"),
        after_cr,
        text("an event after CRLFs", "a\r\n\r\ndata: sseproof-forged"),
        text("an LF", "a\nb"),
        text("a CR", "a\rb"),
        text("a CRLF", "a\r\nb"),
        text("a trailing LF", "a\n"),
        text("a NUL", "a\0b"),
        text("a leading space", " a"),
        text("a trailing space", "a "),
        text("nothing", ""),
        text("a field", "data: x"),
        text("characters that Latin-1 lacks", "caf\u{e9}-\u{2615}"),
    ]
}

const COMMENTS: &[Payload] = &[
    text("nothing special", PLAIN),
    text("a data field after an LF", "a\ndata: sseproof-forged"),
    text("a data field after a CR", "a\rdata: sseproof-forged"),
    text("an event after CRLFs", "a\r\n\r\ndata: sseproof-forged"),
    text("an LF", "a\nb"),
    text("a CR", "a\rb"),
    text("a CRLF", "a\r\nb"),
    text("an empty line", "a\n\nb"),
    text("a field", "data: x"),
    text("characters that Latin-1 lacks", "caf\u{e9}-\u{2615}"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use sseproof_record::{FORGED, FORGED_RETRY};

    #[test]
    fn payloads_that_forge_have_the_marks_of_the_rules_and_come_first() {
        for part in Part::ALL {
            let all = payloads(part);
            for payload in all.iter().filter(|payload| payload.forges()) {
                let retry = FORGED_RETRY.to_string();
                let text = payload.text();
                assert!(text.ends_with(FORGED) || text.ends_with(&retry), "{}", payload.name);
            }
            // After the plain one, which arrives if any does.
            let rest = if part == Part::Data { all } else { &all[1..] };
            assert!(rest.is_sorted_by_key(|payload| !payload.forges()), "{part:?}");
            assert!(part == Part::Data || all[0].text() == PLAIN, "{part:?}");
        }
    }

    #[test]
    fn names_are_unique() {
        for part in Part::ALL {
            let names: std::collections::BTreeSet<_> =
                payloads(part).iter().map(|one| one.name).collect();
            assert_eq!(names.len(), payloads(part).len());
        }
    }
}
