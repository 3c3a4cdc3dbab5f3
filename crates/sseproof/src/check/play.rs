//! Runs the probes and the user's scenarios against the target.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use sseproof_files::{Probe, Readiness, Scenario, ServerHandle};
use sseproof_net::{Client, Direct};
use sseproof_report::{ScenarioFailure, ScenarioResult};
use sseproof_rules::{Rule, rules_for};
use sseproof_runner::{Results, RunProgress, StepFailure, Stopped, run_all, usual_time};

use sseproof_units::duration;
use tokio::time::sleep_until;
use url::Url;

use super::Material;
use super::live::{Failures, Live};
use super::options::CheckOptions;
use crate::exit::{Blame, Blamed as _};
use crate::fault;
use crate::interrupt::{self, interrupted};
use crate::running::{Running, START_WAIT};
use crate::screen;
use crate::serve;
use crate::started::{is_free, wait_for};

/// Why a run ended before its last scenario.
enum Early {
    Interrupted,
    Overdue,
    Panicked,
}

pub(super) async fn play(
    mut options: CheckOptions,
    is_quiet: bool,
    failures: Failures<'_>,
) -> Result<Material, Blame> {
    let until = tokio::time::Instant::now() + options.deadline;
    if options.is_embedded() {
        options.target.url = serve::embedded(options.profile).await?;
        if options.profile.is_none() {
            serve::offer(&mut options.target);
        }
        for _ in &options.probes {
            let twin = Url::parse(&serve::embedded(options.profile).await?);
            let twin = twin.context("read the URL of the embedded server")?;
            options.target.twins.push(twin.origin().ascii_serialization());
        }
    }
    let url = &options.target.url;
    let started = match &options.target.start {
        Some(start) => {
            interrupt::begin();
            is_free(url, &options.connection).await.unreachable()?;
            let within = options.wait_for.or(start.within).unwrap_or(START_WAIT);
            let (stop, connection) = (options.target.stop.clone(), options.connection.clone());
            let urls = (url.clone(), options.target.via.clone());
            let started = Running::new(urls, start.clone(), stop, within, connection);
            Some(Arc::new(started.unreachable()?))
        }
        None => None,
    };
    let ready = async {
        match (&started, options.wait_for) {
            (Some(started), _) => started.ready().await,
            (None, Some(within)) => {
                for url in [url].into_iter().chain(&options.target.via) {
                    let (ready, connection) = (&Readiness::Listening, &options.connection);
                    wait_for(url, ready, within, None, connection).await?;
                }
                Ok(())
            }
            (None, None) => Ok(()),
        }
    };
    let ready = tokio::select! {
        ready = ready => Some(ready),
        () = interrupted() => None,
    };
    let material = match ready {
        Some(Ok(())) => {
            options.target.server =
                started.as_ref().map(|started| ServerHandle(Arc::<Running>::clone(started)));
            let mut material = scenarios(&options, until, is_quiet, failures).await;
            if let Some(started) = &started
                && !material.interrupted
                && let Some(end) = started.ended().await.context("check whether the server runs")?
            {
                screen::say(format_args!("sseproof: the server ended during the check: {end}"));
                material.partial.get_or_insert_with(|| "the server ended".to_owned());
            }
            Ok(material)
        }
        Some(Err(error)) => Err(error).unreachable(),
        None => Ok(interrupted_early(options)),
    };
    if let Some(started) = started {
        started.stop().await;
    }
    material
}

async fn scenarios(
    options: &CheckOptions,
    until: tokio::time::Instant,
    is_quiet: bool,
    failures: Failures<'_>,
) -> Material {
    let probes = options.probes.iter().map(|probe| &probe.scenario);
    let scenarios: Vec<&Scenario> = probes.chain(&options.scenarios).collect();
    let client = Client::new(Arc::new(Direct), options.limits).with(options.connection.clone());
    let usual = usual_time(&scenarios, &options.target).min(options.deadline);
    let mut watch = Watch::new(Live::new(scenarios.len(), usual, is_quiet, failures));
    let early = OnceLock::new();
    let cancel = pin!(async {
        let end = tokio::select! {
            () = interrupted() => Early::Interrupted,
            () = sleep_until(until) => Early::Overdue,
            () = fault::panicked() => Early::Panicked,
        };
        early.get_or_init(|| end);
    });
    let hear = &mut |heard: RunProgress<'_>| watch.hear(&heard);
    let results = run_all(&scenarios, &options.target, &client, &now(), hear, cancel).await;
    let positions = watch.positions;
    drop(watch.live);
    material(results, options, &positions, early.get())
}

/// RFC 3339, to the second.
fn now() -> String {
    let now = jiff::Timestamp::now();
    now.round(jiff::Unit::Second).unwrap_or(now).to_string()
}

fn material(
    results: Results,
    options: &CheckOptions,
    positions: &BTreeMap<String, Position>,
    early: Option<&Early>,
) -> Material {
    let unasked = unasked(&results, options);
    let End { partial, unreachable, interrupted } =
        results.stopped.map_or_else(End::default, |stopped| End::of(stopped, early, options));
    let mut failures: BTreeMap<String, Vec<StepFailure>> = BTreeMap::new();
    for failure in results.failures {
        failures.entry(failure.scenario.clone()).or_default().push(failure);
    }
    let result = |scenario: &Scenario| {
        let position = positions.get(&scenario.id);
        let own = failures.remove(&scenario.id).unwrap_or_default();
        let is_left_out = results.left_out.contains(&scenario.id);
        ScenarioResult {
            name: scenario.title.clone(),
            file: scenario.file.clone(),
            steps: scenario.steps(),
            steps_taken: position.map_or(0, |position| scenario.steps_up_to(position.line)),
            duration_ms: position
                .map_or(0, |position| u64::try_from(position.took.as_millis()).unwrap_or(u64::MAX)),
            failures: own.into_iter().map(|failure| shown(failure, scenario)).collect(),
            skipped: is_left_out.then(|| "the run ended before it".to_owned()),
        }
    };
    Material {
        transcript: results.transcript,
        scenarios: options.scenarios.iter().map(result).collect(),
        partial,
        unasked,
        unasked_because: options.quick.then(|| "--quick leaves it out".to_owned()),
        unreachable,
        interrupted,
    }
}

/// The rules of which no probe was played.
fn unasked(results: &Results, options: &CheckOptions) -> Vec<&'static str> {
    let is_left_out = |probe: &Probe| {
        results.left_out.contains(&probe.scenario.id)
            || options.left_out.iter().any(|other| other.id == probe.id)
    };
    let is_unasked = |rule: &&Rule| {
        let all = options.probes.iter().chain(&options.left_out);
        let mut its = all.filter(|probe| probe.scenario.is_for(rule.id)).peekable();
        its.peek().is_some() && its.all(is_left_out)
    };
    rules_for(options.profile).filter(is_unasked).map(|rule| rule.id).collect()
}

/// How a run ended, if not with its last scenario.
#[derive(Default)]
struct End {
    partial: Option<String>,
    unreachable: Option<String>,
    interrupted: bool,
}

impl End {
    fn of(stopped: Stopped, early: Option<&Early>, options: &CheckOptions) -> Self {
        let partial = match stopped {
            Stopped::Unreachable(why) => {
                let unreachable = Some(why.clone());
                return Self { partial: Some(why), unreachable, interrupted: false };
            }
            Stopped::Cancelled => match early {
                Some(Early::Overdue) if options.quick => return Self::default(),
                Some(Early::Overdue) => {
                    let deadline = duration(options.deadline);
                    format!("the check was not over after {deadline} (--deadline)")
                }
                Some(Early::Panicked) => "a bug in sseproof".to_owned(),
                Some(Early::Interrupted) | None => {
                    let partial = Some("interrupted".to_owned());
                    return Self { partial, unreachable: None, interrupted: true };
                }
            },
            Stopped::NoStream(seen) => format!("there was no event stream ({seen})"),
            Stopped::Lost(seen) => format!("the server cannot be reached any more ({seen})"),
            Stopped::LateHead(took) => {
                let took = took.as_secs_f64();
                format!("response headers took {took:.1} s, so most probes were skipped")
            }
            Stopped::TooMuch(bytes) => format!(
                "the responses took more than {} MiB, the most that sseproof keeps of a run",
                bytes >> 20
            ),
            other => format!("{other:?}"),
        };
        Self { partial: Some(partial), ..Self::default() }
    }
}

fn shown(failure: StepFailure, scenario: &Scenario) -> ScenarioFailure {
    let mut message = failure.message;
    for line in &failure.seen {
        message.push('\n');
        message.push_str(line);
    }
    ScenarioFailure {
        file: failure.file,
        line: failure.line,
        column: failure.column,
        step: failure.step,
        message,
        shown: scenario
            .lines_around(failure.line)
            .map(|(number, text)| sseproof_report::ShownLine { number, text: text.to_owned() })
            .collect(),
    }
}

fn interrupted_early(mut options: CheckOptions) -> Material {
    let target = std::mem::take(&mut options.target);
    let mut results = Results { stopped: Some(Stopped::Cancelled), ..Results::default() };
    results.transcript.target.url = target.url;
    results.transcript.target.method = target.method;
    results.transcript.target.profile = target.profile;
    results.left_out = options.scenarios.iter().map(|scenario| scenario.id.clone()).collect();
    material(results, &options, &BTreeMap::new(), None)
}

struct Watch<'f> {
    live: Live<'f>,
    scenario_began: Instant,
    positions: BTreeMap<String, Position>,
}

#[derive(Default)]
struct Position {
    /// The line of the last step that began, from 1; 0 before the first step.
    line: usize,
    took: Duration,
}

impl<'f> Watch<'f> {
    fn new(live: Live<'f>) -> Self {
        Self { live, scenario_began: Instant::now(), positions: BTreeMap::new() }
    }

    fn hear(&mut self, heard: &RunProgress<'_>) {
        match heard {
            RunProgress::Begins(scenario) => {
                self.live.update(|line| line.playing = scenario.id.clone());
                self.scenario_began = Instant::now();
            }
            RunProgress::Step(scenario, line) => {
                self.positions.entry(scenario.id.clone()).or_default().line = *line;
            }
            RunProgress::Ends(scenario, _) => {
                self.live.update(|line| line.done += 1);
                let position = self.positions.entry(scenario.id.clone()).or_default();
                position.took = self.scenario_began.elapsed();
            }
            RunProgress::Kept(transcript) => self.live.kept(transcript),
            _ => {}
        }
    }
}
