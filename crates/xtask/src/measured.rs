//! The program in its release build, and its results.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
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

/// Builds the program as it is released, and returns its path.
pub(crate) fn release() -> anyhow::Result<PathBuf> {
    let build = ["cargo", "build", "--release", "--quiet", "--package", "sseproof"];
    crate::run(&root(), &build)?;
    Ok(program())
}

pub(crate) fn program() -> PathBuf {
    root().join("target/release/sseproof")
}
