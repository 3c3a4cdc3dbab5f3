//! Text of others without effect.
//!
//! A server, a started process, an adapter, a file name, a YAML file or the environment chooses
//! the text that messages and reports quote. A terminal obeys control characters in it, a reader is deceived
//! by characters that are invisible or change the direction of text, and a CI system obeys commands
//! that it finds in a log. Each of them becomes visible here, and nothing is removed: control
//! characters become their pictures, other hidden characters their numbers (`⟨U+202E⟩`), and a `·`
//! breaks a command.
//!
//! Text that is inert stays as it is, so pieces and the whole can both be treated: only the whole
//! shows what begins a line.

use std::fmt::Write as _;

/// Breaks a command; it is part of no command.
const BREAK: char = '·';
/// The beginnings of commands anywhere in a line (GitLab, Travis CI); the last character is split
/// off.
const ANYWHERE: [&str; 4] = ["section_start:", "section_end:", "travis_fold:", "travis_time:"];
/// The beginnings of lines that begin a group (Buildkite).
const GROUPS: [&str; 4] = ["--- ", "+++ ", "~~~ ", "^^^ "];
/// How many joiners and styles in a row are kept: an emoji needs two.
const JOINERS: usize = 2;

/// The text without effect in a terminal, a log, Markdown or XML. Line feeds stay.
pub fn inert(text: &str) -> String {
    of_lines(text, false)
}

/// The same for text in colour: the sequences that choose colours stay. Text of others in
/// it must be inert already.
pub fn inert_except_colour(text: &str) -> String {
    of_lines(text, true)
}

/// Lines of JSON without effect: the same characters are escaped, so that the values stay.
pub fn inert_json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let breaks = breaks(line, false);
        for glyph in glyphs(line, false) {
            let is_broken = breaks.contains(&glyph.at);
            if glyph.char != '\n' && (glyph.is_hidden || is_broken) {
                for unit in glyph.char.encode_utf16(&mut [0; 2]) {
                    // Writing into a string does not fail.
                    let _ = write!(out, "\\u{unit:04x}");
                }
            } else {
                out.push(glyph.char);
            }
        }
    }
    out
}

fn of_lines(text: &str, colour: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (line, end) = match line.strip_suffix('\n') {
            Some(line) => (line.strip_suffix('\r').unwrap_or(line), "\n"),
            None => (line, ""),
        };
        let mut visible = String::with_capacity(line.len());
        glyphs(line, colour).for_each(|glyph| glyph.show(&mut visible));
        let mut from = 0;
        for at in breaks(&visible, colour) {
            out.push_str(&visible[from..at]);
            out.push(BREAK);
            from = at;
        }
        out.push_str(&visible[from..]);
        out.push_str(end);
    }
    out
}

/// A character of a line, and whether a reader cannot see it.
struct Glyph {
    at: usize,
    char: char,
    is_hidden: bool,
}

impl Glyph {
    fn show(&self, out: &mut String) {
        match self.char {
            '\t' => out.push(' '),
            char if !self.is_hidden => out.push(char),
            '\u{7f}' => out.push('␡'),
            control if control < ' ' => {
                out.extend(char::from_u32(0x2400 + u32::from(control)));
            }
            char => {
                // Writing into a string does not fail.
                let _ = write!(out, "⟨U+{:04X}⟩", u32::from(char));
            }
        }
    }
}

fn glyphs(line: &str, colour: bool) -> impl Iterator<Item = Glyph> {
    let (mut base, mut joiners, mut colour_until) = ('a', 0, 0);
    line.char_indices().map(move |(at, char)| {
        if colour && at >= colour_until {
            colour_until = at + colour_length(&line[at..]);
        }
        let is_hidden = match char {
            _ if at < colour_until => false,
            // They belong to the character before them. A CI system may overlook them in a command,
            // so they stay only beside characters that commands do not have.
            '\u{200c}' | '\u{200d}' | '\u{fe0e}' | '\u{fe0f}' => {
                joiners += 1;
                let is_keycap = line[at + char.len_utf8()..].starts_with('\u{20e3}');
                (base.is_ascii() && !is_keycap) || joiners > JOINERS
            }
            _ => {
                (base, joiners) = (char, 0);
                is_hidden(char)
            }
        };
        Glyph { at, char, is_hidden }
    })
}

fn is_hidden(char: char) -> bool {
    match char {
        ' '..='~' => false,
        '\0'..='\x7f' => true,
        // Letters and marks that show nothing.
        '\u{34f}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{17b4}'
        | '\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0d}'
        | '\u{ffa0}'
        | '\u{e0100}'..='\u{e01ef}' => true,
        '\u{85}' | '\u{2028}' | '\u{2029}' => true,
        space if space.is_whitespace() => false,
        _ => {
            // The standard library knows which characters cannot be printed: controls, formats,
            // private and unassigned ones. A mark is only escaped if there is no letter before it.
            let mut letter = [b'a'; 5];
            let length = 1 + char.encode_utf8(&mut letter[1..]).len();
            let text = str::from_utf8(&letter[..length]).unwrap_or_default();
            text.escape_debug().nth(1) == Some('\\')
        }
    }
}

/// The length of the sequence that chooses a colour, if the text begins with one.
fn colour_length(text: &str) -> usize {
    let Some(parameters) = text.strip_prefix("\x1b[") else { return 0 };
    let end = parameters.find(|char: char| !char.is_ascii_digit() && char != ';');
    end.filter(|end| parameters[*end..].starts_with('m')).map_or(0, |end| 2 + end + 1)
}

/// Where commands of CI systems have to be broken in this line, in order.
fn breaks(line: &str, colour: bool) -> Vec<usize> {
    let mut breaks = Vec::new();
    let mut start = line.trim_start();
    while colour && colour_length(start) > 0 {
        start = start[colour_length(start)..].trim_start();
    }
    // GitHub: `::error file=x::text`.
    let is_command = start.strip_prefix("::").is_some_and(|rest| rest.contains("::"));
    if is_command || GROUPS.iter().any(|group| start.starts_with(group)) {
        breaks.push(line.len() - start.len());
    }
    let mut find = |at: usize| {
        let rest = &line[at..];
        if let Some(rest) = rest.strip_prefix("##") {
            // GitHub `##[error]`, Azure DevOps `##vso[task.complete]`, TeamCity `##teamcity[…]`.
            let is_name = |char: char| char.is_ascii_alphanumeric() || "-_.".contains(char);
            if rest.trim_start_matches(is_name).starts_with('[') {
                breaks.push(at + 2);
            }
        } else if let Some(section) = ANYWHERE.iter().find(|section| rest.starts_with(**section)) {
            breaks.push(at + section.len() - 1);
        }
    };
    let begins = |byte: u8| matches!(byte, b'#' | b's' | b't');
    line.bytes().enumerate().filter(|(_, byte)| begins(*byte)).for_each(|(at, _)| find(at));
    breaks
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_effect_is_visible_and_broken() {
        for (text, expected) in [
            ("a\x1b[31mb\u{9b}c\u{202e}d\x7f\r\n\te\r", "a␛[31mb⟨U+009B⟩c⟨U+202E⟩d␡\n e␍"),
            ("\u{2028}\u{2029}\u{feff}\u{ad}", "⟨U+2028⟩⟨U+2029⟩⟨U+FEFF⟩⟨U+00AD⟩"),
            ("x\u{e0041}\u{fe01}\u{3164}", "x⟨U+E0041⟩⟨U+FE01⟩⟨U+3164⟩"),
            ("a ##[error]b ###[group]c", "a ##·[error]b ###·[group]c"),
            ("##vso[task.complete]", "##·vso[task.complete]"),
            ("##TeamCity[x] ##[a]##[b]", "##·TeamCity[x] ##·[a]##·[b]"),
            ("##\u{200d}[x] #\u{fe0f}#[x]", "##⟨U+200D⟩[x] #⟨U+FE0F⟩#[x]"),
            ("a\n  ::error file=x::b", "a\n  ·::error file=x::b"),
            ("\u{3000}::debug::", "\u{3000}·::debug::"),
            ("\u{200d}::debug::", "⟨U+200D⟩::debug::"),
            ("section_start:1:a\r\x1b[0Kb", "section_start·:1:a␍␛[0Kb"),
            ("--- a\n+++ b\n ~~~ c\n^^^ +++", "·--- a\n·+++ b\n ·~~~ c\n·^^^ +++"),
        ] {
            assert_eq!(inert(text), expected);
            assert_eq!(inert(expected), expected, "twice");
        }
    }

    #[test]
    fn ordinary_text_stays() {
        for text in [
            "std::fmt::Write, a ::b:: c, ::1 and [::1]:80",
            "# a\n## b [c]\n#[test]\n---\n| --- |\n--flag -- a",
            "❤\u{fe0f} 👩\u{200d}🚀 🏳\u{fe0f}\u{200d}🌈 #\u{fe0f}\u{20e3} می\u{200c}خواهم क्\u{200d}ष",
            "cafe\u{301} 日本\u{3000}語 \u{a0} � ▲ ⟨U+202E⟩ a·b",
        ] {
            assert_eq!(inert(text), text);
            assert_eq!(inert_json(text), text);
        }
    }

    #[test]
    fn only_colours_are_left_and_do_not_hide_a_start() {
        let text = "\x1b[1;31mred\x1b[0m \x1b[2J \x1b]8;;x\x07";
        assert_eq!(inert_except_colour(text), "\x1b[1;31mred\x1b[0m ␛[2J ␛]8;;x␇");
        assert_eq!(inert_except_colour("\x1b[2m ::a::"), "\x1b[2m ·::a::");
    }

    #[test]
    fn json_keeps_its_values() {
        let text = "{\"a\": \"##[x] ##vso[y] \u{202e}\u{e0041}\u{7f}section_end:\"}\n";
        let escaped =
            r###"{"a": "##\u005bx] ##\u0076so[y] \u202e\udb40\udc41\u007fsection_end\u003a"}"###;
        assert_eq!(inert_json(text), format!("{escaped}\n"));
    }

    proptest! {
        #[test]
        fn what_is_inert_stays(text in "([#:a-v\\[\r\n\t \\-+\u{200d}\u{202e}é]|##\\[|::|--- |section_end:)*") {
            let once = inert(&text);
            prop_assert_eq!(&inert(&once), &once);
            prop_assert!(!once.contains("##["));
        }
    }
}
