//! The files of a check.

use std::fs::{self, OpenOptions};
use std::path::Path;

use anyhow::Context as _;
use sseproof_record::{Transcript, write_recording};
use sseproof_report::{Report, json, junit, markdown, wire_log};
use sseproof_rules::Status;

use crate::args::Check;

/// Fails if a file cannot be written: checked before a run, which may take a minute.
pub(super) fn writable(arguments: &Check) -> anyhow::Result<()> {
    for (flag, file) in [
        ("record", &arguments.record),
        ("json", &arguments.json),
        ("junit", &arguments.junit),
        ("markdown", &arguments.markdown),
    ] {
        let Some(file) = file else { continue };
        probe(file).with_context(|| cannot(flag, file))?;
    }
    if let Some(folder) = &arguments.wire_log {
        fs::create_dir_all(folder).with_context(|| cannot("wire-log", folder))?;
        probe(&folder.join("stream-utf8.txt")).with_context(|| cannot("wire-log", folder))?;
    }
    Ok(())
}

/// Opens the file for writing, and leaves it unchanged.
fn probe(file: &Path) -> std::io::Result<()> {
    let is_new = match fs::metadata(file) {
        // Opening a pipe would wait for its reader.
        Ok(known) if !known.is_file() && !known.is_dir() => return Ok(()),
        Ok(_) => false,
        Err(_) => true,
    };
    OpenOptions::new().append(true).create(true).open(file)?;
    if is_new { fs::remove_file(file) } else { Ok(()) }
}

pub(super) fn record(arguments: &Check, transcript: &Transcript) -> anyhow::Result<()> {
    match &arguments.record {
        Some(file) => write("record", file, &write_recording(transcript)),
        None => Ok(()),
    }
}

pub(super) fn report(arguments: &Check, report: &Report) -> anyhow::Result<()> {
    for (flag, file, render) in [
        ("json", &arguments.json, json::render as fn(&Report) -> String),
        ("junit", &arguments.junit, junit::render),
        ("markdown", &arguments.markdown, markdown::render),
    ] {
        if let Some(file) = file {
            write(flag, file, &render(report))?;
        }
    }
    Ok(())
}

pub(super) fn wire_logs(
    arguments: &Check,
    report: &Report,
    transcript: &Transcript,
) -> anyhow::Result<()> {
    let Some(folder) = &arguments.wire_log else { return Ok(()) };
    for finding in report.findings.iter().filter(|finding| finding.status == Status::Fail) {
        let file = folder.join(format!("{}.txt", finding.rule.replace('/', "-")));
        write("wire-log", &file, &wire_log::whole(finding, transcript))?;
    }
    Ok(())
}

fn write(flag: &str, file: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(file, text).with_context(|| cannot(flag, file))
}

fn cannot(flag: &str, file: &Path) -> String {
    format!("cannot write --{flag} {}", file.display())
}
