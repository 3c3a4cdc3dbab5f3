//! Libraries of others that an adapter drives: installed, and compared with what is expected of
//! them.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use serde::Deserialize;

use crate::described::described;
use crate::root;

/// One folder of `scenarios/parsers` or `scenarios/clients`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Library {
    #[serde(alias = "parser", alias = "client")]
    pub(crate) name: String,
    pub(crate) about: String,
    /// Of it and of that below it; the adapter or the browser says its own if there are none.
    pub(crate) versions: Vec<String>,
    install: Vec<Vec<String>>,
    #[serde(default)]
    pub(crate) command: Vec<String>,
    /// The program of a browser, which needs no adapter.
    pub(crate) browser: Option<String>,
    /// The protocol on top of streams without which the library reads nothing.
    pub(crate) profile: Option<String>,
    /// The rules or requirements that it is known to break, each with a manual check.
    pub(crate) expect: BTreeMap<String, String>,
    /// The same, for what it breaks in some runs only.
    #[serde(default)]
    pub(crate) sometimes: BTreeMap<String, String>,
}

/// The libraries in `scenarios/<kind>s/`: all, or those of the given names.
pub(crate) fn libraries(kind: &str, names: &[String]) -> anyhow::Result<Vec<Library>> {
    let file = format!("{kind}.yaml");
    described(&format!("{kind}s"), &file, names, |library: &Library| &library.name)
}

impl Library {
    /// Copies its adapter and the files that all adapters share into a folder, and installs there
    /// what they need.
    pub(crate) fn install(&self, kind: &str) -> anyhow::Result<PathBuf> {
        let from = root().join(format!("scenarios/{kind}s"));
        let folder = root().join(format!("target/{kind}s")).join(&self.name);
        crate::peers::copy(&from.join(&self.name), &folder)?;
        for entry in fs::read_dir(&from).with_context(|| format!("read {}", from.display()))? {
            let file = entry.with_context(|| format!("read {}", from.display()))?.path();
            if let (true, Some(name)) = (file.is_file(), file.file_name()) {
                let copied = fs::copy(&file, folder.join(name));
                copied.with_context(|| format!("copy {}", file.display()))?;
            }
        }
        for command in &self.install {
            crate::run(&folder, command)?;
        }
        Ok(folder)
    }

    /// The differences between what it breaks and what is expected; an expectation is only
    /// disproved by a result that `decided` accepts.
    pub(crate) fn surprises(&self, broken: &[&str], decided: impl Fn(&str) -> bool) -> Vec<String> {
        let Self { name, expect, sometimes, .. } = self;
        let unexpected = broken
            .iter()
            .filter(|broken| !expect.contains_key(**broken) && !sometimes.contains_key(**broken))
            .map(|broken| format!("{name}: {broken} is broken, which is not expected"));
        let missing = expect
            .keys()
            .filter(|expected| !broken.contains(&expected.as_str()) && decided(expected))
            .map(|expected| format!("{name}: {expected} is expected to be broken, but is not"));
        unexpected.chain(missing).collect()
    }
}

/// A table of the libraries.
pub(crate) fn table<'a>(kind: &str, all: impl Iterator<Item = &'a Library>) -> String {
    let mut out = format!("| {kind} | description | versions |\n|---|---|---|\n");
    for Library { name, about, versions, .. } in all {
        let versions = versions.join(", ");
        let row = format!("| [{name}](../scenarios/{kind}s/{name}) | {about} | {versions} |\n");
        out.push_str(&row);
    }
    out
}

pub(crate) fn row(out: &mut String, first: &str, cells: impl Iterator<Item = String>) {
    out.push_str(first);
    for cell in cells {
        out.push_str(" | ");
        out.push_str(&cell);
    }
    out.push_str(" |\n");
}

/// The expected failures, and their reasons.
pub(crate) fn explained<'a>(all: impl Iterator<Item = &'a Library>) -> String {
    let mut out = String::from("\n## Failures, checked by hand\n\n");
    for library in all {
        for (broken, why) in &library.expect {
            out.push_str(&format!("- {}, {broken}: {why}\n", library.name));
        }
        for (broken, why) in &library.sometimes {
            out.push_str(&format!("- {}, {broken}, in some runs: {why}\n", library.name));
        }
    }
    out
}
