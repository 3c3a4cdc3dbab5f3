//! The prose of a file, at its own offsets: everything else is overwritten, byte for byte.
//!
//! So a pattern with blanks also matches a sentence that a comment wraps, and the offset of a match is its place.

use std::sync::LazyLock;

use regex::bytes::Regex;

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

macro_rules! pattern {
    ($name:ident, $pattern:literal) => {
        static $name: LazyLock<Regex> =
            LazyLock::new(|| Regex::new($pattern).unwrap_or_else(|error| unreachable!("{error}")));
    };
}

// A comment, a raw string, a string, or a character, which has no text.
pattern!(
    PIECE,
    r##"(?xs) //[/!]*(?<comment>[^\n]*) | /\*(?<block>.*?)\*/
    | \bb?r(?:"(?<raw>[^"]*)" | \#"(?<raw1>.*?)"\# | \#\#"(?<raw2>.*?)"\#\#)
    | "(?<string>(?:\\.|[^"\\])*)" | '(?:\\.[^']*|[^'\\])'"##
);
pattern!(INDENT, r"(?m)^[ \t]+//");
pattern!(MARKS, r"(?m)^[ \t#/>*]+");
pattern!(QUOTED, r"`[^`\n]*`");
pattern!(BRACES, r"\{[^}\n]*\}");
pattern!(ESCAPE, r"\\[^\n]?");

/// The comments and strings of Rust apart from its code.
pub(super) fn of_rust(text: &str) -> Split {
    let source = text.as_bytes();
    let (mut prose, mut code) = (source.to_vec(), source.to_vec());
    hide(&mut prose);
    for found in PIECE.captures_iter(source) {
        let Some(piece) = found.get(0) else { continue };
        hide(&mut code[piece.range()]);
        let named = |name: &str| found.name(name).map(|text| text.range());
        if let Some(text) = named("comment").or(named("block")) {
            // The marks of a comment are white space, so that its lines are one text.
            prose[piece.start()..text.start].fill(b' ');
            prose[text.clone()].copy_from_slice(&source[text.clone()]);
            fill(&QUOTED, &mut prose[text], 1, NAME);
        }
        for name in ["raw", "raw1", "raw2", "string"] {
            let Some(text) = named(name) else { continue };
            let text = &mut prose[text.clone()];
            text.copy_from_slice(found.name(name).map_or(&[][..], |text| text.as_bytes()));
            if name == "string" {
                // A quote is no end of the text, and a line end that a string goes over stays.
                fill(&ESCAPE, text, 0, b' ');
            }
            fill(&BRACES, text, 1, NAME);
            fill(&QUOTED, text, 1, NAME);
        }
    }
    // Blanks before a comment are white space, as its marks are.
    for indent in INDENT.find_iter(source) {
        prose[indent.start()..indent.end() - 2].fill(b' ');
    }
    Split { prose, code }
}

/// A text without code: Markdown, YAML and scripts, marks of comments included.
pub(super) fn of_text(text: &str) -> Split {
    let mut prose = text.as_bytes().to_vec();
    fill(&QUOTED, &mut prose, 1, NAME);
    fill(&MARKS, &mut prose, 0, b' ');
    Split { prose, code: Vec::new() }
}

fn hide(text: &mut [u8]) {
    text.iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = CODE);
}

/// Overwrites each match, except so many bytes at its ends.
fn fill(pattern: &Regex, text: &mut [u8], ends: usize, by: u8) {
    let found: Vec<_> = pattern.find_iter(text).map(|found| found.range()).collect();
    for place in found {
        text[place.start + ends..place.end - ends].fill(by);
    }
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
        assert_eq!(prose("/* a */ d"), "   a ....");
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
