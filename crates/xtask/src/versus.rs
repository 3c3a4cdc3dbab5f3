//! Server-Sent Events beside WebSockets, on real servers that offer both.

mod page;
mod rows;

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};
use clap::Args;
use serde::Deserialize;
use sseproof_load_model::Outcome;

use crate::described::described;
use crate::{measured, root};

/// What is written.
const PAGE: &str = "reports/sse-vs-websocket.md";
/// Where installed servers and their results are, below the root.
const INSTALLED: &str = "target/versus";
/// Ports that the system gives to nobody who connects: a server that is started again and again
/// finds its own free.
const PORTS: std::ops::Range<u16> = 21_000..32_000;

/// What can be said about it on the command line.
#[derive(Args)]
pub(crate) struct Versus {
    /// Only these; all of scenarios/versus/ without one.
    names: Vec<String>,
    /// How often each is measured; 4 rounds of the steady load and 3 of the storm where nothing is
    /// said.
    #[arg(long, value_name = "COUNT")]
    rounds: Option<u32>,
    /// Measure nothing, and write the page of what earlier runs have left.
    #[arg(long, conflicts_with_all = ["names", "rounds", "sseproof"])]
    page: bool,
    /// This program measures, instead of one that is built first.
    #[arg(long, value_name = "PROGRAM")]
    sseproof: Option<PathBuf>,
}

/// A folder under `scenarios/versus/`: a server with `/events`, `/ws`, and `POST /publish`, whose body
/// everybody gets.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Server {
    /// Its name, the folder's too.
    server: String,
    /// What it is, in a line.
    about: String,
    /// The versions that are installed.
    versions: Vec<String>,
    /// What must be there, a program or a file, and how to get it.
    #[serde(default)]
    needs: BTreeMap<String, String>,
    /// The commands that install it, run in a copy of the folder.
    install: Vec<Vec<String>>,
    /// The command that starts it, with `PORT` in its environment.
    start: Vec<String>,
    /// What it does for each client.
    sends: Sends,
    /// What becomes of permessage-deflate.
    deflate: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sends {
    sse: String,
    websocket: String,
}

/// What is done to each server.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Load {
    Steady,
    Storm,
}

impl Load {
    const ALL: [Self; 2] = [Self::Steady, Self::Storm];

    fn name(self) -> &'static str {
        match self {
            Self::Steady => "steady",
            Self::Storm => "storm",
        }
    }

    fn rounds(self) -> u32 {
        match self {
            Self::Steady => 4,
            Self::Storm => 3,
        }
    }

    /// Its plan.
    fn plan(self) -> PathBuf {
        root().join(format!("scenarios/versus/{}.yaml", self.name()))
    }

    /// Where the result of that server is.
    fn result(self, server: &Server) -> PathBuf {
        root().join(INSTALLED).join(&server.server).join(format!("{}.json", self.name()))
    }
}

/// A server, and what was measured.
struct Measured {
    server: Server,
    steady: Vec<Outcome>,
    storm: Vec<Outcome>,
}

impl Measured {
    fn outcomes(&self, load: Load) -> &[Outcome] {
        match load {
            Load::Steady => &self.steady,
            Load::Storm => &self.storm,
        }
    }
}

pub(crate) fn run(arguments: &Versus) -> anyhow::Result<()> {
    if arguments.page {
        return write();
    }
    let servers = described("versus", "versus.yaml", &arguments.names, |one: &Server| &one.server)?;
    let program = match &arguments.sseproof {
        Some(program) => program.canonicalize().context("find the program of --sseproof")?,
        None => measured::release()?,
    };
    let mut failures = Vec::new();
    for server in &servers {
        println!("== {}: {}", server.server, server.about);
        if let Err(error) = measure(server, &program, arguments.rounds) {
            println!("!! {} is not measured: {error:#}", server.server);
            failures.push(format!("{}: {error:#}", server.server));
        }
    }
    write()?;
    if !failures.is_empty() {
        bail!(
            "{} of {} servers were not measured:\n{}",
            failures.len(),
            servers.len(),
            failures.join("\n")
        );
    }
    Ok(())
}

/// Writes the page of all results that there are, and keeps what somebody has written in it.
fn write() -> anyhow::Result<()> {
    let mut all = Vec::new();
    for server in described("versus", "versus.yaml", &[], |one: &Server| &one.server)? {
        let [steady, storm] = Load::ALL.map(|load| measured::read(&load.result(&server)));
        match (steady, storm) {
            (Ok(steady), Ok(storm)) => all.push(Measured { server, steady, storm }),
            (Err(error), _) | (_, Err(error)) => {
                println!("{PAGE} has nothing of {}: {error:#}", server.server);
            }
        }
    }
    let path = root().join(PAGE);
    // There is none at first.
    let before = fs::read_to_string(&path).unwrap_or_default();
    fs::write(&path, page::page(&all, &before)).with_context(|| format!("write {PAGE}"))?;
    println!("wrote {PAGE}");
    Ok(())
}

fn measure(server: &Server, program: &Path, rounds: Option<u32>) -> anyhow::Result<()> {
    let missing: Vec<_> = server.needs.iter().filter(|(what, _)| !is_there(what)).collect();
    if !missing.is_empty() {
        let each = missing.iter().map(|(what, how)| format!("{what} is missing; get {how}"));
        bail!("{}", each.collect::<Vec<_>>().join("; "));
    }
    let folder = root().join(INSTALLED).join(&server.server);
    crate::peers::copy(&root().join("scenarios/versus").join(&server.server), &folder)?;
    for command in &server.install {
        crate::run(&folder, command)?;
    }
    let start = shlex::try_join(server.start.iter().map(String::as_str)).context("join `start`")?;
    for load in Load::ALL {
        let port = free_port()?;
        let url = |scheme: &str, path: &str| format!("{scheme}://127.0.0.1:{port}/{path}");
        let rounds = rounds.unwrap_or_else(|| load.rounds()).to_string();
        let status = Command::new(program)
            .arg("load")
            .arg(load.plan())
            .args(["--url", &url("http", "events"), "--versus", &url("ws", "ws")])
            .args(["--rounds", &rounds, "--server-cmd", &start, "--json"])
            .arg(load.result(server))
            .env("PORT", port.to_string())
            .current_dir(&folder)
            .status()
            .with_context(|| format!("start {}", program.display()))?;
        // Where the generator was the bottleneck, the page says so.
        if !matches!(status.code(), Some(0 | 1)) {
            bail!("sseproof load ended with {status}");
        }
    }
    Ok(())
}

/// Whether there is such a program, or such a file.
fn is_there(what: &str) -> bool {
    if what.contains('/') {
        return Path::new(what).exists();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(what).is_file())
}

fn free_port() -> anyhow::Result<u16> {
    let mut ports = PORTS;
    ports.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).context("find a free port")
}
