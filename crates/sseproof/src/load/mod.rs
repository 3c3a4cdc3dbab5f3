//! `sseproof load`: puts load on a server, and measures the cost of its streams.

pub(crate) mod args;
mod calibrate;
mod conditions;
mod live;
mod options;
mod processes;
mod prometheus;
mod result;
mod round;
mod server;
mod together;

use std::time::Duration;

use anyhow::{Context as _, anyhow};
use sseproof_files::Readiness;
use sseproof_load::server::raise_open_files;
use sseproof_load::{Found, Target};
use sseproof_load_model::schedule::Part;
use sseproof_load_model::{Http, Outcome, Plan, Rate, Requests, Threshold, Transport, Workload};
use sseproof_report::Outcome as Verdict;
use sseproof_report::load::{LoadReport, judge};
use sseproof_units::counted;
use tokio::sync::watch;
use url::Url;

use self::args::{Diff, Load, Merge, Outputs};
use self::live::Live;
use self::options::{LoadOptions, Side, given};
use self::processes::Workers;
pub(crate) use self::processes::handed_over;
use self::prometheus::Prometheus;
pub(crate) use self::result::scrubbed;
use self::round::{Round, SETTLING, sampling};
use self::server::Embedded;
use crate::exit::{Blame, Blamed as _, Exit};
use crate::interrupt::{self, interrupted};
use crate::started::{Started, wait_for};
use crate::{output, screen, secrets};

pub(crate) async fn run(arguments: &Load) -> Result<Exit, Blame> {
    let mut given = given(arguments)?;
    let is_taken = output::writable(arguments.outputs.files()).usage()?;
    if arguments.calibrate {
        given = calibrate::sides(given);
    }
    let threads = arguments.threads.unwrap_or_else(|| threads(arguments.processes));
    if arguments.task.is_some() {
        return work(arguments, &given, threads).await;
    }
    if let Some(flag) = arguments.connection.indirect() {
        let error = anyhow!(
            "`sseproof load` connects directly over TCP, with or without TLS; remove {flag}"
        );
        return Err(error).usage();
    }
    fits(&given, arguments, threads)?;
    may(&given, arguments).await?;
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
    let mut outcomes = Vec::new();
    let mut found: Vec<Option<Found>> = given.sides.iter().map(|_| None).collect();
    'rounds: for number in 1..=arguments.rounds.max(1) {
        for side in 0..given.sides.len() {
            if *stop.borrow() {
                break 'rounds;
            }
            let found = &mut found[side];
            let stop = stop.clone();
            let played =
                play(arguments, &given, side, found, number, threads, page.clone(), stop).await;
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
    let verdict = report(outcomes, &given.file.plan.thresholds, &arguments.outputs)?;
    Ok(if interrupted && verdict != Verdict::Broken { Exit::Interrupted } else { exit(verdict) })
}

pub(crate) fn merge(arguments: &Merge) -> Result<Exit, Blame> {
    let outcomes = together::merged(&arguments.files)?;
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
    let tool = format!("sseproof {}", env!("CARGO_PKG_VERSION"));
    LoadReport { tool, outcomes, judged }
}

async fn work(arguments: &Load, given: &LoadOptions, threads: u64) -> Result<Exit, Blame> {
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
    round.found = task.found();
    round.work(task, stop).await?;
    Ok(Exit::Held)
}

fn round<'a>(
    arguments: &'a Load,
    given: &'a LoadOptions,
    side: &'a Side,
    connection: &'a sseproof_net::ConnectionOptions,
    origin: &'a str,
    threads: u64,
) -> Round<'a> {
    Round {
        file: &given.file,
        transport: side.transport,
        url: &side.url,
        origin,
        connection,
        bind: arguments.bind.as_ref().map_or(&[], |addresses| &addresses.0),
        part: arguments.shard.unwrap_or(Part::WHOLE),
        threads,
        number: 1,
        server: arguments.server_pid,
        found: None,
    }
}

#[expect(
    clippy::too_many_arguments,
    reason = "each is of another kind, and only one caller has them"
)]
async fn play(
    arguments: &Load,
    given: &LoadOptions,
    index: usize,
    found: &mut Option<Found>,
    number: u32,
    threads: u64,
    page: Option<Prometheus>,
    stop: watch::Receiver<bool>,
) -> Result<Outcome, Blame> {
    let side = &given.sides[index];
    let embedded = if side.is_embedded() { Some(Embedded::start().await?) } else { None };
    let mut started = None;
    let connection = side.connection(arguments, given).usage()?;
    if let (Some(command), Some(url)) = (&arguments.server_cmd, side.address()) {
        let mut server = Started::new(command, &Readiness::Listening).unreachable()?;
        // A WebSocket starts with an HTTP request.
        let url = url.replacen("ws", "http", usize::from(url.starts_with("ws")));
        let waiting =
            wait_for(&url, &Readiness::Listening, STARTING, Some(&mut server), &connection);
        let mut stopping = stop.clone();
        let ready = tokio::select! {
            ready = waiting => ready.unreachable(),
            _ = stopping.wait_for(|stop| *stop) => {
                let error = anyhow!("interrupted before the server was ready");
                Err(Blame { exit: Exit::Interrupted, error })
            }
        };
        if let Err(blame) = ready {
            server.stop(None).await;
            return Err(blame);
        }
        started = Some(server);
    }
    let origin = embedded.as_ref().map_or("", |embedded| embedded.origin.as_str());
    let mut round = round(arguments, given, side, &connection, origin, threads);
    round.number = number;
    let own = embedded.as_ref().and_then(Embedded::id);
    let own = own.or_else(|| started.as_ref().and_then(Started::id));
    round.server = round.server.or(own);
    let plan = &given.file.plan;
    if found.is_none() {
        *found = round.find().await?;
    }
    round.found.clone_from(found);
    // Memory that an earlier round has left would hide the need of a later one, so each of several
    // rounds runs in a new process.
    let is_one_of_many = given.sides.len() > 1 || arguments.rounds > 1;
    let workers = (arguments.processes > 1 || is_one_of_many).then(|| Workers {
        count: arguments.processes,
        side: index,
        origin: origin.to_owned(),
        found: found.clone(),
        part: round.part,
        sampling: sampling(plan),
        settling: SETTLING,
    });
    let name = format!("round {number}, {}", side.transport.name());
    let page = page.map(|page| (page, side.transport));
    let parts = threads * arguments.processes;
    let mut live = Live::new(name, parts, plan.interval, lasting(plan), page);
    let outcome = round.play(workers, stop, |interval| live.interval(interval)).await;
    drop(live);
    if let Some(embedded) = embedded {
        embedded.stop().await;
    }
    if let Some(started) = started {
        started.stop(None).await;
    }
    outcome.map(|mut outcome| {
        outcome.run.conditions = conditions::of(plan, arguments, threads, side.is_embedded());
        secrets::redact(std::slice::from_mut(&mut outcome));
        outcome
    })
}

const STARTING: Duration = Duration::from_secs(10);

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

/// So many clients can harm a server of others, so they must be intended.
const MANY: u64 = 500;

/// Fails before the run if it puts many clients on another machine, and the arguments do not say so.
async fn may(given: &LoadOptions, arguments: &Load) -> Result<(), Blame> {
    let clients = match &given.file.plan.workload {
        Workload::Subscribe(subscribe) => subscribe.most_clients(),
        Workload::Request(Requests { rate: Rate::Closed { clients, .. }, .. }) => *clients,
        Workload::Request(_) => return Ok(()),
    };
    if clients < MANY || arguments.yes || arguments.connections == Some(clients) {
        return Ok(());
    }
    for url in given.sides.iter().filter_map(Side::address) {
        let parsed = Url::parse(&url).with_context(|| format!("`{url}` is not a valid URL"));
        let target = Target::new(parsed.usage()?, None).await.with_context(|| url.clone());
        let target = target.unreachable()?;
        if !target.is_local() {
            let host = target.url.host_str().unwrap_or_default();
            return Err(anyhow!(
                "{} would connect to {host}, which is not this machine; pass --yes if it may get them, or another number with -c",
                counted(clients, "client")
            ))
            .usage();
        }
    }
    Ok(())
}

/// Open files of a process beside its connections.
const OTHER_FILES: u64 = 64;
/// Ports of one source address, by the default of Linux.
const PORTS: u64 = 28_000;

/// Fails before the run if the plan exceeds the limits of this machine.
fn fits(given: &LoadOptions, arguments: &Load, threads: u64) -> Result<(), Blame> {
    let plan = &given.file.plan;
    let is_sse = given.sides.iter().all(|side| side.transport == Transport::Sse);
    let most = match &plan.workload {
        Workload::Subscribe(subscribe) => subscribe.most_clients(),
        Workload::Request(_) => return Ok(()),
    };
    let of = arguments.shard.map_or(1, |part| part.of);
    // Each thread fills its own connections; if a WebSocket is compared, each client needs one.
    let here = match plan.http {
        Http::Two { streams_per_connection } if is_sse => {
            let threads = threads * arguments.processes;
            most.div_ceil(of * threads).div_ceil(streams_per_connection.into()) * threads
        }
        _ => most.div_ceil(of),
    };
    let files = raise_open_files().context("raise the limit of open files")?;
    let per_process = here.div_ceil(arguments.processes.max(1)) + OTHER_FILES;
    if let Some(limit) = files.limit.filter(|limit| *limit < per_process) {
        let processes = here.div_ceil(limit.saturating_sub(OTHER_FILES).max(1));
        return Err(anyhow!(
            "{here} connections exceed the hard limit of {limit} open files per process; use --processes {processes}, or raise the limit (`ulimit -Hn {per_process}` as root, or LimitNOFILE= of a service)"
        ))
        .usage();
    }
    let addresses = arguments.bind.as_ref().map_or(1, |addresses| addresses.0.len() as u64);
    if here > PORTS * addresses {
        let needed = here.div_ceil(PORTS) + 1;
        return Err(anyhow!(
            "{here} connections need more ports than {} ({PORTS} each); for a server on this machine use --bind 127.0.0.2-127.0.0.{needed}, otherwise allow more ports: sysctl net.ipv4.ip_local_port_range",
            counted(addresses, "source address")
        ))
        .usage();
    }
    Ok(())
}
