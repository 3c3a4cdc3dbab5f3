//! Server-Sent Events and WebSockets on real servers that offer both.
//!
//! Each server sends to both in the same manner, a loop or a channel as its library is used, so
//! that the comparison is of transports and not of programs. The conclusions in the page are
//! written by hand, between marks that are kept.

mod in_short;
mod kept;
mod load;
mod measure;
mod page;
mod rows;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use serde::Deserialize;
use sseproof_site::Versus as Kept;
use sseproof_units::Value;

use crate::described::described;
use crate::{measured, root};
use load::Load;
pub(crate) use measure::{free_port, is_there};

const PAGE: &str = "reports/sse-vs-websocket.md";
/// The results of which the page is made: whole ones are megabytes, and not committed.
const RESULTS: &str = "reports/sse-vs-websocket.json";
const INSTALLED: &str = "target/versus";

#[derive(Args)]
pub(crate) struct Versus {
    /// Only these; without a name, all of scenarios/versus/.
    names: Vec<String>,
    /// Only this load, of the servers that have it. Can be repeated.
    #[arg(long, value_name = "LOAD", value_enum)]
    only: Vec<Load>,
    /// The number of rounds.
    #[arg(long, value_name = "COUNT", default_value_t = 5)]
    rounds: u32,
    /// Do not measure; install the servers.
    #[arg(long, conflicts_with_all = ["only", "rounds", "page", "sseproof"])]
    install: bool,
    /// Do not measure; write the page from earlier results.
    #[arg(long, conflicts_with_all = ["names", "only", "rounds", "sseproof"])]
    page: bool,
    /// Measure with this program, instead of building one.
    #[arg(long, value_name = "PROGRAM")]
    sseproof: Option<PathBuf>,
}

/// A folder under `scenarios/versus/`: a server with `/events`, `/ws`, and `POST /publish`, whose
/// body it sends to every client. The environment says how: on `PORT`; with TLS if `CERT` and `KEY`
/// name the files; compressed if `COMPRESS` is there.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Server {
    server: String,
    about: String,
    versions: Vec<String>,
    #[serde(default)]
    needs: BTreeMap<String, String>,
    install: Vec<Vec<String>>,
    start: Vec<String>,
    sends: Sends,
    /// How it compresses, or why that is not measured.
    compression: String,
    loads: Vec<Load>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sends {
    sse: String,
    websocket: String,
}

pub(crate) fn run(arguments: &Versus) -> anyhow::Result<()> {
    if arguments.page {
        return write();
    }
    let servers = described("versus", "versus.yaml", &arguments.names, |one: &Server| &one.server)?;
    let is_wanted = |load: &Load| arguments.only.is_empty() || arguments.only.contains(load);
    let loads = |server: &Server| -> Vec<Load> {
        Load::ALL
            .into_iter()
            .filter(|load| server.loads.contains(load) && is_wanted(load))
            .collect()
    };
    let mut failures = Vec::new();
    let mut failed = |server: &Server, error: &anyhow::Error| {
        println!("!! {}: {error:#}", server.server);
        failures.push(format!("{}: {error:#}", server.server));
    };
    let mut installed = Vec::new();
    for server in servers.iter().filter(|server| !loads(server).is_empty()) {
        println!("== {}: {}", server.server, server.about);
        match measure::install(server) {
            Ok(()) => installed.push(server),
            Err(error) => failed(server, &error),
        }
    }
    if !arguments.install {
        let program = match &arguments.sseproof {
            Some(program) => program.canonicalize().context("find the program of --sseproof")?,
            None => measured::published()?,
        };
        let each =
            installed.iter().map(|server| measure::expected(&loads(server), arguments.rounds));
        println!("measuring for about {}", minutes(each.sum()));
        for server in installed {
            for load in loads(server) {
                println!("== {}, {}", server.server, load.name());
                if let Err(error) = measure::measure(server, load, &program, arguments.rounds) {
                    failed(server, &error.context(load.name()));
                }
            }
        }
        write()?;
    }
    if !failures.is_empty() {
        bail!("not measured:\n{}", failures.join("\n"));
    }
    Ok(())
}

fn minutes(time: Duration) -> String {
    Value::time((time.as_secs() * 1_000_000_000) as f64).to_string()
}

/// The results that are committed.
pub(crate) fn kept() -> anyhow::Result<Kept> {
    let text =
        fs::read_to_string(root().join(RESULTS)).with_context(|| format!("read {RESULTS}"))?;
    Kept::parse(&text).with_context(|| format!("read {RESULTS}"))
}

/// The text of the page that is written by hand.
pub(crate) fn by_hand(page: &str) -> &str {
    page::by_hand(page)
}

/// Writes the page from all results, those of the last measurement of each server and load, and keeps
/// the text written by hand.
fn write() -> anyhow::Result<()> {
    let earlier = kept().unwrap_or_default();
    let mut all = Kept { machine: earlier.machine, servers: Vec::new() };
    for server in described("versus", "versus.yaml", &[], |one: &Server| &one.server)? {
        let earlier = earlier.servers.iter().find(|one| one.name == server.server);
        let mut loads = Vec::new();
        for load in Load::ALL.into_iter().filter(|load| server.loads.contains(load)) {
            let before = earlier.and_then(|one| one.loads.iter().find(|of| of.plan == load.name()));
            match (measured::read(&load.result(&server)), before) {
                (Ok(outcomes), _) => {
                    all.machine = page::machine();
                    loads.push(kept::load(load, &outcomes));
                }
                (Err(_), Some(before)) => loads.push(before.clone()),
                (Err(error), None) => {
                    println!("no results for {}, {}: {error:#}", server.server, load.name());
                }
            }
        }
        if !loads.is_empty() {
            all.servers.push(kept::server(&server, loads));
        }
    }
    fs::write(root().join(RESULTS), all.json()).with_context(|| format!("write {RESULTS}"))?;
    let path = root().join(PAGE);
    // The first time there is no page.
    let before = fs::read_to_string(&path).unwrap_or_default();
    fs::write(&path, page::page(&all, &before)).with_context(|| format!("write {PAGE}"))?;
    println!("wrote {PAGE} and {RESULTS}");
    Ok(())
}
