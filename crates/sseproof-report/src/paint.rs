//! Colours, if they are wanted.

use anstyle::{AnsiColor, Style};

/// The meaning of a piece of text, which chooses its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    Plain,
    Strong,
    /// Less important text.
    Faint,
    Good,
    Bad,
    Warning,
    Hint,
}

/// The text in the colour; line ends and surrounding white space stay outside.
pub(crate) fn paint(text: &str, ink: Ink, colour: bool) -> String {
    if !colour || ink == Ink::Plain || text.trim().is_empty() {
        return text.to_owned();
    }
    let style = match ink {
        Ink::Plain => Style::new(),
        Ink::Strong => Style::new().bold(),
        Ink::Faint => Style::new().dimmed(),
        Ink::Good => AnsiColor::Green.on_default(),
        Ink::Bad => AnsiColor::Red.on_default().bold(),
        Ink::Warning => AnsiColor::Yellow.on_default().bold(),
        Ink::Hint => AnsiColor::Cyan.on_default(),
    };
    let start = text.len() - text.trim_start().len();
    let end = text.trim_end().len();
    format!("{}{style}{}{style:#}{}", &text[..start], &text[start..end], &text[end..])
}
