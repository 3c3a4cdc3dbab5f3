//! An HTTP/1 response as it stood on the wire, read by the grammar of RFC 9112: a client reads past
//! many a fault, and the fault is still there. Offsets count from the first byte on the wire.

use sseproof_record::{Header, Headers};

/// Something that the grammar does not allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Flaw {
    /// Where.
    pub(crate) offset: usize,
    /// What: a sentence without capital and full stop.
    pub(crate) message: String,
}

/// The head of the final response; interim ones (1xx) are passed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WireHead {
    /// The status code.
    pub(crate) status: u16,
    /// The fields, as far as they can be read.
    pub(crate) headers: Headers,
    /// The offset behind the blank line.
    pub(crate) end: usize,
    /// What is wrong with it.
    pub(crate) flaws: Vec<Flaw>,
}

/// What the bytes begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HeadRead {
    /// A whole head.
    Whole(WireHead),
    /// A head that is not whole yet.
    Partial,
    /// No head.
    NotHttp(Flaw),
}

/// How far the body is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BodyRead {
    /// Whole, and it ends at this offset.
    Whole(usize),
    /// Not whole, and where it stands: `inside a chunk`.
    Open(&'static str),
    /// It lasts until the connection is closed.
    UntilClose,
    /// It breaks the grammar.
    Wrong(Flaw),
}

/// Reads the head of the final response.
pub(crate) fn read_head(wire: &[u8]) -> HeadRead {
    let mut start = 0;
    let mut flaws = Vec::new();
    loop {
        match one_head(wire, start, flaws) {
            // 101 is no interim response: what follows is another protocol.
            HeadRead::Whole(head) if (100..200).contains(&head.status) && head.status != 101 => {
                start = head.end;
                flaws = head.flaws;
            }
            other => return other,
        }
    }
}

/// Reads the body behind the head, as a client does (RFC 9112, section 6.3).
pub(crate) fn read_body(wire: &[u8], head: &WireHead, method: &str) -> BodyRead {
    if method == "HEAD" || matches!(head.status, 100..200 | 204 | 304) {
        return BodyRead::Whole(head.end);
    }
    if head.headers.has("transfer-encoding") {
        return match head.headers.list("transfer-encoding").last().map(String::as_str) {
            Some("chunked") => chunks(wire, head.end),
            _ => BodyRead::UntilClose,
        };
    }
    let lengths = head.headers.list("content-length");
    let Some(first) = lengths.first() else { return BodyRead::UntilClose };
    let is_number = first.bytes().all(|byte| byte.is_ascii_digit());
    let agreed = is_number && lengths.iter().all(|one| one == first);
    let length = first.parse::<usize>().ok().filter(|_| agreed);
    match length {
        None => {
            let message = format!("Content-Length is {:?}, which is no length", lengths.join(", "));
            BodyRead::Wrong(Flaw { offset: field(wire, "content-length"), message })
        }
        Some(length) => match head.end.checked_add(length) {
            Some(end) if end <= wire.len() => BodyRead::Whole(end),
            _ => BodyRead::Open("inside a body of a stated length"),
        },
    }
}

/// The offset of the first line that begins with the name of the field; 0 if there is none.
pub(crate) fn field(wire: &[u8], name: &str) -> usize {
    let mut start = 0;
    while let Some(line) = line(wire, start) {
        let named = wire.get(start..start + name.len());
        if named.is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes())) {
            return start;
        }
        start = line.next;
    }
    0
}

/// `status-line CRLF *( field-line CRLF ) CRLF` (RFC 9112, section 2.1).
fn one_head(wire: &[u8], start: usize, mut flaws: Vec<Flaw>) -> HeadRead {
    let begun = &wire[start.min(wire.len())..];
    if !b"HTTP/".starts_with(&begun[..begun.len().min(5)]) {
        let message = "no status line: a response begins with HTTP/".to_owned();
        return HeadRead::NotHttp(Flaw { offset: start, message });
    }
    let Some(first) = line(wire, start) else { return HeadRead::Partial };
    let Some(status) = status(&wire[start..first.end]) else {
        let message = "no status code in the status line".to_owned();
        return HeadRead::NotHttp(Flaw { offset: start, message });
    };
    let mut head = WireHead { status, headers: Headers::default(), end: 0, flaws: Vec::new() };
    let mut at = first;
    let mut at_start = start;
    loop {
        if !at.crlf && flaws.iter().all(|flaw: &Flaw| flaw.message != BARE_LF) {
            flaws.push(Flaw { offset: at.end, message: BARE_LF.to_owned() });
        }
        if at_start != start {
            match field_line(&wire[at_start..at.end], at_start) {
                Ok(header) => head.headers.0.push(header),
                Err(flaw) => flaws.push(flaw),
            }
        }
        at_start = at.next;
        let Some(next) = line(wire, at_start) else { return HeadRead::Partial };
        if next.end == at_start {
            head.end = next.next;
            head.flaws = flaws;
            return HeadRead::Whole(head);
        }
        at = next;
    }
}

const BARE_LF: &str = "a line that ends in LF alone; HTTP has CR LF";

/// `field-line = field-name ":" OWS field-value OWS`; no white space before the colon, no line
/// that begins with white space, no control character in the value (RFC 9112, section 5; RFC 9110,
/// section 5.5).
fn field_line(line: &[u8], start: usize) -> Result<Header, Flaw> {
    let flaw = |at: usize, message: String| Err(Flaw { offset: start + at, message });
    if line.first().is_some_and(|byte| matches!(byte, b' ' | b'\t')) {
        return flaw(0, "a header line that begins with white space".to_owned());
    }
    let Some(colon) = line.iter().position(|&byte| byte == b':') else {
        return flaw(0, format!("a header line without a colon: {}", shown(line)));
    };
    let name = &line[..colon];
    if name.is_empty() {
        return flaw(0, "a header line without a name".to_owned());
    }
    if let Some(wrong) = name.iter().position(|&byte| !is_token(byte)) {
        let message = format!("the header name {} has a byte that no name may have", shown(name));
        return flaw(wrong, message);
    }
    let value = &line[colon + 1..];
    let control = |&byte: &u8| (byte < 0x20 && byte != b'\t') || byte == 0x7F;
    if let Some(wrong) = value.iter().position(control) {
        let message =
            format!("the value of {} has the control character {:#04x}", shown(name), value[wrong]);
        return flaw(colon + 1 + wrong, message);
    }
    Ok(Header {
        name: String::from_utf8_lossy(name).into_owned(),
        value: value.trim_ascii().into(),
    })
}

/// `*chunk last-chunk trailer-section CRLF` (RFC 9112, section 7.1).
fn chunks(wire: &[u8], mut at: usize) -> BodyRead {
    let wrong = |offset: usize, message: String| BodyRead::Wrong(Flaw { offset, message });
    loop {
        let due = |text: &[u8]| {
            wrong(at, format!("a chunk size is due, and here stands {}", shown(text)))
        };
        if wire.get(at).is_some_and(|byte| !byte.is_ascii_hexdigit()) {
            return due(wire[at..].split(|&byte| byte == b'\n').next().unwrap_or_default());
        }
        let Some(size) = line(wire, at) else { return BodyRead::Open("where a chunk size is due") };
        let Some(length) = chunk_size(&wire[at..size.end]) else {
            return due(&wire[at..size.end]);
        };
        if !size.crlf {
            return wrong(
                size.end,
                "a chunk size that ends in LF alone; HTTP has CR LF".to_owned(),
            );
        }
        if length == 0 {
            return trailers(wire, size.next);
        }
        let Some(end) = size.next.checked_add(length).filter(|end| *end < wire.len()) else {
            return BodyRead::Open("inside a chunk");
        };
        match wire[end..] {
            [b'\r', b'\n', ..] => at = end + 2,
            [b'\r'] => return BodyRead::Open("inside the line end behind a chunk"),
            _ => {
                let message =
                    format!("no CR LF behind a chunk of {length} bytes: its size is wrong");
                return wrong(end, message);
            }
        }
    }
}

fn trailers(wire: &[u8], mut at: usize) -> BodyRead {
    loop {
        let Some(line) = line(wire, at) else { return BodyRead::Open("behind the last chunk") };
        if line.end == at {
            return BodyRead::Whole(line.next);
        }
        at = line.next;
    }
}

/// `chunk-size [ chunk-ext ]`, the size in hexadecimal.
fn chunk_size(line: &[u8]) -> Option<usize> {
    let size = line.split(|&byte| byte == b';').next()?.trim_ascii_end();
    let size = std::str::from_utf8(size).ok()?;
    usize::from_str_radix(size, 16).ok()
}

/// `HTTP/1.1 200 OK`; the phrase may be anything, and may be missing.
fn status(line: &[u8]) -> Option<u16> {
    let code = line.split(|&byte| byte == b' ').nth(1)?;
    let digits = code.len() == 3 && code.iter().all(u8::is_ascii_digit);
    digits.then(|| code.iter().fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0')))
}

struct Line {
    /// Behind the last byte of its text.
    end: usize,
    /// The start of the next line.
    next: usize,
    crlf: bool,
}

fn line(wire: &[u8], start: usize) -> Option<Line> {
    let rest = wire.get(start..)?;
    let lf = rest.iter().position(|&byte| byte == b'\n')?;
    let crlf = rest[..lf].ends_with(b"\r");
    Some(Line { end: start + lf - usize::from(crlf), next: start + lf + 1, crlf })
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// The first bytes of a piece, readable.
fn shown(bytes: &[u8]) -> String {
    let text = sseproof_record::Bytes::from(&bytes[..bytes.len().min(24)]).escaped();
    let more = if bytes.len() > 24 { "…" } else { "" };
    format!("`{text}{more}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(wire: &str) -> WireHead {
        match read_head(wire.as_bytes()) {
            HeadRead::Whole(head) => head,
            other => panic!("no whole head: {other:?}"),
        }
    }

    fn body(fields: &str, body: &str) -> BodyRead {
        let wire = format!("HTTP/1.1 200 OK\r\n{fields}\r\n{body}");
        let start = wire.len() - body.len();
        match read_body(wire.as_bytes(), &whole(&wire), "GET") {
            BodyRead::Whole(end) => BodyRead::Whole(end - start),
            BodyRead::Wrong(Flaw { offset, message }) => {
                BodyRead::Wrong(Flaw { offset: offset.saturating_sub(start), message })
            }
            other => other,
        }
    }

    fn chunked(text: &str) -> BodyRead {
        body("Transfer-Encoding: chunked\r\n", text)
    }

    #[test]
    fn interim_heads_are_passed_over() {
        let head =
            whole("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 \r\nA:  b \r\n\r\nx");
        assert_eq!((head.status, head.end), (200, 65));
        assert_eq!(head.headers.first("a").as_deref(), Some("b"));
        assert_eq!(head.flaws, []);
    }

    #[test]
    fn a_head_under_way_is_no_flaw() {
        for part in ["", "HT", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nA: b\r\n"] {
            assert_eq!(read_head(part.as_bytes()), HeadRead::Partial, "{part:?}");
        }
    }

    #[test]
    fn what_is_no_head_is_told() {
        for wire in ["SSH-2.0-OpenSSH\r\n", "\x15\x03\x01", "HTTP/1.1 OK\r\n\r\n"] {
            assert!(matches!(read_head(wire.as_bytes()), HeadRead::NotHttp(_)), "{wire:?}");
        }
    }

    #[test]
    fn each_flaw_of_a_field_has_its_offset() {
        for (line, offset) in [
            ("X Y: 1", 1),
            ("X : 1", 1),
            (" folded", 0),
            ("no colon", 0),
            (": no name", 0),
            ("X: a\0b", 4),
            ("X: a\rb", 4),
        ] {
            let head = whole(&format!("HTTP/1.1 200 OK\r\n{line}\r\nA: b\r\n\r\n"));
            let offsets: Vec<_> = head.flaws.iter().map(|flaw| flaw.offset).collect();
            assert_eq!(offsets, [17 + offset], "{line:?}");
            assert!(head.headers.has("a"));
        }
    }

    #[test]
    fn bare_line_feeds_are_told_once() {
        let WireHead { flaws, end, .. } = whole("HTTP/1.1 200 OK\nA: b\n\n");
        assert_eq!((flaws.len(), flaws[0].offset, end), (1, 15, 22));
    }

    #[test]
    fn whole_chunks_end_behind_the_trailers() {
        assert_eq!(chunked("5\r\nhello\r\n0\r\n\r\n"), BodyRead::Whole(15));
        assert_eq!(
            chunked("A;x=\"y\"\r\n0123456789\r\n000\r\nT: v\r\n\r\nmore"),
            BodyRead::Whole(34)
        );
    }

    #[test]
    fn chunks_under_way_are_no_flaw() {
        for part in
            ["", "5", "5\r\n", "5\r\nhel", "5\r\nhello", "5\r\nhello\r", "5\r\nhello\r\n", "0\r\n"]
        {
            assert!(matches!(chunked(part), BodyRead::Open(_)), "{part:?}");
        }
    }

    #[test]
    fn each_flaw_of_a_chunk_has_its_offset() {
        for (text, offset) in [
            ("data: x\n\n", 0),
            ("5\r\nhelloX\r\n", 8),
            ("5\nhello\r\n", 1),
            ("5\r\nhello\r\n\r\n", 10),
            ("5zz\r\nhello\r\n", 0),
            ("fffffffffffffffffff\r\n", 0),
        ] {
            match chunked(text) {
                BodyRead::Wrong(flaw) => assert_eq!(flaw.offset, offset, "{text:?}"),
                other => panic!("{text:?}: {other:?}"),
            }
        }
    }

    #[test]
    fn lengths_and_closes() {
        assert_eq!(body("Content-Length: 3\r\n", "abcd"), BodyRead::Whole(3));
        assert!(matches!(body("Content-Length: 3\r\n", "ab"), BodyRead::Open(_)));
        assert_eq!(body("Content-Length: 1\r\nContent-Length: 1\r\n", "a"), BodyRead::Whole(1));
        assert!(matches!(body("Content-Length: 1, 2\r\n", "a"), BodyRead::Wrong(_)));
        assert!(matches!(body("Content-Length: -1\r\n", "a"), BodyRead::Wrong(_)));
        assert_eq!(body("", "a"), BodyRead::UntilClose);
        assert_eq!(
            body("Transfer-Encoding: chunked\r\nContent-Length: 9\r\n", "0\r\n\r\n"),
            BodyRead::Whole(5)
        );
    }

    #[test]
    fn some_answers_have_no_body() {
        let wire = "HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\nabc";
        let head = whole(wire);
        assert_eq!(read_body(wire.as_bytes(), &head, "GET"), BodyRead::Whole(head.end));
        let wire = wire.replace("204", "200");
        assert_eq!(read_body(wire.as_bytes(), &whole(&wire), "HEAD"), BodyRead::Whole(head.end));
    }
}
