//! Server-Sent Events and WebSockets on real servers that offer both.
//!
//! Each server sends to both in the same manner, a loop or a channel as its library is used, so
//! that the comparison is of transports and not of programs. The conclusions in the page are
//! written by hand, between marks that are kept.

mod kept;
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
use sseproof_site::Versus as Kept;

use crate::described::described;
use crate::{measured, root};

const PAGE: &str = "reports/sse-vs-websocket.md";
/// The results of which the page is made: whole ones are megabytes, and not committed.
const RESULTS: &str = "reports/sse-vs-websocket.json";
const INSTALLED: &str = "target/versus";
/// Ports that the system never assigns to a client, so that a server that is restarted finds its
/// port free.
const PORTS: std::ops::Range<u16> = 21_000..32_000;

#[derive(Args)]
pub(crate) struct Versus {
    /// Only these; without a name, all of scenarios/versus/.
    names: Vec<String>,
    /// The number of rounds; by default 4 of the steady load and 3 of the storm.
    #[arg(long, value_name = "COUNT")]
    rounds: Option<u32>,
    /// Do not measure; write the page from earlier results.
    #[arg(long, conflicts_with_all = ["names", "rounds", "sseproof"])]
    page: bool,
    /// Measure with this program, instead of building one.
    #[arg(long, value_name = "PROGRAM")]
    sseproof: Option<PathBuf>,
}

/// A folder under `scenarios/versus/`: a server with `/events`, `/ws`, and `POST /publish`, whose
/// body it sends to every client.
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
    deflate: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sends {
    sse: String,
    websocket: String,
}

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

    fn plan(self) -> PathBuf {
        root().join(format!("scenarios/versus/{}.yaml", self.name()))
    }

    fn result(self, server: &Server) -> PathBuf {
        root().join(INSTALLED).join(&server.server).join(format!("{}.json", self.name()))
    }
}

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
        None => measured::published()?,
    };
    let mut failures = Vec::new();
    for server in &servers {
        println!("== {}: {}", server.server, server.about);
        if let Err(error) = measure(server, &program, arguments.rounds) {
            println!("!! {} was not measured: {error:#}", server.server);
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

/// Writes the page from all results, those of the last measurement of each server, and keeps the text
/// written by hand.
fn write() -> anyhow::Result<()> {
    let earlier = kept().unwrap_or_default();
    let mut all = Kept { machine: earlier.machine, servers: Vec::new() };
    for server in described("versus", "versus.yaml", &[], |one: &Server| &one.server)? {
        let earlier = earlier.servers.iter().find(|one| one.name == server.server);
        let [steady, storm] = Load::ALL.map(|load| measured::read(&load.result(&server)));
        match (steady, storm, earlier) {
            (Ok(steady), Ok(storm), _) => {
                all.machine = page::machine();
                all.servers.push(kept::kept(&Measured { server, steady, storm }));
            }
            (_, _, Some(earlier)) => all.servers.push(earlier.clone()),
            (Err(error), ..) | (_, Err(error), _) => {
                println!("no results for {}: {error:#}", server.server);
            }
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

fn measure(server: &Server, program: &Path, rounds: Option<u32>) -> anyhow::Result<()> {
    let missing: Vec<_> = server.needs.iter().filter(|(what, _)| !is_there(what)).collect();
    if !missing.is_empty() {
        let each = missing.iter().map(|(need, how)| format!("{need} is missing; get {how}"));
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
        // If the generator was the bottleneck, the page says so.
        if !matches!(status.code(), Some(0 | 1)) {
            bail!("sseproof load ended with {status}");
        }
    }
    Ok(())
}

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
