//! Chunk sizes among the bytes of a stream: one layer wrote chunks that another chunked again, or
//! that no header announces.
//!
//! A line of hexadecimal digits alone proves nothing: it may be the second line of a payload. A chunk
//! is one whose size fits, and what the chunks hold must be fields of an event stream.

/// Chunks in a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chunks {
    /// The offset of the first chunk size.
    pub(crate) offset: u64,
    /// The first chunk size, as written.
    pub(crate) size: String,
    /// How many chunk sizes follow each other from there.
    pub(crate) count: usize,
}

/// The first chunks of this body.
pub(crate) fn chunks(body: &[u8]) -> Option<Chunks> {
    let mut start = 0;
    while start < body.len() {
        let end = match chain(body, start) {
            (Some(found), _) => return Some(found),
            (None, end) => end,
        };
        // A byte is looked at once, also where chunks follow each other that hold no field.
        let rest = &body[end..];
        start = match rest.iter().position(|&byte| byte == b'\n') {
            _ if end > start => end,
            Some(line_end) => end + line_end + 1,
            None => body.len(),
        };
    }
    None
}

/// The chunks that begin here, and the end of what looks like chunks.
fn chain(body: &[u8], start: usize) -> (Option<Chunks>, usize) {
    let (mut content, mut place, mut count) = (Vec::new(), start, 0);
    let mut is_last = false;
    while let Some((size, line)) = chunk_size(&body[place..]) {
        let data = place + line.len();
        let Some(rest) = body.get(data + size..) else { break };
        let line_end: &[u8] = if line.ends_with(b"\r\n") { b"\r\n" } else { b"\n" };
        if !rest.starts_with(line_end) {
            break;
        }
        content.extend_from_slice(&body[data..data + size]);
        place = data + size + line_end.len();
        count += 1;
        is_last = size == 0;
        if is_last {
            break;
        }
    }
    let found = match count {
        0 => false,
        // The server wrote the end of a chunked body, and the end alone.
        1 if is_last => place == body.len() && (start == 0 || is_after_blank_line(&body[..start])),
        1 => start == 0 && holds_a_field(&content),
        _ => holds_a_field(&content),
    };
    let size = body[start..].iter().take_while(|byte| byte.is_ascii_hexdigit());
    let size = size.map(|&byte| char::from(byte)).collect();
    (found.then_some(Chunks { offset: start as u64, size, count }), place)
}

/// The size in the first line, and this line: digits, extensions that begin with `;`, and a line end.
///
/// RFC 9112, section 7.1.
fn chunk_size(bytes: &[u8]) -> Option<(usize, &[u8])> {
    const MOST_DIGITS: usize = 8;
    let digits = bytes.iter().take(MOST_DIGITS).take_while(|byte| byte.is_ascii_hexdigit()).count();
    let size = usize::from_str_radix(str::from_utf8(&bytes[..digits]).ok()?, 16).ok()?;
    if !matches!(bytes.get(digits), Some(b'\r' | b'\n' | b';')) {
        return None;
    }
    let end = bytes[digits..].iter().position(|&byte| byte == b'\n')?;
    let line = &bytes[..=digits + end];
    let is_one_line = !line[..line.len() - 1].trim_ascii_end().contains(&b'\r');
    is_one_line.then_some((size, line))
}

fn is_after_blank_line(before: &[u8]) -> bool {
    [&b"\n\n"[..], b"\r\n\r\n"].iter().any(|blank| before.ends_with(blank))
}

fn holds_a_field(content: &[u8]) -> bool {
    let known = [&b"data:"[..], b"event:", b"id:", b"retry:", b":"];
    content.split(|&byte| byte == b'\n').any(|line| known.iter().any(|name| line.starts_with(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(body: &str) -> Option<(u64, String, usize)> {
        chunks(body.as_bytes()).map(|chunks| (chunks.offset, chunks.size, chunks.count))
    }

    #[test]
    fn chunks_are_found_wherever_they_begin() {
        let first = |offset, size: &str, count| Some((offset, size.to_owned(), count));
        assert_eq!(found("9\r\ndata: x\n\n\r\n"), first(0, "9", 1));
        assert_eq!(found("9;a=b\r\ndata: x\n\n\r\n0\r\n\r\n"), first(0, "9", 2));
        assert_eq!(found("009\r\ndata: x\n\n\r\n0\r\nX: y\r\n\r\n"), first(0, "009", 1));
        assert_eq!(found("5\r\ndata:\r\n4\r\n x\n\n\r\n0"), first(0, "5", 2));
        assert_eq!(found(": hi\n\n9\ndata: x\n\n\n9\ndata: y\n\n\n"), first(6, "9", 2));
        assert_eq!(found("data: x\n\n0\r\n\r\n"), first(9, "0", 1));
        assert_eq!(found("0\r\n\r\n"), first(0, "0", 1));
    }

    #[test]
    fn lines_of_digits_are_not_chunks() {
        let lines = "data: 1\n2\n1\n2\n1\n\n";
        let column: String = (10..90).map(|number| format!("{number}\n")).collect();
        let one = "data: x\n9\ndata: y\n\n\n";
        let zero = "data: a\r\n0\r\n\r\n";
        for body in [lines, &format!("data: x\n{column}\n"), one, zero, "a\r\n", "ffffffff\r\n"] {
            assert_eq!(found(body), None, "{body}");
        }
    }
}
