//! `sseproof check`: plays the scenarios, judges the record, writes the reports.

mod given;
mod measure;
mod play;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use sseproof_exchange::{Transcript, read_recording, write_recording};
use sseproof_report::terminal;
use sseproof_report::terminal::Detail;
use sseproof_report::{
    Judged, KnownResult, Outcome, Report, ScenarioResult, json, junit, markdown,
};
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
    let begun = Instant::now();
    let material = match &arguments.replay {
        Some(file) => replay(file).usage()?,
        None => play::play(Given::new(arguments)?, arguments).await?,
    };
    if let Some(file) = &arguments.record {
        write(file, &write_recording(&material.transcript))?;
    }
    let report = report(arguments, &material, &chosen, known.unwrap_or_default(), begun.elapsed());
    for (file, render) in [
        (&arguments.json, json::render as fn(&Report) -> String),
        (&arguments.junit, junit::render),
        (&arguments.markdown, markdown::render),
    ] {
        if let Some(file) = file {
            write(file, &render(&report))?;
        }
    }
    if let Some(why) = material.unreachable {
        return Err(Blame { exit: Exit::Unreachable, error: anyhow::anyhow!(why) });
    }
    let detail = match (arguments.quiet, arguments.verbose) {
        (true, _) => Detail::Quiet,
        (_, true) => Detail::Verbose,
        _ => Detail::Normal,
    };
    print!("{}", terminal::render(&report, &screen::options(detail)));
    Ok(match report.outcome() {
        Outcome::Held => Exit::Held,
        Outcome::Unproven if material.interrupted => Exit::Interrupted,
        Outcome::Broken | Outcome::Unproven => Exit::Broken,
    })
}

fn replay(file: &Path) -> anyhow::Result<Material> {
    let text = fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?;
    let transcript = read_recording(&text).with_context(|| {
        format!("read {} (a recording is what `sseproof check --record` writes)", file.display())
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

fn write(file: &Path, text: &str) -> Result<(), Blame> {
    fs::write(file, text).with_context(|| format!("write {}", file.display())).usage()
}
