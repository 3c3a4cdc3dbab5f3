//! The rules and corpus cases for each requirement, or why there are none.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::bail;
use sseproof_check_parser::corpus;
use sseproof_rules::{Requirement, requirements};

pub(super) fn render() -> anyhow::Result<String> {
    let mut cases = BTreeMap::<&String, usize>::new();
    for case in corpus() {
        *cases.entry(&case.requirement).or_default() += 1;
    }
    let known = |id: &String| requirements().iter().any(|found| found.id == *id);
    if let Some(id) = cases.keys().find(|id| !known(id)) {
        bail!("the corpus has cases for {id}, which is not a requirement in specs/");
    }
    let mut out = String::from("# Rules and cases for each requirement\n\n");
    let mut counts = [0; 3];
    let mut table =
        String::from("| requirement | level | subject | judged by |\n|---|---|---|---|\n");
    for found in requirements() {
        let by = judges(found, cases.get(&found.id).copied().unwrap_or(0));
        let (column, text) = match (by, &found.untestable) {
            (Some(by), None) => (usize::from(by.contains("corpus")), by),
            (None, Some(why)) => (2, format!("untestable: {why}")),
            (Some(by), Some(_)) => {
                bail!("{} is judged by {by}, but is marked as untestable", found.id)
            }
            (None, None) => bail!("{} has no rule and no case, and no reason for that", found.id),
        };
        counts[column] += 1;
        let _ = writeln!(
            table,
            "| [{}]({}) | {} | {} | {text} |",
            found.id,
            found.link,
            found.standing(),
            found.subject.word()
        );
    }
    let [by_rules, by_corpus, untestable] = counts;
    let total: usize = cases.values().sum();
    let _ = writeln!(
        out,
        "{} requirements: {by_rules} judged by rules, {by_corpus} by the {total} cases of the corpus, {untestable} untestable from outside.\n",
        requirements().len()
    );
    out.push_str(&table);
    Ok(out)
}

fn judges(found: &Requirement, cases: usize) -> Option<String> {
    let mut by: Vec<String> = found.rules.iter().map(|rule| format!("`{}`", rule.id)).collect();
    if cases > 0 {
        by.push(sseproof_units::counted(cases, "corpus case"));
    }
    (!by.is_empty()).then(|| by.join(", "))
}
