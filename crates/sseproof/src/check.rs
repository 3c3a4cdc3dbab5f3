//! `sseproof check`: plays the scenarios, judges the record, writes the reports.

mod live;
mod measure;
mod options;
mod outputs;
mod play;
mod server;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sseproof_files::SecretKeys;
use sseproof_http::Request;
use sseproof_net::ENOUGH;
use sseproof_record::{Ending, Secrets, Source, Transcript};
use sseproof_report::ci::Run;
use sseproof_report::wire_log;
use sseproof_report::{Judged, Outcome, Report, ScenarioResult, Subject};
use sseproof_rules::{Record, Status, judge, profile, profiles};
use sseproof_units::counted;

use crate::args::Check;
use crate::check::live::final_failures;
use crate::check::options::{CheckOptions, Chosen};
pub(crate) use crate::check::options::{headers, variables};
pub(crate) use crate::check::server::{USUAL_TARGET, checked};
use crate::ci::{self, places};
use crate::exit::{Blame, Blamed as _, Exit};
use crate::files::of_environment;
use crate::known::{self, Known, RULES};
use crate::output::is_standard;
use crate::{recorded, screen};

const LOGS: usize = 3;

struct Material {
    transcript: Transcript,
    scenarios: Vec<ScenarioResult>,
    partial: Option<String>,
    /// The rules whose probes were not played, since the run ended before them.
    unasked: Vec<&'static str>,
    /// The reason for that, if the run was to be short.
    unasked_because: Option<String>,
    unreachable: Option<String>,
    interrupted: bool,
}

impl Material {
    fn redact(&mut self, secrets: &Secrets) {
        let redact = |text: &mut String| *text = secrets.text(text);
        self.transcript = secrets
            .redact(&self.transcript)
            .reported(|warning| screen::say(format_args!("{warning}")));
        for failure in self.scenarios.iter_mut().flat_map(|scenario| &mut scenario.failures) {
            redact(&mut failure.step);
            redact(&mut failure.message);
            failure.shown.iter_mut().for_each(|line| redact(&mut line.text));
        }
        self.partial.iter_mut().for_each(redact);
        self.unreachable.iter_mut().for_each(redact);
    }
}

pub(crate) async fn run(arguments: &Check) -> Result<Exit, Blame> {
    // Mistakes of the user are reported before the first connection.
    let known =
        arguments.known.as_deref().map(|file| known::read(file, &RULES)).transpose().usage()?;
    let chosen = Chosen::new(&arguments.only, &arguments.skip).usage()?;
    let given = match &arguments.replay {
        Some(_) => None,
        None => Some(CheckOptions::new(arguments, &chosen)?),
    };
    if let Some(given) = &given {
        chosen.judges(given.profile).usage()?;
    }
    let is_taken = outputs::writable(arguments).usage()?;
    let begun = Instant::now();
    let besides = given.as_ref().map_or_else(Vec::new, |given| given.target.requests_besides());
    let of_target =
        given.as_ref().map_or_else(Default::default, |given| given.target.secrets.clone());
    let files = given.as_ref().map_or_else(Vec::new, |given| given.files.clone());
    let target_file = given.as_ref().and_then(|given| given.file.clone());
    let scenarios = files.iter().filter(|file| Some(*file) != target_file.as_ref()).cloned();
    let scenarios: Vec<_> = scenarios.collect();
    let replayed = arguments.replay.as_deref();
    let places = places::of_check(target_file.as_deref(), &scenarios, replayed, known.as_deref());
    let is_embedded = given.as_ref().is_some_and(CheckOptions::is_embedded);
    let started = given.as_ref().and_then(|given| given.target.start.as_ref());
    let started = started.map(|start| start.command.clone());
    let mut material = match (given, &arguments.replay) {
        (Some(given), _) => {
            let failures = |transcript: &Transcript| {
                let secrets = || secrets(arguments, &files, &of_target, transcript, &besides);
                final_failures(arguments, &chosen, known.as_deref(), transcript, secrets)
            };
            play::play(given, arguments.quiet, &failures).await.map_err(|blame| {
                let none = Transcript::default();
                let secrets = secrets(arguments, &files, &of_target, &none, &besides);
                Blame { error: anyhow::anyhow!(secrets.text(&blame.to_string())), ..blame }
            })?
        }
        (None, file) => {
            let file = file.as_deref().unwrap_or(Path::new(""));
            let material = replay(file, arguments.profile.as_deref()).usage()?;
            chosen
                .judges(material.transcript.target.profile.as_deref().and_then(profile))
                .usage()?;
            material
        }
    };
    // Rules and reports only see the redacted record.
    material.redact(&secrets(arguments, &files, &of_target, &material.transcript, &besides));
    // The recording is written first, so that a later error does not lose it.
    outputs::record(arguments, &material.transcript).usage()?;
    let mut report =
        report(arguments, &material, &chosen, known.unwrap_or_default(), begun.elapsed());
    report.embedded = is_embedded;
    report.complete(&material.transcript, started.as_deref());
    logs(&mut report, &material.transcript);
    outputs::report(arguments, &report, &material.transcript).usage()?;
    let run = Run::of(&report, "check", &places);
    ci::write(&arguments.ci, &run).usage()?;
    outputs::wire_logs(arguments, &report, &material.transcript).usage()?;
    if let Some(why) = material.unreachable {
        return Err(Blame { exit: Exit::Unreachable, error: anyhow::anyhow!(why) });
    }
    if let Some(file) = &arguments.write_known {
        known::write(file, &report).usage()?;
    }
    screen::print_report(&report, arguments.quiet, arguments.verbose, is_taken)?;
    ci::show(&arguments.ci, &run);
    Ok(match report.outcome() {
        Outcome::Held => Exit::Held,
        Outcome::Unproven if material.interrupted => Exit::Interrupted,
        Outcome::Broken | Outcome::Unproven => Exit::Broken,
    })
}

fn replay(file: &Path, chosen: Option<&str>) -> anyhow::Result<Material> {
    let mut recorded = recorded::read("--replay", file)?;
    if let Some(cut) = &recorded.cut {
        screen::say(format_args!(
            "sseproof: {}, {cut}; the part before it is judged",
            file.display()
        ));
    }
    if recorded.transcript.source == Source::BodyOnly {
        screen::say(format_args!(
            "sseproof: {} has no status line and headers, so it is read as the body of a stream; `curl -isN URL > FILE` also writes the headers",
            file.display()
        ));
    }
    let target = &mut recorded.transcript.target;
    if let Some(chosen) = chosen {
        target.profile = Some(chosen.to_owned());
    }
    if let Some(unknown) = target.profile.as_deref().filter(|id| profile(id).is_none()) {
        let names: Vec<_> = profiles().map(|profile| profile.id).collect();
        anyhow::bail!(
            "--replay {} was recorded with the unknown profile `{unknown}`; choose one with --profile: {}",
            file.display(),
            names.join(", ")
        );
    }
    Ok(Material {
        transcript: recorded.transcript,
        scenarios: Vec::new(),
        partial: recorded.cut.map(|_| "the recording is cut off".to_owned()),
        unasked: Vec::new(),
        unasked_because: None,
        unreachable: None,
        interrupted: false,
    })
}

/// The secrets of a run; none with `--show-secrets`.
fn secrets(
    arguments: &Check,
    files: &[PathBuf],
    of_target: &SecretKeys,
    transcript: &Transcript,
    besides: &[Request],
) -> Secrets {
    if crate::secrets::are_shown() {
        return Secrets::default();
    }
    let texts: Vec<String> =
        files.iter().filter_map(|file| fs::read_to_string(file).ok()).collect();
    let given = arguments.var.iter().filter_map(|pair| pair.split_once('='));
    let given = given.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let named = of_target.values.iter().map(|value| ("secret".to_owned(), value.clone()));
    let url = transcript.target.url.split('?').next().unwrap_or_default();
    let of_environment = environment(&texts).map(|(name, value)| {
        let is_place = value.contains("://") || value.starts_with('/') || url.contains(&value);
        let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
        let name = if is_place || is_number { name } else { "secret".to_owned() };
        (name, value)
    });
    let known: Vec<_> = of_environment.chain(given).chain(named).collect();
    Secrets::but(&of_target.harmless, transcript, besides, &known)
}

fn environment(texts: &[String]) -> impl Iterator<Item = (String, String)> {
    let names = texts.iter().flat_map(|text| of_environment(text));
    names.filter_map(|name| Some((name.to_owned(), std::env::var(name).ok()?)))
}

/// Why the rules on streams prove nothing, if no event of any stream could be read: most of them hold
/// for a stream that is empty.
fn unread(record: &Record<'_>, findings: &[Judged]) -> Option<String> {
    let judges_events = findings.iter().any(|finding| finding.rule.starts_with("stream/"));
    let mut streams = record.streams_in_any_coding().peekable();
    if !judges_events || streams.peek().is_none() {
        return None;
    }
    let (mut all, mut coded) = (0_usize, None);
    for view in streams {
        if view.first_event().is_some() {
            return None;
        }
        all += 1;
        if let Some(head) = view.head.as_ref().filter(|_| view.is_compressed()) {
            coded = coded.or_else(|| head.headers.first("content-encoding"));
        }
    }
    let streams = counted(all, "stream");
    Some(match coded {
        Some(coding) => {
            format!("no event could be read from {streams} in the content coding `{coding}`")
        }
        None => format!(
            "no event could be read from {streams}: let sseproof publish some (--publish), or check a URL whose stream has events"
        ),
    })
}

/// Why the rules on streams prove nothing, if a bound cut one before it showed enough events: its rest
/// was not judged.
fn cut(record: &Record<'_>) -> Option<String> {
    record.judged().filter(|view| view.is_stream()).find_map(|view| match view.end.how {
        Ending::OverLimit(bytes) if view.events().nth(ENOUGH - 1).is_none() => Some(format!(
            "the stream of exchange {} was read only up to byte {bytes}, since sseproof keeps no more of a response",
            view.number
        )),
        _ => None,
    })
}

fn logs(report: &mut Report, transcript: &Transcript) {
    for finding in &mut report.findings {
        for evidence in finding.evidence.iter_mut().take(LOGS) {
            let exchange = evidence.exchange.checked_sub(1);
            let exchange = exchange.and_then(|index| transcript.exchanges.get(index));
            evidence.log =
                exchange.map(|exchange| wire_log::around(exchange, evidence)).unwrap_or_default();
        }
    }
}

fn report(
    arguments: &Check,
    material: &Material,
    chosen: &Chosen,
    known: Vec<Known>,
    lasted: Duration,
) -> Report {
    let record = Record::new(&material.transcript);
    let mut findings: Vec<Judged> =
        judge(&record, |rule| chosen.has(rule.id)).into_iter().map(Judged::from).collect();
    if let Some(why) = material.partial.as_ref().or(material.unasked_because.as_ref()) {
        let skipped = findings.iter_mut().filter(|finding| finding.status == Status::Skip);
        for finding in skipped.filter(|finding| material.unasked.contains(&&*finding.rule)) {
            finding.note = format!("not asked: {why}");
        }
    }
    let known = known::results(known, &findings);
    // A user's scenario says itself which events it expects.
    let only_own = arguments.no_probes && !material.scenarios.is_empty();
    let unproven = unread(&record, &findings).filter(|_| !only_own).or_else(|| cut(&record));
    let way = record.all().find_map(|view| {
        let proxy = view.transport.proxy.as_ref().map(|url| format!("through the proxy {url}"));
        let socket = view.transport.unix_socket.as_ref();
        proxy.or_else(|| socket.map(|path| format!("over the unix socket {path}")))
    });
    Report {
        subject: Subject::Server,
        way,
        tool: concat!("sseproof ", env!("CARGO_PKG_VERSION")).to_owned(),
        target: material.transcript.target.url.clone(),
        profile: material.transcript.target.profile.clone(),
        started: material.transcript.started.clone(),
        duration_ms: u64::try_from(lasted.as_millis()).unwrap_or(u64::MAX),
        strict: arguments.strict,
        software: Vec::new(),
        measures: measure::measures(&record),
        findings,
        scenarios: material.scenarios.clone(),
        known,
        partial: material.partial.clone(),
        unproven,
        embedded: false,
        recording: arguments
            .record
            .as_deref()
            .filter(|file| !is_standard(file))
            .map(|file| file.display().to_string()),
    }
}
