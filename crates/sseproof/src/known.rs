//! Globs over ids (`--only`), and the file of known failures: `--known FILE`.
//!
//! The ids are those of rules, or of requirements of parsers. The file is a map of globs to reasons.
//! An entry that no longer fails is itself an error, so that the list can only shrink.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, bail};
use globset::{Glob, GlobMatcher};

pub(crate) struct Known {
    pub(crate) glob: String,
    pub(crate) matcher: GlobMatcher,
    pub(crate) reason: String,
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

fn parse(text: &str, ids: &Ids) -> anyhow::Result<Vec<Known>> {
    let entries: BTreeMap<String, String> = serde_yaml::from_str(text).with_context(|| {
        let Ids { noun, example, .. } = ids;
        format!("each line must be a glob over ids of a {noun} and a reason, as in `{example}`")
    })?;
    entries
        .into_iter()
        .map(|(glob, reason)| {
            if reason.trim().is_empty() {
                bail!("`{glob}` has no reason; write one after the colon");
            }
            let matcher = matcher(&glob, ids)?;
            Ok(Known { glob, matcher, reason })
        })
        .collect()
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
        ] {
            let error = format!("{:#}", parse(text, &RULES).err().unwrap());
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
