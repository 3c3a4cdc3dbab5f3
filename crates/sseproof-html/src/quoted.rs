//! Text of others in a page: without effect, and cut.

use maud::{Escaper, Markup, PreEscaped, Render, html};
use sseproof_units::{count, inert};
use std::fmt::Write as _;

/// How many characters of a text in a line are shown.
const LINE: usize = 400;
/// How many characters of a text of several lines are shown.
const TEXT: usize = 20_000;

/// Text of others: control characters, and those that change the direction of text, are visible.
#[derive(Clone, Copy, Debug)]
pub struct Quoted<'a> {
    text: &'a str,
    most: usize,
    has_lines: bool,
}

/// One line of text of others.
pub fn line(text: &str) -> Quoted<'_> {
    Quoted { text, most: LINE, has_lines: false }
}

/// Text of others with line ends, for `pre`.
pub fn text(text: &str) -> Quoted<'_> {
    Quoted { text, most: TEXT, has_lines: true }
}

/// A sentence, in which text in backticks is code.
pub fn prose(text: &str) -> Markup {
    let parts: Vec<&str> = text.split('`').collect();
    // A backtick without its partner is only a character.
    if parts.len().is_multiple_of(2) {
        return html! { (line(text)) };
    }
    html! {
        @for (index, part) in parts.into_iter().enumerate() {
            @if index % 2 == 0 { (line(part)) } @else { code { (line(part)) } }
        }
    }
}

impl Render for Quoted<'_> {
    fn render_to(&self, out: &mut String) {
        // A character of the text becomes at least one, so the rest need not be made inert.
        let end = self.text.char_indices().nth(self.most).map_or(self.text.len(), |(at, _)| at);
        let mut shown = inert(&self.text[..end]);
        if !self.has_lines {
            shown = shown.replace('\n', " ");
        }
        // Writing into a string does not fail.
        let _ = Escaper::new(out).write_str(&shown);
        let more = self.text[end..].chars().count();
        if more > 0 {
            let more = count(more as u64);
            html! { "… " span.more { "(" (PreEscaped(more)) " more characters)" } }.render_to(out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_others_has_no_effect() {
        let hostile = "<b onclick='x'>\u{202e}\x1b[2J &amp; \"\n##[error]";
        assert_eq!(
            line(hostile).render().0,
            "&lt;b onclick='x'&gt;⟨U+202E⟩␛[2J &amp;amp; &quot; ##·[error]"
        );
        assert!(text(hostile).render().0.contains("&quot;\n##·[error]"));
    }

    #[test]
    fn long_text_is_cut_at_a_character() {
        let shown = line(&"é".repeat(1401)).render().0;
        assert!(shown.starts_with(&"é".repeat(400)) && shown.contains("(1,001 more characters)"));
    }

    #[test]
    fn backticks_enclose_code() {
        assert_eq!(prose("add `a: <b>`, or c").0, "add <code>a: &lt;b&gt;</code>, or c");
        assert_eq!(prose("a ` b").0, "a ` b");
    }
}
