//! `sseproof load`: puts load on a server, and measures the cost of its streams.

pub(crate) mod args;
mod calibrate;
mod conditions;
mod kept;
mod limits;
mod live;
mod meeting;
mod options;
mod playing;
mod processes;
mod prometheus;
mod result;
mod round;
mod server;
mod shards;
mod store;
mod together;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, anyhow};
use sha2::{Digest as _, Sha256};
use sseproof_load::Found;
use sseproof_load::server::raise_open_files;
use sseproof_load_model::schedule::Part;
use sseproof_load_model::{Outcome, Plan, ResultFile, Threshold, Workload};
use sseproof_report::Outcome as Verdict;
use sseproof_report::load::{LoadReport, judge};
use sseproof_units::Value;
use tokio::sync::watch;

use self::args::{Diff, Load, Merge, Outputs};
use self::limits::{fits, may};
use self::options::{LoadOptions, given};
use self::playing::{Playing, round};
pub(crate) use self::processes::handed_over;
use self::prometheus::Prometheus;
pub(crate) use self::result::scrubbed;
pub(crate) use self::server::serve;
use self::store::Store;
use crate::exit::{Blame, Blamed as _, Exit};
use crate::interrupt::{self, interrupted};
use crate::{output, screen, secrets};

pub(crate) async fn run(arguments: &Load) -> Result<Exit, Blame> {
    let mut given = given(arguments)?;
    let is_taken = output::writable(arguments.outputs.files()).usage()?;
    if arguments.calibrate {
        given = calibrate::sides(given);
    }
    let threads = arguments.threads.unwrap_or_else(|| threads(arguments.processes));
    let fingerprint = fingerprint(&given.file.plan);
    if arguments.task.is_some() {
        return work(arguments, &given, threads, &fingerprint).await;
    }
    let variable = |name: &str| std::env::var(name).ok();
    let part = shards::part(arguments.shard, arguments.shards, &variable).usage()?;
    fits(&given, arguments, threads, part)?;
    may(&given, arguments).await?;
    let store = arguments.results.as_deref().map(Store::open).transpose().usage()?.map(Arc::new);
    let at = start(arguments, &given, part)?;
    let (stopper, stop) = watch::channel(false);
    interrupt::begin();
    let stopping = tokio::spawn(async move {
        interrupted().await;
        let _ = stopper.send(true);
    });
    let page = match arguments.prometheus {
        Some(address) => Some(Prometheus::listen(address).await?),
        None => None,
    };
    let playing = Playing {
        arguments,
        given: &given,
        threads,
        part: part.unwrap_or(Part::WHOLE),
        fingerprint: &fingerprint,
        store: store.clone(),
        at,
        page,
        stop: stop.clone(),
    };
    let mut outcomes = Vec::new();
    let mut found: Vec<Option<Found>> = given.sides.iter().map(|_| None).collect();
    'rounds: for number in 1..=arguments.rounds.max(1) {
        for (side, found) in found.iter_mut().enumerate() {
            if *stop.borrow() {
                break 'rounds;
            }
            let played = playing.play(side, found, number).await;
            match (played, outcomes.last_mut()) {
                (Ok(outcome), _) => outcomes.push(outcome),
                // The results of earlier rounds are kept.
                (Err(error), Some(Outcome { run, .. })) => {
                    let transport = given.sides[side].transport.name();
                    run.partial.push(format!(
                        "round {number}, {transport}, failed: {}",
                        secrets::text(&error.to_string())
                    ));
                    break 'rounds;
                }
                (Err(error), None) => return Err(error),
            }
        }
    }
    let interrupted = *stop.borrow();
    stopping.abort();
    if arguments.calibrate {
        match is_taken {
            false => drop(screen::print(&calibrate::table(&outcomes))?),
            true => screen::print_page_aside(&calibrate::table(&outcomes)),
        }
        result::write(&load_report(outcomes, &[]), &arguments.outputs)?;
        return Ok(if interrupted { Exit::Interrupted } else { Exit::Held });
    }
    let file = store.as_ref().map(|_| ResultFile::new(tool(), outcomes.clone()));
    let reported = report(outcomes, &given.file.plan.thresholds, &arguments.outputs);
    // Files that could not be written cost nothing of what is stored.
    if let (Some(store), Some(file)) = (&store, &file) {
        kept::keep(store, playing.part, file).await?;
    }
    let verdict = reported?;
    Ok(if interrupted && verdict != Verdict::Broken { Exit::Interrupted } else { exit(verdict) })
}

/// The start of the first round, if it is given.
fn start(
    arguments: &Load,
    given: &LoadOptions,
    part: Option<Part>,
) -> Result<Option<SystemTime>, Blame> {
    let at = arguments.start_at.map(|start| meeting::time(start, SystemTime::now()));
    let Some(at) = at else { return Ok(None) };
    let rounds = arguments.rounds.max(1) as usize * given.sides.len();
    if rounds > 1 && arguments.results.is_none() && part.is_some_and(|part| part.of > 1) {
        return Err(anyhow!(
            "--start-at is the start of one round, and these are {rounds}: add --results, where the shards meet before each of them"
        ))
        .usage();
    }
    if let Some(late) = meeting::late(at).filter(|late| *late > lasting(&given.file.plan)) {
        let late = Value::time(late.as_nanos() as f64);
        return Err(anyhow!("the start was {late} ago, and the plan does not last as long"))
            .usage();
    }
    Ok(Some(at))
}

/// Equal for the same plan, played by the same version; headers and variables, which may be secrets, are
/// not a part of it.
fn fingerprint(plan: &Plan) -> String {
    let digest = Sha256::digest(format!("{} {plan:?}", env!("CARGO_PKG_VERSION")));
    digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) async fn merge(arguments: &Merge) -> Result<Exit, Blame> {
    let outcomes = together::merged(&arguments.files).await?;
    Ok(exit(report(outcomes, &arguments.outputs.fail_if, &arguments.outputs)?))
}

pub(crate) fn diff(arguments: &Diff) -> Result<Exit, Blame> {
    together::diff(arguments)
}

fn report(
    outcomes: Vec<Outcome>,
    thresholds: &[Threshold],
    outputs: &Outputs,
) -> Result<Verdict, Blame> {
    let report = load_report(outcomes, thresholds);
    // Printed first, so that an error of a file does not lose it.
    let mut options = screen::options(outputs.detail());
    let is_taken = output::writable(outputs.files()).usage()?;
    options.colour &= !is_taken;
    let page = sseproof_report::load::terminal::render(&report, &options);
    match is_taken {
        false => drop(screen::print_page(&page)?),
        true => screen::print_page_aside(&page),
    }
    result::write(&report, outputs)?;
    Ok(report.verdict())
}

fn exit(verdict: Verdict) -> Exit {
    match verdict {
        Verdict::Held => Exit::Held,
        Verdict::Broken | Verdict::Unproven => Exit::Broken,
    }
}

fn load_report(outcomes: Vec<Outcome>, thresholds: &[Threshold]) -> LoadReport {
    let judged = judge(&outcomes, thresholds);
    LoadReport { tool: tool(), outcomes, judged }
}

fn tool() -> String {
    format!("sseproof {}", env!("CARGO_PKG_VERSION"))
}

async fn work(
    arguments: &Load,
    given: &LoadOptions,
    threads: u64,
    fingerprint: &str,
) -> Result<Exit, Blame> {
    let task = arguments.task.as_ref().context("a task")?;
    let side = given.sides.get(task.side).context("a side for the task")?;
    raise_open_files().context("raise the limit of open files")?;
    let (stopper, stop) = watch::channel(false);
    tokio::spawn(async move {
        // Ctrl-C reaches a worker too; its parent then closes its standard input.
        let signalled = interrupted();
        tokio::pin!(signalled);
        tokio::select! {
            () = &mut signalled => {}
            () = processes::input_ended() => {}
        }
        let _ = stopper.send(true);
    });
    let connection = side.connection(arguments, given).usage()?;
    let mut round = round(arguments, given, side, &connection, &task.origin, threads);
    round.part = task.part();
    round.fingerprint = fingerprint;
    round.found = task.found();
    round.work(task, stop).await?;
    Ok(Exit::Held)
}

fn lasting(plan: &Plan) -> Duration {
    match &plan.workload {
        Workload::Subscribe(_) => plan.workload.lasting() + plan.drain,
        Workload::Request(_) => plan.workload.lasting(),
    }
}

/// Half of the processors, shared by all processes: the other half is for a server on this machine.
fn threads(processes: u64) -> u64 {
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    (processors as u64 / 2 / processes.max(1)).max(1)
}
