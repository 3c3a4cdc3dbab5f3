//! Heads: the start line and the field lines, as views of the bytes that they stand in.

use memchr::memchr;

use super::body::Body;
use super::flaw::{Flaw, FlawKind, shown};
use crate::{Headers, Version};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseHead<'a> {
    /// `None` for one that is not known.
    pub version: Option<Version>,
    pub status: u16,
    pub fields: Fields<'a>,
    /// How many bytes it has, with its blank line.
    pub length: usize,
    pub flaws: Vec<Flaw>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestHead<'a> {
    pub method: &'a str,
    pub target: &'a str,
    /// `None` for one that is not known.
    pub version: Option<Version>,
    pub fields: Fields<'a>,
    /// How many bytes it has, with its blank line.
    pub length: usize,
    pub flaws: Vec<Flaw>,
}

/// The field lines; those that break the grammar are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fields<'a> {
    block: &'a [u8],
    offset: usize,
    /// Whether no line has to be left out.
    is_clean: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    pub name: &'a str,
    /// Without the white space around it.
    pub value: &'a [u8],
    /// Where its line begins, from the beginning of the start line.
    pub offset: usize,
}

impl<'a> ResponseHead<'a> {
    /// The start line and the fields that the bytes begin with; `None` if they are not complete
    /// yet.
    ///
    /// # Errors
    /// The bytes do not begin with a status line.
    pub fn parse(bytes: &'a [u8]) -> Result<Option<Self>, Flaw> {
        let Some(lines) = Lines::parse(bytes, begins_response, status_line)? else {
            return Ok(None);
        };
        let Lines { start, line, fields, length, mut flaws } = lines;
        let (version, status) = start;
        if line.offset > 0 {
            flaws.insert(0, Flaw { offset: 0, kind: FlawKind::BlankLine });
        }
        note_version(&mut flaws, version, line.offset);
        if let Some((at, byte)) = control(line.text) {
            let kind = FlawKind::Control { place: "the status line".to_owned(), byte };
            flaws.push(Flaw { offset: line.offset + at, kind });
        }
        Ok(Some(Self { version, status, fields, length, flaws }))
    }

    /// Whether another head follows before the answer.
    pub fn is_interim(&self) -> bool {
        is_interim(self.status)
    }

    /// How the body is delimited, if the request had this method (RFC 9112, section 6.3).
    ///
    /// # Errors
    /// The field that states the length states none.
    pub fn body(&self, method: &str) -> Result<Body, Flaw> {
        if method == "HEAD" || matches!(self.status, 100..200 | 204 | 304) {
            return Ok(Body::NONE);
        }
        match self.fields.is_chunked() {
            Some(true) => Ok(Body::CHUNKED),
            Some(false) => Ok(Body::UntilClose),
            None => Ok(self.fields.content_length()?.map_or(Body::UntilClose, Body::Length)),
        }
    }

    /// The first flaw that makes a client refuse it.
    pub fn refusal(&self) -> Option<&Flaw> {
        self.flaws.iter().find(|flaw| flaw.is_fatal())
    }
}

impl<'a> RequestHead<'a> {
    /// The start line and the fields that the bytes begin with; `None` if they are not complete
    /// yet.
    ///
    /// # Errors
    /// The bytes do not begin with a request line.
    pub fn parse(bytes: &'a [u8]) -> Result<Option<Self>, Flaw> {
        let Some(lines) = Lines::parse(bytes, begins_request, request_line)? else {
            return Ok(None);
        };
        let Lines { start, line, fields, length, mut flaws } = lines;
        let (method, target, version) = start;
        note_version(&mut flaws, version, line.offset);
        Ok(Some(Self { method, target, version, fields, length, flaws }))
    }

    /// How the body is delimited.
    ///
    /// # Errors
    /// No server can know where it ends.
    pub fn body(&self) -> Result<Body, Flaw> {
        match self.fields.is_chunked() {
            Some(true) => Ok(Body::CHUNKED),
            Some(false) => Err(self.fields.flaw_at("transfer-encoding", FlawKind::Coding)),
            None => Ok(self.fields.content_length()?.map_or(Body::NONE, Body::Length)),
        }
    }

    /// The first flaw that makes a server refuse it.
    pub fn refusal(&self) -> Option<&Flaw> {
        self.flaws.iter().find(|flaw| flaw.is_fatal())
    }
}

impl<'a> Fields<'a> {
    pub fn iter(&self) -> impl Iterator<Item = Field<'a>> + use<'a> {
        let Self { block, offset, is_clean } = *self;
        let mut at = 0;
        std::iter::from_fn(move || {
            let line = line(block, at)?;
            at = line.next;
            Some((offset + line.offset, line.text))
        })
        .filter_map(move |(offset, text)| {
            if is_clean { split(text, offset) } else { field_line(text, offset).ok() }
        })
    }

    pub fn first(&self, name: &str) -> Option<Field<'a>> {
        self.iter().find(|field| field.name.eq_ignore_ascii_case(name))
    }

    pub fn headers(&self) -> Headers {
        self.iter().map(|field| (field.name, field.value)).collect()
    }

    /// Whether chunked is the last transfer coding; `None` if there is no coding.
    fn is_chunked(&self) -> Option<bool> {
        let coding = self.iter().filter(|field| is(field, "transfer-encoding")).last()?;
        let last = coding.value.rsplit(|&byte| byte == b',').next().unwrap_or_default();
        Some(last.trim_ascii().eq_ignore_ascii_case(b"chunked"))
    }

    fn content_length(&self) -> Result<Option<u64>, Flaw> {
        let lengths = || {
            self.iter()
                .filter(|field| is(field, "content-length"))
                .flat_map(|field| field.value.split(|&byte| byte == b','))
                .map(<[u8]>::trim_ascii)
                .filter(|length| !length.is_empty())
        };
        let Some(first) = lengths().next() else { return Ok(None) };
        let agreed = first.iter().all(u8::is_ascii_digit) && lengths().all(|one| one == first);
        let text = std::str::from_utf8(first).ok().filter(|_| agreed);
        if let Some(length) = text.and_then(|text| text.parse().ok()) {
            return Ok(Some(length));
        }
        let all = lengths().collect::<Vec<_>>().join(&b", "[..]);
        let kind = FlawKind::Length(String::from_utf8_lossy(&all).to_ascii_lowercase());
        Err(self.flaw_at("content-length", kind))
    }

    fn flaw_at(&self, name: &str, kind: FlawKind) -> Flaw {
        Flaw { offset: self.first(name).map_or(0, |field| field.offset), kind }
    }
}

fn is(field: &Field<'_>, name: &str) -> bool {
    field.name.eq_ignore_ascii_case(name)
}

/// Start line and fields: `*CRLF start-line CRLF *( field-line CRLF ) CRLF` (RFC 9112, section
/// 2.1).
struct Lines<'a, Start> {
    start: Start,
    line: Line<'a>,
    fields: Fields<'a>,
    length: usize,
    flaws: Vec<Flaw>,
}

impl<'a, Start> Lines<'a, Start> {
    /// `begins` checks the beginning of a start line, whole or not: another protocol has to be
    /// refused before a line of it ends.
    fn parse(
        bytes: &'a [u8],
        begins: fn(&[u8]) -> Result<(), FlawKind>,
        read: fn(&'a [u8]) -> Result<Start, FlawKind>,
    ) -> Result<Option<Self>, Flaw> {
        let mut at = 0;
        let first = loop {
            match line(bytes, at) {
                Some(blank) if blank.text.is_empty() => at = blank.next,
                whole => break whole,
            }
        };
        let begun = match &first {
            Some(line) => line.text,
            // A CR may be the first half of a line end.
            None => bytes[at..].strip_suffix(b"\r").unwrap_or(&bytes[at..]),
        };
        begins(begun).map_err(|kind| Flaw { offset: at, kind })?;
        let Some(first) = first else { return Ok(None) };
        let start = read(first.text).map_err(|kind| Flaw { offset: at, kind })?;
        let mut flaws = Vec::new();
        let mut has_bare_lf = false;
        let mut bare_lf = |line: &Line<'_>, flaws: &mut Vec<Flaw>| {
            if !line.crlf && !has_bare_lf {
                has_bare_lf = true;
                flaws.push(Flaw { offset: line.end(), kind: FlawKind::BareLf });
            }
        };
        bare_lf(&first, &mut flaws);
        let offset = first.next;
        at = offset;
        let mut is_clean = true;
        loop {
            let Some(line) = line(bytes, at) else { return Ok(None) };
            if line.text.is_empty() {
                let fields = Fields { block: &bytes[offset..at], offset, is_clean };
                return Ok(Some(Self { start, line: first, fields, length: line.next, flaws }));
            }
            bare_lf(&line, &mut flaws);
            if let Err(flaw) = field_line(line.text, at) {
                flaws.push(flaw);
                is_clean = false;
            }
            at = line.next;
        }
    }
}

/// After 101, the connection has another protocol.
pub(super) const fn is_interim(status: u16) -> bool {
    matches!(status, 100 | 102..=199)
}

fn begins_response(line: &[u8]) -> Result<(), FlawKind> {
    let begun = &line[..line.len().min(5)];
    if b"HTTP/".starts_with(begun) { Ok(()) } else { Err(FlawKind::NoStatusLine) }
}

fn begins_request(line: &[u8]) -> Result<(), FlawKind> {
    let end = line.iter().position(|&byte| !is_token(byte));
    if end.is_none_or(|end| end > 0 && line[end] == b' ') {
        Ok(())
    } else {
        Err(FlawKind::NoRequestLine)
    }
}

/// `HTTP/1.1 200 OK`; the phrase may be anything, and may be missing.
fn status_line(line: &[u8]) -> Result<(Option<Version>, u16), FlawKind> {
    let mut words = line.split(|&byte| byte == b' ');
    let version = version(words.next().unwrap_or_default());
    let code = words.next().unwrap_or_default();
    let digits = code.len() == 3 && code.iter().all(u8::is_ascii_digit) && code[0] != b'0';
    if !digits {
        return Err(FlawKind::NoStatusCode);
    }
    Ok((version, code.iter().fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'))))
}

/// `GET /stream HTTP/1.1`.
fn request_line(line: &[u8]) -> Result<(&str, &str, Option<Version>), FlawKind> {
    let words: Vec<_> = line.split(|&byte| byte == b' ').collect();
    let [method, target, version] = words[..] else { return Err(FlawKind::NoRequestLine) };
    let is_target =
        |text: &&str| !text.is_empty() && !text.bytes().any(|byte| byte.is_ascii_control());
    match (std::str::from_utf8(method), std::str::from_utf8(target)) {
        (Ok(method), Ok(target)) if is_target(&target) && version.starts_with(b"HTTP/") => {
            Ok((method, target, self::version(version)))
        }
        _ => Err(FlawKind::NoRequestLine),
    }
}

fn version(word: &[u8]) -> Option<Version> {
    match word {
        b"HTTP/1.0" => Some(Version::Http10),
        b"HTTP/1.1" => Some(Version::Http11),
        // curl writes the headers of HTTP/3 like those of HTTP/2; files have both.
        b"HTTP/2" | b"HTTP/2.0" | b"HTTP/3" => Some(Version::Http2),
        _ => None,
    }
}

fn note_version(flaws: &mut Vec<Flaw>, version: Option<Version>, offset: usize) {
    if !version.is_some_and(Version::is_http1) {
        flaws.push(Flaw { offset, kind: FlawKind::Version });
    }
}

/// `field-line = field-name ":" OWS field-value OWS`; no white space before the colon, no line
/// that begins with white space, no control character in the value (RFC 9112, section 5; RFC 9110,
/// section 5.5).
fn field_line(line: &[u8], offset: usize) -> Result<Field<'_>, Flaw> {
    let flaw = |at: usize, kind: FlawKind| Err(Flaw { offset: offset + at, kind });
    if line.first().is_some_and(|byte| matches!(byte, b' ' | b'\t')) {
        return flaw(0, FlawKind::Folded);
    }
    let Some(colon) = memchr(b':', line) else { return flaw(0, FlawKind::NoColon(shown(line))) };
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    if name.is_empty() {
        return flaw(0, FlawKind::NoName);
    }
    if let Some(wrong) = name.iter().position(|&byte| !is_token(byte)) {
        return flaw(wrong, FlawKind::Name(shown(name)));
    }
    if let Some((at, byte)) = control(value) {
        let kind = FlawKind::Control { place: format!("the value of {}", shown(name)), byte };
        return flaw(colon + 1 + at, kind);
    }
    split(line, offset).ok_or(Flaw { offset, kind: FlawKind::NoName })
}

fn split(line: &[u8], offset: usize) -> Option<Field<'_>> {
    let colon = memchr(b':', line)?;
    let name = std::str::from_utf8(&line[..colon]).ok()?;
    Some(Field { name, value: line[colon + 1..].trim_ascii(), offset })
}

fn control(text: &[u8]) -> Option<(usize, u8)> {
    let is_control = |&byte: &u8| (byte < 0x20 && byte != b'\t') || byte == 0x7F;
    text.iter().position(is_control).map(|at| (at, text[at]))
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

struct Line<'a> {
    text: &'a [u8],
    offset: usize,
    next: usize,
    crlf: bool,
}

impl Line<'_> {
    fn end(&self) -> usize {
        self.offset + self.text.len()
    }
}

fn line(bytes: &[u8], offset: usize) -> Option<Line<'_>> {
    let rest = bytes.get(offset..)?;
    let lf = memchr(b'\n', rest)?;
    let text = rest[..lf].strip_suffix(b"\r").unwrap_or(&rest[..lf]);
    Some(Line { text, offset, next: offset + lf + 1, crlf: text.len() < lf })
}
