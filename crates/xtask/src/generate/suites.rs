//! The cases of other suites for clients, and our rules that judge the same.

use std::fmt::Write as _;

use anyhow::{Context as _, bail};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    suites: Vec<Suite>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Suite {
    suite: String,
    link: String,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    case: String,
    #[serde(default)]
    rules: Vec<String>,
    /// Why it has no rules.
    #[serde(default)]
    not: Option<String>,
}

pub(super) fn render() -> anyhow::Result<String> {
    let file: File = serde_yaml::from_str(include_str!("../../../../specs/client-suites.yaml"))
        .context("read specs/client-suites.yaml")?;
    let mut out = String::from("\n## The cases of other suites for clients\n");
    for Suite { suite, link, cases } in file.suites {
        let _ = writeln!(out, "\n[{suite}]({link}):\n\n| case | judged by |\n|---|---|");
        for Case { case, rules, not } in cases {
            if let Some(id) = rules.iter().find(|id| sseproof_client_rules::rule(id).is_none()) {
                bail!("specs/client-suites.yaml, {case}: {id} is not a rule on clients");
            }
            let by = match (rules.is_empty(), not) {
                (false, None) => {
                    let rules: Vec<_> = rules.iter().map(|rule| format!("`{rule}`")).collect();
                    rules.join(", ")
                }
                (true, Some(why)) => format!("not judged: {why}"),
                _ => bail!("specs/client-suites.yaml, {case}: it needs either `rules` or `not`"),
            };
            let _ = writeln!(out, "| {case} | {by} |");
        }
    }
    Ok(out)
}
