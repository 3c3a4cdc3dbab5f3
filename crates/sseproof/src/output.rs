//! The files that flags name; `-` is standard output.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};
use sseproof_report::{Report, json, junit, markdown};

use crate::screen;

/// The flags whose files are JSON, or lines of JSON.
const JSON: [&str; 3] = ["json", "record", "output"];

pub(crate) fn is_standard(file: &Path) -> bool {
    file == Path::new("-")
}

/// Whether one of the files is standard output, so that nothing else may be written there; two of them
/// would make it unreadable.
pub(crate) fn takes_standard<'f>(
    files: impl IntoIterator<Item = (&'f str, Option<&'f Path>)>,
) -> anyhow::Result<bool> {
    let mut flags = files.into_iter().filter(|(_, file)| file.is_some_and(is_standard));
    let first = flags.next();
    if let (Some((first, _)), Some((second, _))) = (first, flags.next()) {
        bail!(
            "--{first} and --{second} would both write to standard output (`-`); give one of them the name of a file"
        );
    }
    Ok(first.is_some())
}

pub(crate) fn write(flag: &str, file: &Path, text: &str) -> anyhow::Result<()> {
    if !is_standard(file) {
        return fs::write(file, text).with_context(|| cannot(flag, file));
    }
    let printed = match JSON.contains(&flag) {
        true => screen::print_json(text),
        false => screen::print(text),
    };
    // A reader that has closed it, as `| head` does, has seen enough.
    printed.map(drop).map_err(|blame| blame.error)
}

/// Writes the report into the files of `--json`, `--junit` and `--markdown`.
pub(crate) fn reports(
    report: &Report,
    json: Option<&Path>,
    junit: Option<&Path>,
    markdown: Option<&Path>,
) -> anyhow::Result<()> {
    for (flag, file, render) in [
        ("json", json, json::render as fn(&Report) -> String),
        ("junit", junit, junit::render),
        ("markdown", markdown, markdown::render),
    ] {
        if let Some(file) = file {
            write(flag, file, &render(report))?;
        }
    }
    Ok(())
}

pub(crate) fn cannot(flag: &str, file: &Path) -> String {
    format!("cannot write --{flag} {}", file.display())
}
