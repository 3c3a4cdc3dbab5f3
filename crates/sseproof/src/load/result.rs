//! Results as files.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, anyhow};
use serde::{Deserialize, Serialize};
use sseproof_load_model::Outcome;
use sseproof_report::load::{LoadReport, csv, hlog, markdown};

use super::args::Outputs;
use crate::exit::{Blame, Blamed as _};

/// What the first line of a result says.
const FORMAT: &str = "sseproof load 1";

/// A result as it stands in a file.
#[derive(Serialize, Deserialize)]
struct ResultFile {
    /// Which kind of file this is.
    format: String,
    /// Which program wrote it, in which version.
    tool: String,
    /// One for each round of each transport.
    outcomes: Vec<Outcome>,
}

/// Writes all files that were asked for; one that cannot be written keeps no other from it.
pub(super) fn write(report: &LoadReport, outputs: &Outputs) -> Result<(), Blame> {
    let json = || -> anyhow::Result<String> {
        let file = ResultFile {
            format: FORMAT.to_owned(),
            tool: report.tool.clone(),
            outcomes: report.outcomes.clone(),
        };
        Ok(serde_json::to_string(&file).context("write the result as JSON")? + "\n")
    };
    let csv = || csv::render(&report.outcomes).context("write the result as CSV");
    let markdown = || Ok(markdown::render(report));
    let hlog = || hlog::render(&report.outcomes).context("write the histograms");
    let files: [(_, &dyn Fn() -> anyhow::Result<String>); 4] = [
        (&outputs.json, &json),
        (&outputs.csv, &csv),
        (&outputs.markdown, &markdown),
        (&outputs.hlog, &hlog),
    ];
    let mut failed = Vec::new();
    for (path, text) in files {
        if let Some(path) = path
            && let Err(error) = fs::write(path, text()?)
        {
            failed.push(format!("cannot write {}: {error}", path.display()));
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(anyhow!(failed.join("; "))).usage() }
}

/// Reads the outcomes of a result.
pub(super) fn read(path: &Path) -> Result<Vec<Outcome>, Blame> {
    let said = || format!("cannot read {}", path.display());
    let text = fs::read_to_string(path).with_context(said).usage()?;
    let file: ResultFile = serde_json::from_str(&text)
        .with_context(|| format!("{} is no result of `sseproof load --json`", path.display()))
        .usage()?;
    if file.format != FORMAT {
        let error = anyhow!(
            "{} has the format `{}`; this program reads `{FORMAT}`",
            path.display(),
            file.format
        );
        return Err(error).usage();
    }
    Ok(file.outcomes)
}
