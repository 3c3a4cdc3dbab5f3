//! Classes of bugs reported in the wild, and the rules that find them.

use std::fmt::Write as _;
use std::fs;

use anyhow::{Context as _, bail};
use serde::Deserialize;
use sseproof_rules::rule;

use crate::root;

const FILE: &str = "specs/wild-bugs.yaml";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    bugs: Vec<Bug>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bug {
    number: usize,
    subject: Subject,
    class: String,
    source: String,
    #[serde(default)]
    rules: Vec<String>,
    untestable: Option<String>,
    note: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Subject {
    Server,
    Proxy,
    Client,
}

pub(super) fn render() -> anyhow::Result<String> {
    let text = fs::read_to_string(root().join(FILE)).with_context(|| format!("read {FILE}"))?;
    section(&text)
}

fn section(text: &str) -> anyhow::Result<String> {
    let document: Document =
        serde_yaml::from_str(text).map_err(|error| anyhow::anyhow!("read {FILE}: {error}"))?;
    let mut table =
        String::from("| | class | whose | reported as | found by |\n|--:|---|---|---|---|\n");
    let (mut found, mut open, mut clients) = (0, 0, 0);
    for (index, bug) in document.bugs.iter().enumerate() {
        let number = bug.number;
        if number != index + 1 {
            bail!("{FILE}: found class {number} instead of {}", index + 1);
        }
        if let Some(id) = bug.rules.iter().find(|id| rule(id).is_none()) {
            bail!("{FILE}: class {number} names {id}, which is not a rule");
        }
        let is_ours = bug.subject != Subject::Client;
        let by: Vec<String> = bug.rules.iter().map(|id| format!("`{id}`")).collect();
        let mut by = by.join(", ");
        match (&bug.untestable, bug.rules.is_empty()) {
            (Some(_), false) => {
                bail!("{FILE}: class {number} has rules, but is marked as untestable")
            }
            (Some(why), true) => by = format!("untestable: {why}"),
            (None, true) if is_ours => {
                bail!("{FILE}: class {number} has no rule, and no reason for that");
            }
            _ => {}
        }
        if let Some(note) = &bug.note {
            let _ = write!(by, "{}{note}", if by.is_empty() { "" } else { "; " });
        }
        *match (is_ours, bug.untestable.is_some()) {
            (false, _) => &mut clients,
            (true, false) => &mut found,
            (true, true) => &mut open,
        } += 1;
        let whose = match bug.subject {
            Subject::Server => "server",
            Subject::Proxy => "proxy",
            Subject::Client => "client",
        };
        let class = bug.class.replace('|', "\\|");
        let _ = writeln!(table, "| {number} | {class} | {whose} | {} | {by} |", link(&bug.source));
    }
    Ok(format!(
        "\n# Rules for each class of bugs in the wild\n\n{} classes: rules find {found} of servers and proxies and miss {open}; {clients} are of clients.\n\n{table}",
        document.bugs.len()
    ))
}

/// `owner/repository#number` as a link; anything else as it is.
fn link(source: &str) -> String {
    let parts = source.split_once('#').filter(|(name, number)| {
        name.split('/').count() == 2 && number.bytes().all(|byte| byte.is_ascii_digit())
    });
    match parts {
        Some((name, number)) => format!("[{source}](https://github.com/{name}/issues/{number})"),
        None => source.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(more: &str) -> anyhow::Result<String> {
        section(&format!(
            "bugs:\n  - {{ number: 1, subject: server, class: x, source: a/b#7{more} }}\n"
        ))
    }

    #[test]
    fn a_class_needs_rules_that_are_there_or_a_reason() {
        let table = one(", rules: [stream/utf8]").unwrap();
        assert!(
            table.contains(
                "| 1 | x | server | [a/b#7](https://github.com/a/b/issues/7) | `stream/utf8` |"
            ),
            "{table}"
        );
        assert!(one(", untestable: why").unwrap().contains("untestable: why"));
        for wrong in ["", ", rules: [stream/none]", ", rules: [stream/utf8], untestable: why"] {
            assert!(one(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_file_is_whole() {
        render().unwrap();
    }
}
