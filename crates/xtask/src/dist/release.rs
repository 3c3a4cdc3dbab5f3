//! The version and the other facts of a release, which `Cargo.toml` has.

use anyhow::Context as _;
use serde::Deserialize;

use super::tools::output;
use crate::root;

#[derive(Deserialize)]
pub(super) struct Release {
    name: String,
    pub(super) version: String,
    pub(super) description: String,
    pub(super) license: String,
    /// The URL of the repository: the formula, `cargo binstall` and the provenance of npm need it.
    pub(super) repository: Option<String>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Release>,
}

impl Release {
    pub(super) fn read() -> anyhow::Result<Self> {
        let metadata = ["cargo", "metadata", "--format-version", "1", "--no-deps"];
        let metadata: Metadata =
            serde_json::from_str(&output(&root(), &metadata)?).context("read cargo metadata")?;
        let mut packages = metadata.packages.into_iter();
        packages.find(|package| package.name == "sseproof").context("the package sseproof")
    }
}
