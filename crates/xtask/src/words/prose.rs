//! The prose of a file, at its own offsets: everything else is overwritten, byte for byte.
//!
//! So a pattern with blanks also matches a sentence that a comment wraps, and the offset of a match is its place.

/// Stands for code: no letter and no white space, so that no phrase crosses it.
const CODE: u8 = 1;
/// Stands for a name inside prose (`name`, {name}): a letter, so that a phrase may go around it.
const NAME: u8 = b'_';

/// A file as the check looks at it; both parts are as long as the file.
pub(super) struct Split {
    pub(super) prose: Vec<u8>,
    /// Empty if the file is not Rust.
    pub(super) code: Vec<u8>,
}

/// The comments and strings of Rust apart from its code.
pub(super) fn of_rust(text: &str) -> Split {
    let source = text.as_bytes();
    let mut prose: Vec<u8> = source.iter().map(|&byte| hidden(byte)).collect();
    let mut code = source.to_vec();
    let mut at = 0;
    while at < source.len() {
        let Some(piece) = piece_at(source, at) else {
            at += 1;
            continue;
        };
        for place in at..piece.end {
            code[place] = hidden(source[place]);
        }
        // The marks of a comment are white space, so that its lines are one text.
        for (place, byte) in (piece.start..).zip(piece.text(source)) {
            prose[place] = byte;
        }
        if piece.is_comment {
            prose[at..piece.start].fill(b' ');
        }
        at = piece.end;
    }
    join_comment_lines(source, &mut prose);
    Split { prose, code }
}

/// A text without code: Markdown, YAML and scripts, marks of comments included.
pub(super) fn of_text(text: &str) -> Split {
    let mut prose = text.as_bytes().to_vec();
    hide_names(&mut prose, b'`', b'`');
    let mut begins_line = true;
    for byte in &mut prose {
        match *byte {
            b'\n' => begins_line = true,
            b'#' | b'/' | b'>' | b'*' if begins_line => *byte = b' ',
            _ => begins_line &= byte.is_ascii_whitespace(),
        }
    }
    Split { prose, code: Vec::new() }
}

fn hidden(byte: u8) -> u8 {
    if byte == b'\n' { byte } else { CODE }
}

/// A comment or a string of Rust: `start` is after its opening mark.
struct Piece {
    start: usize,
    end: usize,
    is_comment: bool,
    escapes: bool,
}

impl Piece {
    fn text(&self, source: &[u8]) -> Vec<u8> {
        let mut text = source[self.start..self.end].to_vec();
        if self.is_comment {
            hide_names(&mut text, b'`', b'`');
            return text;
        }
        if self.escapes {
            hide_escapes(&mut text);
        }
        hide_names(&mut text, b'{', b'}');
        hide_names(&mut text, b'`', b'`');
        while text.last().is_some_and(|&byte| matches!(byte, b'"' | b'#')) {
            text.pop();
        }
        text
    }
}

/// The comment, string or character that begins at this byte.
fn piece_at(source: &[u8], at: usize) -> Option<Piece> {
    let rest = &source[at..];
    if rest.starts_with(b"//") {
        let marks = rest.iter().take_while(|&&byte| matches!(byte, b'/' | b'!')).count();
        let end = find(rest, b"\n").unwrap_or(rest.len());
        return Some(Piece::comment(at, marks, end));
    }
    if rest.starts_with(b"/*") {
        return Some(Piece::comment(at, 2, block_comment(rest)));
    }
    let begins_word = at == 0 || !is_word(source[at - 1]);
    let raw = rest.strip_prefix(b"b").unwrap_or(rest);
    if begins_word && let Some(after) = raw.strip_prefix(b"r") {
        let hashes = after.iter().take_while(|&&byte| byte == b'#').count();
        if after.get(hashes) == Some(&b'"') {
            let start = rest.len() - after.len() + hashes + 1;
            let close = [b"\"".as_slice(), &after[..hashes]].concat();
            let end = find(&rest[start..], &close)
                .map_or(rest.len(), |found| start + found + close.len());
            return Some(Piece {
                start: at + start,
                end: at + end,
                is_comment: false,
                escapes: false,
            });
        }
    }
    match rest[0] {
        b'"' => {
            let end = at + quoted(rest, b'"');
            Some(Piece { start: at + 1, end, is_comment: false, escapes: true })
        }
        b'\'' if is_character(rest) => {
            let end = at + quoted(rest, b'\'');
            Some(Piece { start: end, end, is_comment: false, escapes: false })
        }
        _ => None,
    }
}

impl Piece {
    fn comment(at: usize, marks: usize, length: usize) -> Self {
        Self { start: at + marks, end: at + length, is_comment: true, escapes: false }
    }
}

/// `'a'` and `'\n'`, and not the lifetime `'a`.
fn is_character(rest: &[u8]) -> bool {
    let text = str::from_utf8(&rest[1..rest.len().min(6)]).unwrap_or_else(|error| {
        str::from_utf8(&rest[1..1 + error.valid_up_to()]).unwrap_or_default()
    });
    let mut characters = text.chars();
    characters.next() == Some('\\') || characters.next() == Some('\'')
}

/// The length of what stands between two of these marks, both included.
fn quoted(rest: &[u8], mark: u8) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            byte if byte == mark => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut at, mut depth) = (0, 0_usize);
    while at + 1 < rest.len() {
        match &rest[at..at + 2] {
            b"/*" => (depth, at) = (depth + 1, at + 2),
            b"*/" if depth == 1 => return at + 2,
            b"*/" => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    rest.len()
}

/// An escape is white space (`\n`, and a line end that a string goes over), but a quote is no end of the text.
fn hide_escapes(text: &mut [u8]) {
    let mut at = 0;
    while at + 1 < text.len() {
        if text[at] == b'\\' {
            text[at] = b' ';
            text[at + 1] = if text[at + 1] == b'\n' { b'\n' } else { b' ' };
            at += 1;
        }
        at += 1;
    }
}

/// Overwrites what stands between two marks on one line.
fn hide_names(text: &mut [u8], open: u8, close: u8) {
    for line in text.split_mut(|&byte| byte == b'\n') {
        let mut at = 0;
        while let Some(start) = position(line, at, open)
            && let Some(end) = position(line, start + 1, close)
        {
            line[start + 1..end].fill(NAME);
            at = end + 1;
        }
    }
}

/// Blanks before a comment are code, unless the line before is a comment, too.
fn join_comment_lines(source: &[u8], prose: &mut [u8]) {
    let mut at = 0;
    for line in source.split_inclusive(|&byte| byte == b'\n') {
        let indent = line.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        if line[indent..].starts_with(b"//") {
            prose[at..at + indent].fill(b' ');
        }
        at += line.len();
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn position(line: &[u8], from: usize, wanted: u8) -> Option<usize> {
    let found = line.get(from..)?.iter().position(|&byte| byte == wanted)?;
    Some(from + found)
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::{of_rust, of_text};

    #[track_caller]
    fn prose(source: &str) -> String {
        let split = of_rust(source);
        assert_eq!((split.prose.len(), split.code.len()), (source.len(), source.len()));
        String::from_utf8_lossy(&split.prose).replace('\u{1}', ".")
    }

    #[test]
    fn comments_and_strings_are_prose_and_code_is_not() {
        assert_eq!(prose("x(); // a `b` c"), ".....   a `_` c");
        assert_eq!(prose("f(\"it's {x}\", 'q');"), "...it's {_}........");
        assert_eq!(prose("/* a /* b */ c */ d"), "   a /* b */ c */..");
    }

    #[test]
    fn lines_of_a_comment_are_one_text() {
        assert_eq!(prose("    /// a\n    /// b\nc"), "        a\n        b\n.");
    }

    #[test]
    fn raw_strings_escapes_and_lifetimes_do_not_end_a_string_early() {
        assert_eq!(prose(r##"r#"a"b"#;c"##), "...a\"b...".to_owned() + ".");
        assert_eq!(prose(r#""a\"b\n";"#), ".a  b  ..");
        assert_eq!(prose("&'a str; \"b\""), "..........b.");
        assert_eq!(prose(r#"'"'; "b""#), "......b.");
        assert_eq!(prose(r#"'\''; "b""#), ".......b.");
    }

    #[test]
    fn code_keeps_its_names_alone() {
        let split = of_rust("let told = \"told\"; // told");
        assert_eq!(String::from_utf8_lossy(&split.code).matches("told").count(), 1);
    }

    #[test]
    fn marks_of_comments_in_other_languages_are_white_space() {
        assert_eq!(of_text("# a `b`\n  # c # d").prose, b"  a `_`\n    c # d");
    }
}
