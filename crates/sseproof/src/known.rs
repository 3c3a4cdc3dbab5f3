//! The file of known failures: `--known FILE`.
//!
//! It is a map of globs over rule ids to reasons. An entry that no longer fails is itself an error,
//! so that the list can only shrink.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, bail};
use globset::{Glob, GlobMatcher};

pub(crate) struct Known {
    pub(crate) glob: String,
    pub(crate) matcher: GlobMatcher,
    pub(crate) reason: String,
}

pub(crate) fn read(path: &Path) -> anyhow::Result<Vec<Known>> {
    let cannot = || format!("cannot read --known {}", path.display());
    let text = std::fs::read_to_string(path).with_context(cannot)?;
    parse(&text).with_context(cannot)
}

fn parse(text: &str) -> anyhow::Result<Vec<Known>> {
    let entries: BTreeMap<String, String> = serde_yaml::from_str(text).context(
        "each line must be a glob over rule ids and a reason, as in `response/http10: fixed in June`",
    )?;
    entries
        .into_iter()
        .map(|(glob, reason)| {
            if reason.trim().is_empty() {
                bail!("`{glob}` has no reason; write one after the colon");
            }
            let matcher = matcher(&glob)?;
            Ok(Known { glob, matcher, reason })
        })
        .collect()
}

/// A glob over rule ids; one that matches no rule is an error.
pub(crate) fn matcher(text: &str) -> anyhow::Result<GlobMatcher> {
    let matcher = glob(text)?;
    if !matches_a_rule(&matcher) {
        bail!("`{text}` matches no rule; `sseproof list rules` lists all rules");
    }
    Ok(matcher)
}

pub(crate) fn glob(text: &str) -> anyhow::Result<GlobMatcher> {
    let glob = Glob::new(text)
        .with_context(|| format!("`{text}` is not a valid glob; write one such as 'resume/*'"))?;
    Ok(glob.compile_matcher())
}

pub(crate) fn matches_a_rule(matcher: &GlobMatcher) -> bool {
    sseproof_rules::rules().any(|rule| matcher.is_match(rule.id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_failure_needs_a_rule_and_a_reason() {
        let known = parse("stream/utf8: legacy tenant, gone in May\n").unwrap();
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
            let error = format!("{:#}", parse(text).err().unwrap());
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
