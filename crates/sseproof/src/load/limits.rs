//! Whether a plan fits on this machine, and may go to another one.

use anyhow::{Context as _, anyhow};
use sseproof_load::server::raise_open_files;
use sseproof_load::{Ports, Route, Target};
use sseproof_load_model::schedule::Part;
use sseproof_load_model::{Http, Rate, Requests, Transport, Workload};
use sseproof_units::counted;
use url::Url;

use super::args::Load;
use super::options::LoadOptions;
use crate::exit::{Blame, Blamed as _};

/// So many clients can harm a server of others, so they must be intended.
const MANY: u64 = 500;

/// Fails before the run if it puts many clients on another machine, and the arguments do not say so.
pub(super) async fn may(given: &LoadOptions, arguments: &Load) -> Result<(), Blame> {
    let clients = match &given.file.plan.workload {
        Workload::Subscribe(subscribe) => subscribe.most_clients(),
        Workload::Request(Requests { rate: Rate::Closed { clients, .. }, .. }) => *clients,
        Workload::Request(_) => return Ok(()),
    };
    if clients < MANY || arguments.yes || arguments.connections == Some(clients) {
        return Ok(());
    }
    for side in &given.sides {
        let Some(url) = side.address() else { continue };
        let parsed = Url::parse(&url).with_context(|| format!("`{url}` is not a valid URL"));
        let (parsed, connection) = (parsed.usage()?, side.connection(arguments, given).usage()?);
        let route = Route::of(&connection, &parsed);
        let target = Target::through(parsed, None, route).await.with_context(|| url.clone());
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
/// Ports of one source address that other programs may have.
const OTHER_PORTS: u64 = 232;
/// Ports of one source address, by the default of Linux.
const PORTS: u64 = 28_232;

/// The ports that a source address has for connections.
fn ports(system: Option<Ports>) -> u64 {
    let all = system.map_or(PORTS, |ports| ports.count().into());
    all.saturating_sub(OTHER_PORTS).max(1)
}

/// Fails before the run if the plan exceeds the limits of this machine.
pub(super) fn fits(
    given: &LoadOptions,
    arguments: &Load,
    threads: u64,
    part: Option<Part>,
) -> Result<(), Blame> {
    let plan = &given.file.plan;
    let is_sse = given.sides.iter().all(|side| side.transport == Transport::Sse);
    let most = match &plan.workload {
        Workload::Subscribe(subscribe) => subscribe.most_clients(),
        Workload::Request(_) => return Ok(()),
    };
    let of = part.map_or(1, |part| part.of);
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
    if arguments.connection.has_unix_socket() || given.file.connection.unix_socket.is_some() {
        return match arguments.bind {
            Some(_) => Err(anyhow!("a unix socket has no source address: remove --bind")).usage(),
            None => Ok(()),
        };
    }
    let addresses = arguments.bind.as_ref().map_or(1, |addresses| addresses.0.len() as u64);
    let ports = ports(Ports::of_system());
    if here > ports * addresses {
        let needed = here.div_ceil(ports) + 1;
        return Err(anyhow!(
            "{here} connections need more ports than {} ({ports} each); for a server on this machine use --bind 127.0.0.2-127.0.0.{needed}, otherwise allow more ports: sysctl net.ipv4.ip_local_port_range",
            counted(addresses, "source address")
        ))
        .usage();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_those_that_the_system_permits() {
        for (range, expected) in [
            (Some("32768\t60999\n"), 28_000),
            (Some("1024\t65535\n"), 64_280),
            (Some("5 1"), 28_000),
            (Some("0 0"), 1),
            (None, 28_000),
        ] {
            assert_eq!(ports(range.and_then(Ports::parse)), expected, "{range:?}");
        }
    }
}
