//! Globs over ids (`--only`), and the file of known failures: `--known FILE`.
//!
//! The ids are those of rules, or of requirements of parsers.
//! An entry that no longer fails is itself an error, so that the list can only shrink.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use globset::{Glob, GlobMatcher};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use sseproof_files::KnownFailure;
use sseproof_report::{Judged, KnownResult, Report, Standing};
use sseproof_units::counted;

use crate::{output, screen};

pub(crate) struct Known {
    pub(crate) entry: KnownFailure,
    pub(crate) matcher: GlobMatcher,
}

/// The date in UTC, so that a file has the same effect on all machines.
pub(crate) fn today() -> Date {
    jiff::Timestamp::now().to_zoned(TimeZone::UTC).date()
}

/// The ids that a command knows.
pub(crate) struct Ids {
    /// Their owner, in the singular.
    noun: &'static str,
    lists: &'static str,
    any: fn(&GlobMatcher) -> bool,
}

pub(crate) const RULES: Ids = Ids {
    noun: "rule",
    lists: "`sseproof list rules` lists all rules",
    any: |matcher| sseproof_rules::rules().any(|rule| matcher.is_match(rule.id)),
};

pub(crate) const OF_CLIENTS: Ids = Ids {
    noun: "rule for clients",
    lists: "`sseproof list rules --clients` lists them",
    any: |matcher| sseproof_client_rules::rules().any(|rule| matcher.is_match(rule.id)),
};

pub(crate) const OF_PARSERS: Ids = Ids {
    noun: "requirement of parsers",
    lists: "`sseproof list requirements` lists all requirements, and random streams are random/well-formed and random/hostile",
    any: |matcher| sseproof_check_parser::ids().any(|id| matcher.is_match(id)),
};

pub(crate) fn read(path: &Path, ids: &Ids) -> anyhow::Result<Vec<Known>> {
    let name = path.display().to_string();
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read --known {name}"))?;
    parse(&name, &text, ids)
}

pub(crate) fn parse(file: &str, text: &str, ids: &Ids) -> anyhow::Result<Vec<Known>> {
    let entries = KnownFailure::parse(file, text).map_err(|mistakes| anyhow!("{mistakes}"))?;
    let known = entries.into_iter().map(|entry| match matcher(&entry.glob, ids) {
        Ok(matcher) => Ok(Known { entry, matcher }),
        Err(error) => Err(anyhow!("{}", entry.mistake(format!("{error:#}"), None))),
    });
    known.collect()
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

/// The globs of `--skip`. One may match nothing: a list for several versions can have rules that this
/// version does not have.
pub(crate) fn skip(globs: &[String], ids: &Ids) -> anyhow::Result<Vec<GlobMatcher>> {
    let skip = globs.iter().map(|text| {
        let glob = glob(text).context("cannot use --skip")?;
        if !(ids.any)(&glob) {
            screen::say(format_args!("sseproof: --skip '{text}' matches no {}", ids.noun));
        }
        Ok(glob)
    });
    skip.collect()
}

/// The result of each entry.
pub(crate) fn results(known: Vec<Known>, findings: &[Judged]) -> Vec<KnownResult> {
    let today = today();
    let result = |Known { entry, matcher }: Known| {
        let is_over = entry.is_over(today);
        let KnownFailure { glob, reason, until, .. } = entry;
        let result = KnownResult::of(glob, reason, findings, |id| matcher.is_match(id));
        match until {
            Some(until) => result.until(until.to_string(), is_over),
            None => result,
        }
    };
    known.into_iter().map(result).collect()
}

/// Writes the failures of this run as a file of known failures. Entries of `--known` whose rules still
/// fail stay as they are.
pub(crate) fn write(path: &Path, report: &Report) -> anyhow::Result<()> {
    let kept = report.known.iter().filter(|entry| !entry.stale && !entry.is_over);
    let kept = kept.map(|entry| (&*entry.glob, &*entry.reason, entry.until.as_deref()));
    let failed: Vec<_> =
        report.standing_at(Standing::Broken).map(|finding| &*finding.rule).collect();
    let count = counted(failed.len(), "new failure");
    output::write("write-known", path, &file(kept, failed, &report.target))?;
    if !output::is_standard(path) {
        screen::say(format_args!(
            "sseproof: {count} in {}; replace each TODO by a reason",
            path.display()
        ));
    }
    Ok(())
}

/// A glob over ids; one that matches none is an error.
fn matcher(text: &str, ids: &Ids) -> anyhow::Result<GlobMatcher> {
    let matcher = glob(text)?;
    if !(ids.any)(&matcher) {
        bail!("`{text}` matches no {}; {}", ids.noun, ids.lists);
    }
    Ok(matcher)
}

fn glob(text: &str) -> anyhow::Result<GlobMatcher> {
    let glob = Glob::new(text)
        .with_context(|| format!("`{text}` is not a valid glob; write one such as 'resume/*'"))?;
    Ok(glob.compile_matcher())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_failure_needs_a_rule() {
        let known = parse("f", "stream/utf8: legacy tenant, gone in May\n", &RULES).unwrap();
        assert!(known[0].matcher.is_match("stream/utf8"));
        for (text, says) in [
            ("stream/utf8: ''", "f:1:1: `stream/utf8` has no reason"),
            ("stream/bom: x\nstream/utf9: x", "f:2:1: `stream/utf9` matches no rule"),
            ("'[': x", "f:1:2: `[` is not a valid glob"),
        ] {
            let error = format!("{:#}", parse("f", text, &RULES).err().unwrap());
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn the_file_is_read_again() {
        let kept =
            [("resume/*", "why: \"so\"\n# x", Some("2027-01-31")), ("stream/bom", "y", None)];
        let text = file(kept, ["stream/utf8"], "http://127.0.0.1/x");
        let read = parse("f", &text, &RULES).unwrap();
        let read: Vec<_> =
            read.iter().map(|known| (&*known.entry.glob, known.entry.until)).collect();
        let date = "2027-01-31".parse().ok();
        assert_eq!(read, [("resume/*", date), ("stream/bom", None), ("stream/utf8", None)]);
        assert!(parse("f", &file([], [], "x"), &RULES).unwrap().is_empty());
    }
}
