//! The failed check in the README: a recording, judged by the rules of today.
//!
//! `crates/sseproof/tests/cli/docs.rs` runs the command of the block and compares its output, so this
//! page is the one that the program prints.

use std::fs;

use anyhow::{Context as _, bail};
use sseproof_record::read_recording;
use sseproof_report::terminal::{Detail, Options, render};
use sseproof_report::{Judged, Report};
use sseproof_rules::{Record, judge};

use crate::root;

pub(super) const README: &str = "README.md";
const RECORDING: &str = "docs/failed-check.jsonl";
const END: &str = "<!-- end of the generated part -->";

/// The README with the page of the recording in its place.
pub(super) fn readme() -> anyhow::Result<String> {
    let text = fs::read_to_string(root().join(README)).context("read the README")?;
    let begin =
        format!("<!-- generated from {RECORDING} by `cargo xtask generate`: do not edit -->\n");
    let Some((before, rest)) = text.split_once(&begin) else {
        bail!("{README} has no line {begin}");
    };
    let Some((_, after)) = rest.split_once(END) else {
        bail!("{README} has no line {END}");
    };
    let page = page()?;
    Ok(format!(
        "{before}{begin}```console exit=1\n$ sseproof check --replay {RECORDING} --quiet\n{page}```\n{END}{after}"
    ))
}

/// Without the summary, which has how long the run took.
fn page() -> anyhow::Result<String> {
    let text = fs::read_to_string(root().join(RECORDING)).context("read the recording")?;
    let transcript = read_recording(&text).with_context(|| format!("read {RECORDING}"))?;
    let findings = judge(&Record::new(&transcript), |_| true);
    let mut report = Report {
        target: transcript.target.url.clone(),
        findings: findings.into_iter().map(Judged::from).collect(),
        ..Report::default()
    };
    report.complete(&transcript, None);
    Ok(render(&report, &Options { detail: Detail::Quiet, ..Options::default() }))
}
