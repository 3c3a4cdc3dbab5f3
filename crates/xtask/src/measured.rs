//! The program in its release build, and what it has measured.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Deserialize;
use sseproof_load_model::Outcome;

use crate::root;

/// What `sseproof load --json` writes, as far as it matters here.
#[derive(Deserialize)]
struct Results {
    outcomes: Vec<Outcome>,
}

/// Reads a result.
pub(crate) fn read(path: &Path) -> anyhow::Result<Vec<Outcome>> {
    let said = || format!("read {}", path.display());
    let text = fs::read_to_string(path).with_context(said)?;
    let results: Results = serde_json::from_str(&text).with_context(said)?;
    Ok(results.outcomes)
}

/// Builds the program as it is released, and says where it is.
pub(crate) fn release() -> anyhow::Result<PathBuf> {
    let build = ["cargo", "build", "--release", "--quiet", "--package", "sseproof"];
    crate::run(&root(), &build)?;
    Ok(program())
}

/// Where [`release`] leaves it.
pub(crate) fn program() -> PathBuf {
    root().join("target/release/sseproof")
}
