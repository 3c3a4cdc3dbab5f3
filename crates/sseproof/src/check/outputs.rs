//! The files of a check.

use std::fs;

use anyhow::Context as _;
use sseproof_record::{Transcript, write_recording};
use sseproof_report::{Report, wire_log};
use sseproof_rules::Status;

use crate::args::Check;
use crate::output::{self, cannot, probe, reports, write};

/// Fails if a file cannot be written: checked before a run, which may take a minute. Says whether one
/// of them is standard output.
pub(super) fn writable(arguments: &Check) -> anyhow::Result<bool> {
    let files = [
        ("record", arguments.record.as_deref()),
        ("json", arguments.json.as_deref()),
        ("junit", arguments.junit.as_deref()),
        ("markdown", arguments.markdown.as_deref()),
        ("html", arguments.html.as_deref()),
        ("write-known", arguments.write_known.as_deref()),
    ];
    if let Some(folder) = &arguments.wire_log {
        fs::create_dir_all(folder).with_context(|| cannot("wire-log", folder))?;
        probe(&folder.join("stream-utf8.txt")).with_context(|| cannot("wire-log", folder))?;
    }
    output::writable(files.into_iter().chain(arguments.ci.files()))
}

pub(super) fn record(arguments: &Check, transcript: &Transcript) -> anyhow::Result<()> {
    match &arguments.record {
        Some(file) => write("record", file, &write_recording(transcript)),
        None => Ok(()),
    }
}

pub(super) fn report(
    arguments: &Check,
    report: &Report,
    transcript: &Transcript,
) -> anyhow::Result<()> {
    let Check { json, junit, markdown, html, .. } = arguments;
    reports(report, json.as_deref(), junit.as_deref(), markdown.as_deref())?;
    match html {
        Some(file) => write("html", file, &sseproof_html::check::page(report, transcript)),
        None => Ok(()),
    }
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
