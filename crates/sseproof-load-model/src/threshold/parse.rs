//! The grammar: a name, a comparison, a limit.

use std::fmt;

use sseproof_units::{Dimension, UnitError, Value, nearest};

use super::{Limit, Relation, Subject, Threshold};
use crate::{Counter, Metric};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThresholdError {
    pub text: String,
    /// At which byte of it.
    pub at: usize,
    /// The mistake: a sentence without capital and full stop.
    pub what: String,
    pub instead: String,
}

impl std::error::Error for ThresholdError {}

impl fmt::Display for ThresholdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text, at, what, instead } = self;
        let indent = " ".repeat(text.get(..*at).map_or(*at, |before| before.chars().count()));
        write!(f, "{what}\n  {text}\n  {indent}^ {instead}")
    }
}

const SYNONYMS: [(&str, &str); 12] = [
    ("latency", "delivery"),
    ("ttfb", "head"),
    ("ttfe", "first-event"),
    ("e2e", "end-to-end"),
    ("duration", "end-to-end"),
    ("dropped", "lost"),
    ("missing", "lost"),
    ("duplicates", "duplicated"),
    ("goodput", "good.share"),
    ("throughput", "events.rate"),
    ("failed", "errors"),
    ("rps", "completed.rate"),
];

const EXAMPLE: &str = "write one like delivery.p99 > 50ms, lost > 0 or good.share < 99%";

impl Threshold {
    /// Reads a threshold on the values of one run.
    ///
    /// # Errors
    /// [`ThresholdError`], with what to write instead.
    pub fn parse(text: &str) -> Result<Self, ThresholdError> {
        let threshold = Self::parse_change(text)?;
        if let Limit::Change(_) = threshold.limit {
            let at = text.rfind(['+', '-']).unwrap_or_default();
            return Err(ThresholdError {
                text: text.to_owned(),
                at,
                what: "a change compares with an older result, and a run has none".to_owned(),
                instead: "compare two with `sseproof diff old.json new.json`, or write a value without a sign".to_owned(),
            });
        }
        Ok(threshold)
    }

    /// Reads a threshold on the values of one run, or on what they changed against an older one:
    /// `delivery.p99 > +10%`.
    ///
    /// # Errors
    /// [`ThresholdError`], with what to write instead.
    pub fn parse_change(text: &str) -> Result<Self, ThresholdError> {
        let mut reader = Reader::new(text);
        let name = reader.name();
        if name.is_empty() {
            return Err(reader.wrong("the name before the comparison is missing", EXAMPLE));
        }
        let Some(subject) = Subject::of(name) else {
            let (what, instead) = unknown(name);
            return Err(reader.wrong(what, instead));
        };
        reader.pass(name.len());
        let example = format!("write {subject} {}", usual(subject));
        let (relation, length) = reader.relation(&example)?;
        let mut after = reader;
        after.pass(length);
        let limit = after.limit(limit(after.rest(), subject.dimension()))?;
        if let Some(what) = vain(subject, relation, limit) {
            return Err(reader.wrong(what, example));
        }
        Ok(Self { subject, relation, limit, text: text.trim().to_owned() })
    }
}

/// A text, and how far it was read; white space is passed over.
#[derive(Clone, Copy)]
pub(super) struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, at: text.len() - text.trim_start().len() }
    }

    pub(super) fn wrong(
        &self,
        what: impl Into<String>,
        instead: impl Into<String>,
    ) -> ThresholdError {
        let text = self.text.to_owned();
        ThresholdError { text, at: self.at, what: what.into(), instead: instead.into() }
    }

    pub(super) fn rest(&self) -> &'t str {
        self.text[self.at..].trim_end()
    }

    pub(super) fn pass(&mut self, length: usize) {
        self.at = self.text.len() - self.text[self.at + length..].trim_start().len();
    }

    /// The name before a comparison.
    pub(super) fn name(&self) -> &'t str {
        let is_end = |char: char| char.is_whitespace() || "<>=!".contains(char);
        self.rest().split(is_end).next().unwrap_or_default()
    }

    /// The comparison that comes next, and how long it is.
    pub(super) fn relation(&self, instead: &str) -> Result<(Relation, usize), ThresholdError> {
        let rest = self.rest();
        let end = rest.find(|char: char| !"<>=!".contains(char)).unwrap_or(rest.len());
        let relation = match &rest[..end] {
            "<" => Relation::Less,
            "<=" => Relation::LessOrEqual,
            ">" => Relation::Greater,
            ">=" => Relation::GreaterOrEqual,
            "" => return Err(self.wrong("a comparison is missing: <, <=, > or >=", instead)),
            other => {
                let what = format!("`{other}` is not a comparison; use <, <=, > or >=");
                return Err(self.wrong(what, instead));
            }
        };
        Ok((relation, end))
    }

    pub(super) fn limit<T>(&self, read: Result<T, UnitError>) -> Result<T, ThresholdError> {
        read.map_err(|UnitError { at, what, instead }| ThresholdError {
            at: self.at + at,
            ..self.wrong(what, instead)
        })
    }
}

fn limit(text: &str, dimension: Dimension) -> Result<Limit, UnitError> {
    if text.is_empty() {
        let usual = dimension.example(if dimension == Dimension::Count { "0" } else { "50" });
        return Err(UnitError {
            at: 0,
            what: "the limit is missing".to_owned(),
            instead: format!("write one such as {usual}"),
        });
    }
    let (sign, number) = match text.as_bytes().first() {
        Some(b'+') => (1.0, &text[1..]),
        Some(b'-') => (-1.0, &text[1..]),
        _ => return Value::parse(text, dimension).map(Limit::Value),
    };
    match Value::parse(number, Dimension::Share) {
        Ok(share) => Ok(Limit::Change(sign * share.amount)),
        Err(_) => Err(UnitError {
            at: 0,
            what: format!("`{text}` is not a change"),
            instead:
                "a change is a share of the older value, such as +10% or -5%; a value has no sign"
                    .to_owned(),
        }),
    }
}

/// No value is below zero, so such a threshold checks nothing, and its author expects that it does.
fn vain(subject: Subject, relation: Relation, limit: Limit) -> Option<&'static str> {
    let Limit::Value(value) = limit else { return None };
    // A slope may point down if a server releases memory.
    if matches!(subject, Subject::Figure(_)) || value.amount > 0.0 {
        return None;
    }
    match relation {
        Relation::Less => Some("no value is below zero, so this is never crossed"),
        Relation::GreaterOrEqual => Some("no value is below zero, so this is always crossed"),
        Relation::LessOrEqual | Relation::Greater => None,
    }
}

fn usual(subject: Subject) -> &'static str {
    match subject {
        Subject::Share(_) => "< 99%",
        Subject::Rate(Counter::Bytes) => "< 50KiB/s",
        Subject::Rate(_) => "< 50/s",
        Subject::Samples(_) => "< 50",
        _ => match subject.dimension() {
            Dimension::Time => "> 50ms",
            Dimension::Bytes => "> 50KiB",
            Dimension::Share => "> 50%",
            Dimension::Rate | Dimension::ByteRate | Dimension::Count => "> 0",
        },
    }
}

fn unknown(name: &str) -> (String, String) {
    let (start, end) = name.split_once('.').unwrap_or((name, ""));
    let metric = Metric::of(start);
    if let Some(metric) = metric {
        let key = metric.key();
        return match end.strip_prefix('p') {
            _ if end.is_empty() => (
                format!("`{key}` is a distribution, not one value"),
                format!(
                    "write one of {key}.p50, {key}.p99, {key}.p99.9, {key}.max, {key}.mean, {key}.count"
                ),
            ),
            Some(digits) if digits.starts_with(|char: char| char.is_ascii_digit()) => (
                format!("`{end}` is not a percentile"),
                format!(
                    "use p0.01 to p99.99, with at most two decimals; the highest value is {key}.max"
                ),
            ),
            _ => (
                format!("`{end}` is not a value of a distribution"),
                match end {
                    "avg" | "average" => format!("did you mean {key}.mean?"),
                    "median" => format!("did you mean {key}.p50?"),
                    _ => format!("write {key}.p99, with any percentile, or min, mean, max, count"),
                },
            ),
        };
    }
    if Counter::of(start) == Some(Counter::Errors) {
        let kinds: Vec<_> = crate::ErrorKind::ALL.iter().map(|kind| kind.key()).collect();
        return (
            format!("unknown kind of error `{end}`"),
            format!("the kinds are {}, and status-503 for a status", kinds.join(", ")),
        );
    }
    let what = format!("unknown metric `{name}`");
    let synonym = SYNONYMS.iter().find(|(word, _)| *word == start).map(|(_, meant)| {
        if end.is_empty() || meant.contains('.') {
            match Metric::of(meant) {
                Some(_) => format!("{meant}.p99"),
                None => (*meant).to_owned(),
            }
        } else {
            format!("{meant}.{end}")
        }
    });
    match synonym.or_else(|| nearest(name, Subject::all().map(|subject| subject.to_string()))) {
        Some(meant) => (what, format!("did you mean {meant}?")),
        None => (what, format!("{EXAMPLE}; all names are in specs/metrics.md")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_written_well_is_read_as_it_is_written() {
        for text in [
            "delivery.p99 > 50ms",
            "delivery.p99>50ms",
            "delivery.p99.99 >= 1.5s",
            "lost > 0",
            "errors.status-503 <= 2",
            "good.share < 99.5%",
            "events.rate < 1000/s",
            "bytes.rate < 1MiB/s",
            "memory.server > 20KiB",
            "memory.server.base > 20 MiB",
            "cpu.server > 20us",
            "delivery.count < 1",
            "memory.server < 0B",
        ] {
            let threshold = Threshold::parse(text).expect(text);
            assert_eq!(threshold.to_string(), text);
            assert!(text.starts_with(&threshold.subject.to_string()), "{text}");
        }
        assert_eq!(Threshold::parse("  lost>0 ").map(|t| t.to_string()), Ok("lost>0".to_owned()));
    }

    #[test]
    fn a_mistake_has_its_place_and_a_suggestion() {
        let table = include_str!("broken.txt");
        for row in table.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let [text, at, what, instead] = row.split(" | ").collect::<Vec<_>>()[..] else {
                panic!("four columns: {row}")
            };
            let wrong = Threshold::parse(text).expect_err(text);
            let shown = format!("{text} | {} | {} | {}", wrong.at, wrong.what, wrong.instead);
            assert_eq!(shown, format!("{text} | {at} | {what} | {instead}"));
        }
        let wrong = Threshold::parse("").unwrap_err();
        assert_eq!(
            (wrong.at, wrong.what.as_str()),
            (0, "the name before the comparison is missing")
        );
    }

    #[test]
    fn an_error_shows_the_place() {
        let wrong = Threshold::parse("delivery.p99 > 50").unwrap_err();
        assert_eq!(
            wrong.to_string(),
            "`50` has no unit\n  delivery.p99 > 50\n                   ^ write 50s for seconds, or 50ms for milliseconds"
        );
    }

    #[test]
    fn a_change_is_only_read_where_there_is_something_older() {
        let change = Threshold::parse_change("events.rate < -5%").unwrap();
        assert_eq!(change.limit, Limit::Change(-0.05));
        let wrong = Threshold::parse("events.rate < -5%").unwrap_err();
        assert_eq!(wrong.at, "events.rate < ".len());
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reader(text in "[a-z.0-9 <>=+%µ-]{0,24}") {
            if let Err(wrong) = Threshold::parse_change(&text) {
                prop_assert!(wrong.at <= text.len() && text.is_char_boundary(wrong.at), "{:?}", wrong);
                prop_assert!(!wrong.to_string().is_empty());
            }
        }
    }
}
