//! The program as it is published, and its results.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde::Deserialize;
use sseproof_load_model::Outcome;

use crate::root;

/// The members of a result of `sseproof load --json` that are used here.
#[derive(Deserialize)]
struct Results {
    outcomes: Vec<Outcome>,
}

pub(crate) fn read(path: &Path) -> anyhow::Result<Vec<Outcome>> {
    let context = || format!("read {}", path.display());
    let text = fs::read_to_string(path).with_context(context)?;
    let results: Results = serde_json::from_str(&text).with_context(context)?;
    Ok(results.outcomes)
}

/// With the features that `packaging/python/pyproject.toml` names.
pub(crate) fn published() -> anyhow::Result<PathBuf> {
    build("dist", &["--features", "object-store"])
}

pub(crate) fn build(profile: &str, more: &[&str]) -> anyhow::Result<PathBuf> {
    let command = ["cargo", "build", "--profile", profile, "--quiet", "--package", "sseproof"];
    crate::run(&root(), &[&command, more].concat())?;
    Ok(program(profile))
}

/// Writes a text between two lines of a page.
pub(crate) fn write_between(page: &str, lines: [&str; 2], text: &str) -> anyhow::Result<()> {
    let path = root().join(page);
    let before = fs::read_to_string(&path).with_context(|| format!("read {page}"))?;
    let around = before
        .split_once(lines[0])
        .and_then(|(head, rest)| rest.split_once(lines[1]).map(|(_, tail)| (head, tail)));
    let Some((head, tail)) = around else { bail!("{page} has no line `{}`", lines[0].trim()) };
    fs::write(&path, [head, lines[0], text, lines[1], tail].concat())
        .with_context(|| format!("write {page}"))?;
    println!("wrote {page}");
    Ok(())
}

/// The program where cargo puts it.
pub(crate) fn program(profile: &str) -> PathBuf {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), Into::into);
    target.join(profile).join("sseproof")
}
