//! The list of known failures: a map of globs over ids to reasons.
//!
//! ```yaml
//! stream/utf8: the legacy tenant
//! resume/*: { reason: fixed in 2.1, until: 2027-01-31 }
//! ```

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::de::Error;
use serde::{Deserialize, Deserializer};

use crate::mistake::{Mistake, Mistakes, Place, Slip, Source};
use crate::model::{At, Short, Shorthand};
use crate::yaml::{Kind, read};

/// An entry of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownFailure {
    /// A glob over ids, which is not checked here.
    pub glob: String,
    pub reason: String,
    /// The last day on which the failures are accepted.
    pub until: Option<Date>,
    /// The line of the entry, with nothing wrong so far.
    line: Mistake,
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Document(BTreeMap<String, At<Short<Entry>>>);

impl Kind for Document {
    const NOUN: &'static str = "list of known failures";
    const BEGIN: &'static str = "write a line such as `stream/utf8: fixed in June`";
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    reason: String,
    until: Option<Day>,
}

impl Shorthand for Entry {
    const EXPECTED: &'static str = "a reason";
    const WRITTEN: &'static str = "the reason, or { reason: …, until: 2027-01-31 }";

    fn short(text: &str) -> Result<Self, Slip> {
        Ok(Self { reason: text.to_owned(), until: None })
    }
}

struct Day(Date);

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(|_| {
            let what = format!("`{text}` is not a date");
            D::Error::custom(Slip::instead(what, "write it as until: 2027-01-31"))
        })
    }
}

impl KnownFailure {
    /// Reads a list. `file` is only used to name it in messages.
    ///
    /// # Errors
    /// [`Mistakes`], each with its place and with what to write instead.
    pub fn parse(file: &str, text: &str) -> Result<Vec<Self>, Mistakes> {
        if is_empty(text) {
            return Ok(Vec::new());
        }
        let source = Source { file, text };
        let Document(entries) = read(&source)?;
        let entries = entries.into_iter().map(|(glob, At { value: Short(entry), place })| {
            let start = Place { line: place.line, column: 1 };
            let place = source.find(&glob, start).unwrap_or(place);
            let line = Slip::new("").at(&source, place);
            let until = entry.until.map(|Day(until)| until);
            let entry = Self { glob, reason: entry.reason, until, line };
            match entry.reason.trim() {
                "" => Err(entry.mistake(
                    format!("`{}` has no reason", entry.glob),
                    Some("write one after the colon".to_owned()),
                )),
                _ => Ok(entry),
            }
        });
        entries.collect::<Result<_, _>>().map_err(|mistake| Mistakes(vec![mistake]))
    }

    /// A mistake in the glob.
    pub fn mistake(&self, what: impl Into<String>, instead: Option<String>) -> Mistake {
        Mistake { what: what.into(), instead, ..self.line.clone() }
    }

    /// Whether the entry accepts nothing any more.
    pub fn is_over(&self, today: Date) -> bool {
        self.until.is_some_and(|until| until < today)
    }
}

/// Whether the list has only comments: no failure is known yet.
pub(crate) fn is_empty(text: &str) -> bool {
    text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_may_have_a_last_day() {
        let text = "stream/utf8: { reason: x, until: 2027-01-31 }\nstream/bom: 123";
        let known = KnownFailure::parse("f", text).unwrap();
        // In the order of the globs.
        for (day, over) in [("2027-01-31", [false, false]), ("2027-02-01", [false, true])] {
            let day = day.parse().unwrap();
            assert_eq!(known.iter().map(|entry| entry.is_over(day)).collect::<Vec<_>>(), over);
        }
        assert_eq!(KnownFailure::parse("f", "# none yet\n\n"), Ok(Vec::new()));
    }

    #[test]
    fn a_mistake_has_its_place() {
        let texts = [
            "stream/utf8: ''",
            "# x\nstream/utf8:\n",
            "- stream/utf8",
            "stream/utf8: { until: 2027-01-31 }",
            "stream/utf8: { reason: x, till: 2027-01-31 }",
            "stream/bom: x\nstream/utf8: { reason: x, until: next week }",
            "stream/utf8: { reason: x, until: 2027-02-31 }",
            "stream/utf8: [x]",
            "stream/utf8: x\nstream/utf8: y",
        ];
        let shown = texts.map(|text| KnownFailure::parse("f", text).unwrap_err().to_string());
        insta::assert_snapshot!(shown.join("\n\n"));
    }
}
