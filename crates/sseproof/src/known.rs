//! Globs over ids (`--only`), and the file of known failures: `--known FILE`.
//!
//! The ids are those of rules, or of requirements of parsers. The file is a map of globs to reasons:
//!
//! ```yaml
//! stream/utf8: legacy tenant
//! resume/*: { reason: fixed in 2.1, until: 2027-01-31 }   # the last day on which it is accepted
//! ```
//!
//! An entry that no longer fails is itself an error, so that the list can only shrink.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::path::Path;

use anyhow::{Context as _, bail};
use globset::{Glob, GlobMatcher};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

pub(crate) struct Known {
    pub(crate) glob: String,
    pub(crate) matcher: GlobMatcher,
    pub(crate) reason: String,
    pub(crate) until: Option<Date>,
}

impl Known {
    /// Whether the entry accepts nothing any more.
    pub(crate) fn is_over(&self, today: Date) -> bool {
        self.until.is_some_and(|until| until < today)
    }
}

/// The date in UTC, so that a file has the same effect on all machines.
pub(crate) fn today() -> Date {
    jiff::Timestamp::now().to_zoned(TimeZone::UTC).date()
}

/// The value of an entry: a reason, or a reason and its last day.
struct Entry {
    reason: String,
    until: Option<Date>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    reason: String,
    until: Option<String>,
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;
        impl<'de> Visitor<'de> for Written {
            type Value = Entry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a reason, or `{ reason: …, until: 2027-01-31 }`")
            }

            fn visit_str<E: Error>(self, reason: &str) -> Result<Entry, E> {
                Ok(Entry { reason: reason.to_owned(), until: None })
            }

            /// The number of an issue.
            fn visit_u64<E: Error>(self, number: u64) -> Result<Entry, E> {
                self.visit_str(&number.to_string())
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Entry, A::Error> {
                let Keys { reason, until } = Keys::deserialize(MapAccessDeserializer::new(map))?;
                let until = until.map(|until| {
                    until.parse().map_err(|_| {
                        Error::custom(format_args!(
                            "`{until}` is not a date; write it as until: 2027-01-31"
                        ))
                    })
                });
                Ok(Entry { reason, until: until.transpose()? })
            }
        }
        deserializer.deserialize_any(Written)
    }
}

/// The ids that a command knows.
pub(crate) struct Ids {
    /// Their owner, in the singular.
    noun: &'static str,
    lists: &'static str,
    /// A line of a file of known failures.
    example: &'static str,
    any: fn(&GlobMatcher) -> bool,
}

pub(crate) const RULES: Ids = Ids {
    noun: "rule",
    lists: "`sseproof list rules` lists all rules",
    example: "response/http10: fixed in June",
    any: |matcher| sseproof_rules::rules().any(|rule| matcher.is_match(rule.id)),
};

pub(crate) const OF_PARSERS: Ids = Ids {
    noun: "requirement of parsers",
    lists: "`sseproof list requirements` lists all requirements, and random streams are random/well-formed and random/hostile",
    example: "whatwg-sse/bom-at-start: fixed in June",
    any: |matcher| sseproof_check_parser::ids().any(|id| matcher.is_match(id)),
};

pub(crate) fn read(path: &Path, ids: &Ids) -> anyhow::Result<Vec<Known>> {
    let cannot = || format!("cannot read --known {}", path.display());
    let text = std::fs::read_to_string(path).with_context(cannot)?;
    parse(&text, ids).with_context(cannot)
}

/// Whether the file has only comments: no failure is known yet.
pub(crate) fn is_empty(text: &str) -> bool {
    text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'))
}

fn parse(text: &str, ids: &Ids) -> anyhow::Result<Vec<Known>> {
    if is_empty(text) {
        return Ok(Vec::new());
    }
    let entries: BTreeMap<String, Entry> = serde_yaml::from_str(text).with_context(|| {
        let Ids { noun, example, .. } = ids;
        format!("each line must be a glob over ids of a {noun} and a reason, as in `{example}`")
    })?;
    entries
        .into_iter()
        .map(|(glob, Entry { reason, until })| {
            if reason.trim().is_empty() {
                bail!("`{glob}` has no reason; write one after the colon");
            }
            let matcher = matcher(&glob, ids)?;
            Ok(Known { glob, matcher, reason, until })
        })
        .collect()
}

/// The text of a file: the entries that are kept, and one for each of these failures.
pub(crate) fn file<'f>(
    kept: impl IntoIterator<Item = (&'f str, &'f str, Option<&'f str>)>,
    failed: impl IntoIterator<Item = &'f str>,
    target: &str,
) -> String {
    let today = today();
    let mut out = format!(
        "# Known failures of {target}, written on {today}, for `sseproof check --known FILE`.\n\
         # Replace each new reason. An entry that no longer fails is an error; with\n\
         # `{{ reason: …, until: 2027-01-31 }}` it is accepted until the end of that day (UTC).\n"
    );
    for (glob, reason, until) in kept {
        let (glob, reason) = (quoted(glob), quoted(reason));
        let _ = match until {
            Some(until) => writeln!(out, "{glob}: {{ reason: {reason}, until: {until} }}"),
            None => writeln!(out, "{glob}: {reason}"),
        };
    }
    for rule in failed {
        let _ = writeln!(out, "{rule}: \"TODO: why is this accepted? (failed on {today})\"");
    }
    out
}

/// JSON strings are YAML strings.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The globs of `--only`. One that matches nothing is an error, or nothing would be checked.
pub(crate) fn only(globs: &[String], ids: &Ids) -> anyhow::Result<Vec<GlobMatcher>> {
    globs.iter().map(|text| matcher(text, ids).context("cannot use --only")).collect()
}

/// A glob over ids; one that matches none is an error.
fn matcher(text: &str, ids: &Ids) -> anyhow::Result<GlobMatcher> {
    let matcher = glob(text)?;
    if !(ids.any)(&matcher) {
        bail!("`{text}` matches no {}; {}", ids.noun, ids.lists);
    }
    Ok(matcher)
}

pub(crate) fn glob(text: &str) -> anyhow::Result<GlobMatcher> {
    let glob = Glob::new(text)
        .with_context(|| format!("`{text}` is not a valid glob; write one such as 'resume/*'"))?;
    Ok(glob.compile_matcher())
}

pub(crate) fn matches_a_rule(matcher: &GlobMatcher) -> bool {
    (RULES.any)(matcher)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_failure_needs_a_rule_and_a_reason() {
        let known = parse("stream/utf8: legacy tenant, gone in May\n", &RULES).unwrap();
        assert_eq!(
            (known[0].glob.as_str(), known[0].matcher.is_match("stream/utf8")),
            ("stream/utf8", true)
        );
        for (text, says) in [
            ("stream/utf8: ''", "has no reason"),
            ("stream/utf9: x", "matches no rule"),
            ("'[': x", "is not a valid glob"),
            ("- stream/utf8", "each line must be"),
            ("stream/utf8: { until: 2027-01-31 }", "missing field `reason`"),
            ("stream/utf8: { reason: x, till: 2027-01-31 }", "unknown field `till`"),
            ("stream/utf8: { reason: x, until: next week }", "`next week` is not a date"),
            ("stream/utf8: { reason: x, until: 2027-02-31 }", "is not a date"),
            ("stream/utf8: [x]", "a reason, or `{ reason: …"),
        ] {
            let error = format!("{:#}", parse(text, &RULES).err().unwrap());
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn an_entry_may_have_a_last_day() {
        let text = "stream/utf8: { reason: x, until: 2027-01-31 }\nstream/bom: 123";
        let known = parse(text, &RULES).unwrap();
        // In the order of the globs.
        for (day, over) in [("2027-01-31", [false, false]), ("2027-02-01", [false, true])] {
            let day = day.parse().unwrap();
            assert_eq!(known.iter().map(|entry| entry.is_over(day)).collect::<Vec<_>>(), over);
        }
        assert!(parse("# none yet\n", &RULES).unwrap().is_empty());
    }

    #[test]
    fn what_is_written_is_read_again() {
        let kept =
            [("resume/*", "why: \"so\"\n# x", Some("2027-01-31")), ("stream/bom", "y", None)];
        let text = file(kept, ["stream/utf8"], "http://127.0.0.1/x");
        let read = parse(&text, &RULES).unwrap();
        let read: Vec<_> = read.iter().map(|entry| (&*entry.glob, entry.until)).collect();
        let date = "2027-01-31".parse().ok();
        assert_eq!(read, [("resume/*", date), ("stream/bom", None), ("stream/utf8", None)]);
        assert!(parse(&file([], [], "x"), &RULES).unwrap().is_empty());
    }
}
