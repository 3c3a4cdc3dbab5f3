//! The files, and the parts of files, that are made from the code: each starts with the command that
//! makes it again.

mod component;
mod coverage;
mod failed_check;
mod limits;
mod metrics;
mod rule_table;
mod suites;
mod wild_bugs;

use std::fs;

use anyhow::{Context as _, bail};

use crate::{Mode, root, words};

const MARK: &str = "<!-- made by `cargo xtask generate`: do not edit -->\n\n";

pub(crate) fn run(mode: Mode) -> anyhow::Result<()> {
    let files = [
        (failed_check::README, failed_check::readme()?),
        (
            "specs/COVERAGE.md",
            format!("{MARK}{}{}{}", coverage::render()?, suites::render()?, wild_bugs::render()?),
        ),
        ("specs/RULES.md", format!("{MARK}{}", rule_table::render())),
        ("specs/limits.md", format!("{MARK}{}", limits::render()?)),
        ("specs/metrics.md", format!("{MARK}{}", metrics::render())),
        (
            "specs/corpus-expanded.json",
            sseproof_check_parser::corpus_json().context("write the corpus")?,
        ),
        ("scenarios/target.schema.json", json(&sseproof_files::target_schema())?),
        ("scenarios/plan.schema.json", json(&sseproof_files::plan_schema())?),
        ("scenarios/scenario.schema.json", json(&sseproof_files::schema())?),
        ("reports/matrix.schema.json", json(&sseproof_site::schema())?),
        (component::COMPONENT, component::render()?),
        ("reports/report.schema.json", json(&sseproof_report::json::schema())?),
    ];
    let mut stale = Vec::new();
    for (name, text) in files {
        let path = root().join(name);
        let is_current = fs::read_to_string(&path).is_ok_and(|found| found == text);
        match mode {
            Mode::Write if !is_current => {
                fs::write(&path, text).with_context(|| format!("write {name}"))?;
                println!("wrote {name}");
            }
            Mode::Check if !is_current => stale.push(name),
            _ => println!("{name} is up to date"),
        }
    }
    if !stale.is_empty() {
        bail!("{} is out of date: run `cargo xtask generate`", stale.join(", "));
    }
    if mode == Mode::Check { words::check() } else { Ok(()) }
}

fn json(value: &serde_json::Value) -> anyhow::Result<String> {
    let mut text = serde_json::to_string_pretty(value).context("write a schema as JSON")?;
    text.push('\n');
    Ok(text)
}
