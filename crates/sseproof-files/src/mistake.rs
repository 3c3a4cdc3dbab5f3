//! Mistakes in a user's file: the fault, its place, and a correction.

use std::fmt;
use std::path::Path;

use sseproof_units::UnitError;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistakes(pub Vec<Mistake>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The file, as the user named it.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, in characters, from 1.
    pub column: usize,
    pub text: String,
    /// The fault: a sentence without capital and full stop.
    pub what: String,
    pub instead: Option<String>,
}

impl std::error::Error for Mistakes {}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, mistake) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n\n")?;
            }
            mistake.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, text, what, instead } = self;
        let number = line.to_string();
        let margin = " ".repeat(number.len());
        // Tabs are kept, so that the caret stands below its column.
        let indent: String = text
            .chars()
            .take(column.saturating_sub(1))
            .map(|char| if char == '\t' { '\t' } else { ' ' })
            .collect();
        writeln!(f, "{file}:{line}:{column}: {what}")?;
        writeln!(f, "{margin} |")?;
        writeln!(f, "{number} | {text}")?;
        write!(f, "{margin} | {indent}^")?;
        match instead {
            Some(instead) => write!(f, "\n{margin} = {instead}"),
            None => Ok(()),
        }
    }
}

/// A mistake whose place is not known yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slip {
    pub(crate) what: String,
    pub(crate) instead: Option<String>,
}

/// Separates the two parts of a slip in serde's message.
const SEAM: char = '\u{1f}';

impl From<UnitError> for Slip {
    fn from(UnitError { what, instead, .. }: UnitError) -> Self {
        Self::instead(what, instead)
    }
}

impl Slip {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), instead: None }
    }

    pub(crate) fn instead(what: impl Into<String>, instead: impl Into<String>) -> Self {
        Self { what: what.into(), instead: Some(instead.into()) }
    }

    /// The inverse of [`Display`](fmt::Display).
    pub(crate) fn from_message(message: &str) -> Self {
        match message.split_once(SEAM) {
            Some((what, instead)) => Self::instead(what, instead),
            None => Self::new(message),
        }
    }

    pub(crate) fn at(self, source: &Source<'_>, place: Place) -> Mistake {
        let text = source.line(place.line).to_owned();
        let Self { what, instead } = self;
        Mistake {
            file: source.file.to_owned(),
            line: place.line,
            column: place.column,
            text,
            what,
            instead,
        }
    }
}

impl fmt::Display for Slip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        self.instead.iter().try_for_each(|instead| write!(f, "{SEAM}{instead}"))
    }
}

/// A line and a column, both from 1; the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub line: usize,
    pub column: usize,
}

/// A file with its name.
#[derive(Clone, Copy)]
pub(crate) struct Source<'s> {
    pub(crate) file: &'s str,
    pub(crate) text: &'s str,
}

impl<'s> Source<'s> {
    /// The folder at which relative paths in the file begin.
    pub(crate) fn folder(&self) -> &'s Path {
        Path::new(self.file).parent().unwrap_or(Path::new(""))
    }

    /// The text of a line, without its end.
    pub(crate) fn line(&self, number: usize) -> &'s str {
        lines(self.text).nth(number.saturating_sub(1)).unwrap_or_default()
    }

    /// The first place of the words at or after this one.
    pub(crate) fn find(&self, words: &str, from: Place) -> Option<Place> {
        lines(self.text).enumerate().skip(from.line.saturating_sub(1)).find_map(|(index, text)| {
            let passed = if index + 1 == from.line { from.column.saturating_sub(1) } else { 0 };
            let start = text.char_indices().nth(passed).map_or(text.len(), |(start, _)| start);
            let found = start + text[start..].find(words)?;
            Some(Place { line: index + 1, column: text[..found].chars().count() + 1 })
        })
    }

    /// The first place of the key at or after this one: a whole word with a colon after it.
    pub(crate) fn find_key(&self, key: &str, from: Place) -> Option<Place> {
        let mut from = from;
        loop {
            let place = self.find(key, from)?;
            let mut around = self.line(place.line).chars().skip(place.column.saturating_sub(2));
            let before = if place.column > 1 { around.next() } else { None };
            let starts = before.is_none_or(|char| " \t{,\"'".contains(char));
            let mut after =
                around.skip(key.chars().count()).skip_while(|char| "\"' ".contains(*char));
            if starts && after.next().is_none_or(|char| char == ':') {
                return Some(place);
            }
            from = Place { column: place.column + 1, ..place };
        }
    }
}

/// The lines as YAML has them: a CR alone ends one too (YAML 1.2, section 5.4).
pub(crate) fn lines(text: &str) -> impl Iterator<Item = &str> {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.split('\n').flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_as_a_whole_word() {
        let source = Source { file: "f", text: "a: for\n  - b: { xfor: 1, for : 2 }\n" };
        assert_eq!(
            source.find_key("for", Place { line: 1, column: 1 }),
            Some(Place { line: 1, column: 4 }),
            "a word at the end of a line may be a key of the next one",
        );
        assert_eq!(
            source.find_key("for", Place { line: 2, column: 1 }),
            Some(Place { line: 2, column: 19 })
        );
        assert_eq!(source.find_key("c", Place { line: 1, column: 1 }), None);
    }

    #[test]
    fn lines_are_those_of_yaml() {
        let source = Source { file: "f", text: "a: 1\rb: 2\r\nc: 3\nd: 4" };
        assert_eq!(
            [1, 2, 3, 4, 5].map(|line| source.line(line)),
            ["a: 1", "b: 2", "c: 3", "d: 4", ""]
        );
        let found = source.find_key("c", Place { line: 1, column: 1 });
        assert_eq!(found, Some(Place { line: 3, column: 1 }));
    }

    #[test]
    fn a_caret_stands_under_its_column() {
        let source = Source { file: "f.yaml", text: "é: ü x" };
        let shown = Slip::instead("wrong", "right").at(&source, Place { line: 1, column: 6 });
        assert_eq!(shown.to_string(), "f.yaml:1:6: wrong\n  |\n1 | é: ü x\n  |      ^\n  = right");
    }
}
