//! The licences of what is linked into the program.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use regex::Regex;
use serde::Deserialize;

use super::platforms::PLATFORMS;
use super::tools::output;
use crate::root;

/// Beside crates: what the compiler adds.
const RUST: &str = "\
The program also has the standard library of Rust: copyright The Rust Project Developers, MIT OR
Apache-2.0. For musl it has that library: copyright Rich Felker and others, MIT.
";

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    license: Option<String>,
    license_file: Option<PathBuf>,
    authors: Vec<String>,
    repository: Option<String>,
    manifest_path: PathBuf,
    /// None for those of this workspace.
    source: Option<String>,
}

/// Writes the texts of all platforms.
pub(crate) fn write(file: &Path) -> anyhow::Result<()> {
    let targets: Vec<_> = PLATFORMS.iter().map(|platform| platform.target).collect();
    fs::write(file, of(&targets)?).with_context(|| format!("write {}", file.display()))
}

/// The texts of what is linked for any of these targets.
pub(super) fn of(targets: &[&str]) -> anyhow::Result<String> {
    let mut packages = BTreeMap::new();
    for target in targets {
        let linked = of_target(target)?;
        let metadata = ["cargo", "metadata", "--format-version", "1", "--locked", "--all-features"];
        let metadata = [&metadata[..], &["--filter-platform", target]].concat();
        let metadata: Metadata =
            serde_json::from_str(&output(&root(), &metadata)?).context("read cargo metadata")?;
        for package in metadata.packages.into_iter().filter(|package| package.source.is_some()) {
            let name = format!("{} v{}", package.name, package.version);
            if linked.contains(&name) {
                packages.insert(name, package);
            }
        }
    }
    document(&packages.into_values().collect::<Vec<_>>())
}

/// As `NAME vVERSION`; macros run only in the compiler.
fn of_target(target: &str) -> anyhow::Result<BTreeSet<String>> {
    let edges = ["--edges", "normal,no-proc-macro", "--prefix", "none", "--format", "{p}"];
    let tree = [
        "cargo",
        "tree",
        "--locked",
        "--package",
        "sseproof",
        "--all-features",
        "--target",
        target,
    ];
    let lines = output(&root(), &[&tree[..], &edges].concat())?;
    let package = |line: &str| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
    Ok(lines.lines().map(package).collect())
}

fn document(packages: &[Package]) -> anyhow::Result<String> {
    let mut out = "Software of others in sseproof, and its licences\n\n".to_owned();
    // A text with other line breaks is the same text.
    let mut texts: BTreeMap<String, (String, Vec<String>)> = BTreeMap::new();
    for package in packages {
        let Package { name, version, license, repository, authors, .. } = package;
        let license = license.as_deref().unwrap_or("see its text");
        let place = repository.as_deref().unwrap_or("no repository");
        writeln!(out, "{name} {version}: {license}; {place}")?;
        let files = package.licences()?;
        if files.is_empty() {
            writeln!(out, "    no licence text in its package; authors: {}", authors.join(", "))?;
        }
        for text in files {
            let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
            texts.entry(words).or_insert((text, Vec::new())).1.push(format!("{name} {version}"));
        }
    }
    writeln!(out, "\n{RUST}")?;
    let mut texts: Vec<_> = texts.into_values().collect();
    texts.sort_by(|(_, one), (_, other)| one.cmp(other));
    for (text, names) in texts {
        writeln!(out, "{}\n{}:\n\n{}\n", "=".repeat(80), names.join(", "), text.trim_end())?;
    }
    Ok(out)
}

impl Package {
    /// The texts in its folder.
    fn licences(&self) -> anyhow::Result<Vec<String>> {
        let folder = self.manifest_path.parent().unwrap_or(&root()).to_owned();
        let is_licence = Regex::new("(?i)^(licen[cs]e|copying|copyright|notice|unlicense)")?;
        let files = super::names(&folder)?;
        let named = files.into_iter().filter(|name| is_licence.is_match(name)).map(PathBuf::from);
        let files: BTreeSet<_> = named.chain(self.license_file.clone()).collect();
        let read = |file: PathBuf| {
            let bytes = fs::read(folder.join(&file));
            let bytes =
                bytes.with_context(|| format!("read {} of {}", file.display(), self.name))?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        };
        files.into_iter().map(read).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_crate_that_is_linked_has_its_text() {
        let text = of(&["x86_64-unknown-linux-gnu"]).unwrap();
        for part in ["\ntokio 1.", "\nring 0.", "\nrustls 0.", "Copyright (c) Tokio Contributors"] {
            assert!(text.contains(part), "{part}");
        }
        // Macros, tests and other platforms are not linked.
        for part in ["\nsyn ", "\ninsta ", "\nwindows-sys ", "\nsseproof"] {
            assert!(!text.contains(part), "{part}");
        }
    }
}
