//! The files that flags name; `-` is standard output.

use std::fs::{self, OpenOptions};
use std::path::Path;

use anyhow::{Context as _, bail};
use sseproof_report::{Report, json, junit, markdown};

use crate::screen;

/// The flags whose files are JSON, or lines of JSON.
const JSON: [&str; 5] = ["json", "record", "output", "sarif", "gitlab"];

pub(crate) fn is_standard(file: &Path) -> bool {
    file == Path::new("-")
}

/// Fails if a file cannot be written, before a run that may take a minute, or if two of them are
/// standard output, which would be unreadable. Whether one of them is standard output, so that nothing
/// else may be written there.
pub(crate) fn writable<'f>(
    files: impl IntoIterator<Item = (&'f str, Option<&'f Path>)>,
) -> anyhow::Result<bool> {
    let mut standard = None;
    for (flag, file) in files {
        let Some(file) = file else { continue };
        if !is_standard(file) {
            probe(file).with_context(|| cannot(flag, file))?;
        } else if let Some(first) = standard.replace(flag) {
            bail!(
                "--{first} and --{flag} would both write to standard output (`-`); give one of them the name of a file"
            );
        }
    }
    Ok(standard.is_some())
}

/// Opens the file for writing, and leaves it unchanged.
pub(crate) fn probe(file: &Path) -> std::io::Result<()> {
    let is_new = match fs::metadata(file) {
        // Opening a pipe would wait for its reader.
        Ok(known) if !known.is_file() && !known.is_dir() => return Ok(()),
        Ok(_) => false,
        Err(_) => true,
    };
    OpenOptions::new().append(true).create(true).open(file)?;
    if is_new { fs::remove_file(file) } else { Ok(()) }
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
