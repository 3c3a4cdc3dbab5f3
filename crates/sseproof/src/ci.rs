//! Results in CI systems: SARIF, GitLab's code quality report, and in GitHub Actions, without a flag,
//! annotations and the summary of the job.
//!
//! Annotations go to standard error, where GitHub reads them too: standard output may be a file.

pub(crate) mod places;

use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;
use sseproof_report::ci::{Run, github, gitlab, sarif};

use crate::args::{CiFlags, Command};
use crate::{output, screen, secrets};

/// The largest summary of a step that GitHub shows, in bytes.
const SUMMARY: u64 = 1 << 20;

/// Writes the files.
pub(crate) fn write(flags: &CiFlags, run: &Run) -> anyhow::Result<()> {
    if let Some(file) = &flags.sarif {
        output::write("sarif", file, &sarif::render(run))?;
    }
    if let Some(file) = &flags.gitlab {
        output::write("gitlab", file, &gitlab::render(run))?;
    }
    Ok(())
}

/// Annotates the run, in GitHub Actions.
pub(crate) fn show(flags: &CiFlags, run: &Run) {
    if flags.no_annotations {
        return;
    }
    if in_github() {
        screen::commands(&github::annotations(run));
    }
    summarize(|room| github::summary(run, room));
}

/// Whether a run of the command is annotated, also one that ends with an error.
pub(crate) fn annotates(command: &Command) -> bool {
    match command {
        Command::Check(arguments) => !arguments.ci.no_annotations,
        Command::CheckClient(arguments) => !arguments.ci.no_annotations,
        Command::CheckParser(arguments) => !arguments.ci.no_annotations,
        _ => false,
    }
}

/// The same for a run without a verdict.
pub(crate) fn show_error(message: &str) {
    let message = secrets::text(message);
    if in_github() {
        screen::commands(&[github::error(&message)]);
    }
    summarize(|room| github::error_summary(&message, room));
}

/// Gitea and Forgejo set the variable too.
fn in_github() -> bool {
    std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true")
}

/// Adds the text, of at most this size in bytes, to the summary of the job.
fn summarize(text: impl FnOnce(usize) -> String) {
    let file = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|file| !file.is_empty());
    if let Some(file) = file
        && let Err(error) = append(&file, text)
    {
        screen::say(format_args!("sseproof: no job summary: {error:#}"));
    }
}

fn append(file: &OsStr, text: impl FnOnce(usize) -> String) -> anyhow::Result<()> {
    let file = Path::new(file);
    let name = || format!("cannot write $GITHUB_STEP_SUMMARY ({})", file.display());
    let mut open = OpenOptions::new().append(true).create(true).open(file).with_context(name)?;
    let room = SUMMARY.saturating_sub(open.metadata().with_context(name)?.len());
    let text = text(usize::try_from(room).unwrap_or(0));
    open.write_all(text.as_bytes()).with_context(name)
}
