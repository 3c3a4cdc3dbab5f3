//! `sseproof check`: plays the scenarios, judges the record, writes the reports.

mod given;
mod measure;
mod outputs;
mod play;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use sseproof_exchange::{Transcript, read_recording};
use sseproof_report::terminal;
use sseproof_report::terminal::Detail;
use sseproof_report::{Judged, KnownResult, Outcome, Report, ScenarioResult};
use sseproof_rules::{Record, judge};

use crate::args::Check;
use crate::check::given::{Chosen, Given};
use crate::exit::{Blame, Blamed as _, Exit};
use crate::known::{self, Known};
use crate::screen;

/// What there is to judge, however it was come by.
struct Material {
    transcript: Transcript,
    scenarios: Vec<ScenarioResult>,
    /// Why not everything was asked.
    partial: Option<String>,
    /// Why there is nothing to be judged at all.
    unreachable: Option<String>,
    interrupted: bool,
}

/// Runs the whole check.
pub(crate) async fn run(arguments: &Check) -> Result<Exit, Blame> {
    // Everything that a person may have got wrong is looked at before the first connection.
    let known = arguments.known.as_deref().map(known::read).transpose().usage()?;
    let chosen = Chosen::new(&arguments.only, &arguments.skip).usage()?;
    let given = match &arguments.replay {
        Some(_) => None,
        None => Some(Given::new(arguments)?),
    };
    outputs::writable(arguments).usage()?;
    let begun = Instant::now();
    let material = match (given, &arguments.replay) {
        (Some(given), _) => play::play(given, arguments).await?,
        (None, file) => replay(file.as_deref().unwrap_or(Path::new(""))).usage()?,
    };
    // What was recorded is safe before anything is made of it.
    outputs::record(arguments, &material.transcript).usage()?;
    let report = report(arguments, &material, &chosen, known.unwrap_or_default(), begun.elapsed());
    outputs::report(arguments, &report).usage()?;
    if let Some(why) = material.unreachable {
        return Err(Blame { exit: Exit::Unreachable, error: anyhow::anyhow!(why) });
    }
    let detail = match (arguments.quiet, arguments.verbose) {
        (true, _) => Detail::Quiet,
        (_, true) => Detail::Verbose,
        _ => Detail::Normal,
    };
    screen::print(&terminal::render(&report, &screen::options(detail)))?;
    Ok(match report.outcome() {
        Outcome::Held => Exit::Held,
        Outcome::Unproven if material.interrupted => Exit::Interrupted,
        Outcome::Broken | Outcome::Unproven => Exit::Broken,
    })
}

fn replay(file: &Path) -> anyhow::Result<Material> {
    let text = fs::read_to_string(file)
        .with_context(|| format!("cannot read --replay {}", file.display()))?;
    let transcript = read_recording(&text).with_context(|| {
        format!(
            "cannot read --replay {} (a recording is what `sseproof check --record` writes)",
            file.display()
        )
    })?;
    Ok(Material {
        transcript,
        scenarios: Vec::new(),
        partial: None,
        unreachable: None,
        interrupted: false,
    })
}

fn report(
    arguments: &Check,
    material: &Material,
    chosen: &Chosen,
    known: Vec<Known>,
    lasted: Duration,
) -> Report {
    let record = Record::new(&material.transcript);
    let findings: Vec<Judged> =
        judge(&record, |rule| chosen.has(rule.id)).into_iter().map(Judged::from).collect();
    let known = known
        .into_iter()
        .map(|entry| {
            let Known { glob, matcher, reason } = entry;
            KnownResult::of(glob, reason, &findings, |id| matcher.is_match(id))
        })
        .collect();
    Report {
        tool: concat!("sseproof ", env!("CARGO_PKG_VERSION")).to_owned(),
        target: material.transcript.target.url.clone(),
        started: material.transcript.started.clone(),
        duration_ms: u64::try_from(lasted.as_millis()).unwrap_or(u64::MAX),
        strict: arguments.strict,
        measures: measure::measures(&record),
        findings,
        scenarios: material.scenarios.clone(),
        known,
        partial: material.partial.clone(),
        recording: arguments.record.as_deref().map(|file| file.display().to_string()),
    }
}
