//! Results as files.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, anyhow};
use sseproof_load_model::ResultFile;
use sseproof_report::load::{LoadReport, csv, hlog, markdown};

use super::args::Outputs;
use crate::exit::{Blame, Blamed as _};
use crate::{output, secrets};

/// Writes the requested files; an error of one does not prevent the others.
pub(super) fn write(report: &LoadReport, outputs: &Outputs) -> Result<(), Blame> {
    let json = || written(&ResultFile::new(report.tool.clone(), report.outcomes.clone()));
    let csv = || csv::render(&report.outcomes).context("write the result as CSV");
    let markdown = || Ok(markdown::render(report));
    let hlog = || hlog::render(&report.outcomes).context("write the histograms");
    let html = || Ok(sseproof_html::load::page(report));
    let texts: [&dyn Fn() -> anyhow::Result<String>; 5] = [&json, &csv, &markdown, &hlog, &html];
    let mut failed = Vec::new();
    for ((flag, path), text) in outputs.files().into_iter().zip(texts) {
        if let Some(path) = path
            && let Err(error) = output::write(flag, path, &text()?)
        {
            failed.push(format!("{error:#}"));
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(anyhow!(failed.join("; "))).usage() }
}

/// A result of an older version may have secrets.
pub(super) fn read(path: &Path) -> Result<LoadReport, Blame> {
    let ResultFile { tool, mut outcomes, .. } = parsed(path)?;
    secrets::redact(&mut outcomes);
    Ok(LoadReport { tool, outcomes, judged: Vec::new() })
}

/// The text of the file without secrets; `None` if it is not a result.
pub(crate) fn scrubbed(path: &Path) -> Result<Option<String>, Blame> {
    let is_result = fs::read_to_string(path)
        .is_ok_and(|text| text.trim_start().starts_with(r#"{"format":"sseproof load"#));
    if !is_result {
        return Ok(None);
    }
    let mut file = parsed(path)?;
    secrets::redact(&mut file.outcomes);
    Ok(Some(written(&file)?))
}

fn written(file: &ResultFile) -> anyhow::Result<String> {
    file.to_json().context("write the result as JSON")
}

pub(super) fn parsed(path: &Path) -> Result<ResultFile, Blame> {
    let cannot = || format!("cannot read {}", path.display());
    let text = fs::read_to_string(path).with_context(cannot).usage()?;
    ResultFile::parse(&text).with_context(cannot).usage()
}
