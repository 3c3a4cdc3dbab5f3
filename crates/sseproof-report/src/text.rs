//! Text that fits a terminal: inert, measured in columns, wrapped.

use sseproof_units::inert;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The minimum width of wrapped lines, however narrow the terminal is.
const NARROWEST: usize = 24;

pub(crate) fn columns(text: &str) -> usize {
    text.width()
}

/// The inert text in lines of at most `width` columns.
///
/// Line feeds stay line ends. A word that is wider than a line is cut, except a link, which would
/// not work any more.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(NARROWEST);
    let mut lines = Vec::new();
    for paragraph in inert(text).trim_end_matches('\n').split('\n') {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            let room = width.saturating_sub(if line.is_empty() { 0 } else { columns(&line) + 1 });
            if columns(word) <= room {
                if !line.is_empty() {
                    line.push(' ');
                }
                line.push_str(word);
                continue;
            }
            if !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            line =
                if word.contains("://") { word.to_owned() } else { cut(word, width, &mut lines) };
        }
        lines.push(line);
    }
    lines
}

/// Pushes the full lines of a word and returns its rest.
fn cut(word: &str, width: usize, lines: &mut Vec<String>) -> String {
    let mut line = String::new();
    let mut used = 0;
    for char in word.chars() {
        let more = char.width().unwrap_or(0);
        if used + more > width {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        line.push(char);
        used += more;
    }
    line
}

/// The text in one line of at most `width` columns, with an ellipsis where it was longer.
pub(crate) fn truncate(text: &str, width: usize) -> String {
    let line = inert(text).replace('\n', " ");
    if columns(&line) <= width {
        return line;
    }
    let mut out = String::new();
    let mut used = 0;
    for char in line.chars() {
        let more = char.width().unwrap_or(0);
        if used + more + 1 > width {
            break;
        }
        out.push(char);
        used += more;
    }
    if width > 0 {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_kept_and_line_feeds_too() {
        let lines = wrap("one two three four five six seven\neight\n\nnine\n", 24);
        assert_eq!(lines, ["one two three four five", "six seven", "eight", "", "nine"]);
    }

    #[test]
    fn wide_words_are_cut_and_links_are_not() {
        let long = "x".repeat(50);
        let widths: Vec<_> = wrap(&long, 24).iter().map(|line| columns(line)).collect();
        assert_eq!(widths, [24, 24, 2]);
        let link = format!("see https://{long} there");
        assert_eq!(wrap(&link, 24).len(), 3);
    }

    #[test]
    fn columns_count_and_not_characters() {
        let lines = wrap(&"日本".repeat(10), 25);
        assert_eq!(lines.iter().map(|line| columns(line)).collect::<Vec<_>>(), [24, 16]);
        assert_eq!(truncate("日本日本", 6), "日本…");
        assert_eq!(truncate("abc", 3), "abc");
        assert_eq!(truncate("abc", 0), "");
    }
}
