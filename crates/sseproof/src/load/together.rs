//! Several results: merged, or compared.

use std::path::PathBuf;

use sseproof_load_model::{Outcome, merge};
use sseproof_report::Outcome as Verdict;
use sseproof_report::load::diff::{LoadDiff, render};
use sseproof_report::terminal::Detail;

use super::args::Diff;
use super::result;
use crate::exit::{Blame, Blamed as _, Exit};
use crate::{output, screen};

pub(super) fn merged(files: &[PathBuf]) -> Result<Vec<Outcome>, Blame> {
    let mut parts = Vec::new();
    for file in files {
        let name = file.display().to_string();
        let outcomes = result::read(file)?.outcomes;
        parts.extend(outcomes.into_iter().map(|outcome| (name.clone(), outcome)));
    }
    merge(parts).usage()
}

pub(super) fn diff(arguments: &Diff) -> Result<Exit, Blame> {
    let (old, new) = (result::read(&arguments.old)?, result::read(&arguments.new)?);
    let diff = LoadDiff { old, new, thresholds: arguments.fail_if.clone() };
    let detail = if arguments.verbose { Detail::Verbose } else { Detail::Normal };
    let is_taken = arguments.html.as_deref().is_some_and(output::is_standard);
    let mut options = screen::options(detail);
    options.colour &= !is_taken;
    let page = render(&diff, &options);
    match is_taken {
        false => drop(screen::print_page(&page)?),
        true => screen::print_page_aside(&page),
    }
    if let Some(file) = &arguments.html {
        output::write("html", file, &sseproof_html::diff::page(&diff)).usage()?;
    }
    Ok(match diff.verdict() {
        Verdict::Held => Exit::Held,
        Verdict::Broken | Verdict::Unproven => Exit::Broken,
    })
}
