//! The corpus in a real browser: headless Chromium reads it, and the page compares.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use std::{env, fs};

use anyhow::{Context as _, bail};
use serde::Deserialize;
use sseproof_check_client::browser_command;
use sseproof_check_parser::{Browser, Served};
use sseproof_net::Lab;
use tokio::net::TcpListener;
use tokio::process::Child;
use tokio::sync::mpsc;

use crate::root;

/// The names of the program in Debian, Ubuntu, Google's package and others.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const PATIENCE: Duration = Duration::from_secs(600);
const KNOWN: &str = "scenarios/browsers/chromium.yaml";
const REPORT: &str = "reports/corpus-in-chromium.md";

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Found {
    user_agent: String,
    cases: usize,
    streams: usize,
    chunkings: usize,
    reconnections: usize,
    chunks_sent: usize,
    chunks_seen: usize,
    usual_delay: u64,
    differences: Vec<Difference>,
}

#[derive(Deserialize)]
struct Difference {
    stream: String,
    case: String,
    cuts: String,
    what: String,
}

type Known = BTreeMap<String, String>;

pub(crate) fn run(program: Option<PathBuf>, required: bool) -> anyhow::Result<()> {
    let Some(program) = program.or_else(installed) else {
        let missing = format!("there is no {} in PATH", NAMES.join(", "));
        if required {
            bail!("{missing}: install one, or pass it with --browser");
        }
        eprintln!("SKIPPED: {missing}, so no browser has read the corpus.");
        eprintln!("Install one (apt-get install chromium), or pass it with --browser.");
        return Ok(());
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let found = runtime.context("start a runtime")?.block_on(judge(&program))?;
    let version = version(&program)?;
    let known: Known = serde_yaml::from_str(
        &fs::read_to_string(root().join(KNOWN)).with_context(|| format!("read {KNOWN}"))?,
    )
    .map_err(|error| anyhow::anyhow!("{KNOWN}: {error}"))?;
    fs::write(root().join(REPORT), written(&version, &found, &known))
        .context("write the report")?;
    println!("wrote {REPORT}");
    let surprises = compare(&found, &known);
    for surprise in &surprises {
        println!("{surprise}");
    }
    if !surprises.is_empty() {
        bail!("{version} differs from the corpus in a way that {KNOWN} does not expect");
    }
    let chunkings = found.chunkings;
    println!("{version} reads {chunkings} streams as expected; {} cases differ", known.len());
    Ok(())
}

fn compare(found: &Found, known: &Known) -> Vec<String> {
    let new = found.differences.iter().filter(|one| !known.contains_key(&one.case));
    let new = new.map(|Difference { stream, cuts, what, .. }| format!("{stream} ({cuts}): {what}"));
    let differs = |case: &String| found.differences.iter().any(|one| one.case == *case);
    let gone = known.keys().filter(|case| !differs(case));
    let gone = gone.map(|case| format!("{case} is expected to differ, but does not"));
    new.chain(gone).collect()
}

pub(crate) fn installed() -> Option<PathBuf> {
    NAMES.iter().find_map(|name| in_path(name))
}

/// The program of this name.
pub(crate) fn in_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(name)).find(|program| program.is_file())
}

fn version(program: &Path) -> anyhow::Result<String> {
    let output = std::process::Command::new(program)
        .arg("--version")
        .output()
        .with_context(|| format!("start {}", program.display()))?;
    let version = String::from_utf8_lossy(&output.stdout);
    // Distributions append the system on which it was built.
    Ok(version.split(" built on ").next().unwrap_or_default().trim().to_owned())
}

async fn judge(program: &Path) -> anyhow::Result<Found> {
    let listener = TcpListener::bind("127.0.0.1:0").await.context("listen on 127.0.0.1")?;
    let address = listener.local_addr().context("read the port")?;
    let (results, mut result) = mpsc::unbounded_channel();
    let corpus = Browser::default();
    let lab = Lab::new(move |visit| match corpus.answer(visit.request) {
        Served::Plan(plan) => plan,
        Served::Result(plan, found) => {
            // After a timeout, the receiver is gone.
            let _ = results.send(found);
            plan
        }
    });
    tokio::spawn(async move { lab.listen(listener).await });
    let profile = tempfile::tempdir().context("make a folder for the browser")?;
    println!("{} reads the corpus from http://{address}/ …", program.display());
    let mut browser = start(program, profile.path(), &format!("http://{address}/"))?;
    let found = tokio::select! {
        found = result.recv() => found.context("the server has stopped")?,
        ended = browser.wait() => {
            let ended = ended.context("wait for the browser")?;
            bail!("{} exited before the page was done: {ended}", program.display());
        }
        () = tokio::time::sleep(PATIENCE) => {
            bail!("no result from the page within {} s", PATIENCE.as_secs());
        }
    };
    browser.kill().await.context("stop the browser")?;
    serde_json::from_str(&found).context("read the result of the page")
}

fn start(program: &Path, profile: &Path, url: &str) -> anyhow::Result<Child> {
    let mut command = browser_command(program, profile, url).context("prepare the profile")?;
    let command = command.stderr(Stdio::null()).kill_on_drop(true);
    command.spawn().with_context(|| format!("start {}", program.display()))
}

fn written(version: &str, found: &Found, known: &Known) -> String {
    let Found { user_agent, cases, streams, chunkings, reconnections, .. } = found;
    let Found { chunks_sent, chunks_seen, usual_delay, differences, .. } = found;
    let mut by_case: BTreeMap<&str, Vec<&Difference>> = BTreeMap::new();
    for difference in differences {
        by_case.entry(&difference.case).or_default().push(difference);
    }
    let mut out = format!(
        "# The corpus in Chromium\n\nMade by `cargo xtask browser`.\n\nThe `EventSource` of a real browser reads every case of the [corpus](../specs/corpus) in every line end, in one piece, byte by byte, and in each of the cuts that [corpus-expanded.json](../specs/corpus-expanded.json) has.\nThe types, data and last event IDs of the dispatched events are compared.\nEvery case is then read once more as it is written, until the browser reconnects: the pause and the `Last-Event-ID` are compared, too.\nA page cannot see comments and anomalies.\n\n| | |\n|---|---|\n| browser | {version} |\n| user agent | {user_agent} |\n| cases | {cases} |\n| in every line end | {streams} |\n| in every cut | {chunkings} |\n| reconnections | {reconnections}; without a `retry`, after {usual_delay} ms |\n| pace | of {chunks_sent} chunks of a byte each, a `fetch` of the page sees {chunks_seen} |\n| cases that differ | {} |\n",
        by_case.len()
    );
    for (case, all) in by_case {
        let why = known.get(case).map_or("Not explained yet.", String::as_str);
        let Difference { stream, cuts, what, .. } = all[0];
        let more = match all.len() - 1 {
            0 => String::new(),
            more => format!(", and {more} more"),
        };
        out.push_str(&format!(
            "\n## {case}\n\n{why}\n\nIn `{stream}` (cut: {cuts}){more}: {what}.\n"
        ));
    }
    out
}
