//! Small servers with one fault each, made after public bug reports, and right ones beside them.
//!
//! `scenarios/bugs/bugs.yaml` says of each what sseproof must say: a rule that fails, with a part
//! of its message. A failure of any other rule than advice is a false alarm.
//! With `load` the server is put under load instead, and the exit code and texts are compared.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpStream;
use std::path::{self, Path};
use std::process::{Command, Output};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde::Deserialize;
use sseproof_report::Report;
use sseproof_rules::{Level, Status};

use crate::{measured, peers, root};

const FOLDER: &str = "scenarios/bugs";
/// How many servers are checked at a time: most of a check is waiting.
const AT_A_TIME: usize = 6;
/// How long a server may take to listen.
const START: Duration = Duration::from_secs(30);

/// A file of the folder, and what is known of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bug {
    file: String,
    /// The public reports; empty for a server without a fault.
    #[serde(default, rename = "after")]
    _after: String,
    /// The fault, or why the server is right.
    #[serde(rename = "truth")]
    _truth: String,
    #[serde(default = "events_path")]
    path: String,
    /// Options of `sseproof check`, besides the URL and `--start`.
    #[serde(default)]
    args: Vec<String>,
    /// The rules that must fail, each with a part of its message or consequence.
    #[serde(default)]
    breaks: BTreeMap<String, String>,
    /// Rules that may fail beside them, each with the reason.
    #[serde(default)]
    also: BTreeMap<String, String>,
    /// Checks `sseproof load` and not `sseproof check`.
    load: Option<Load>,
}

/// A run of `sseproof load`, and what it must end with.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Load {
    /// Options, besides the URL.
    args: Vec<String>,
    exit: i32,
    /// Parts of the output.
    says: Vec<String>,
}

fn events_path() -> String {
    "/events".to_owned()
}

/// Checks all, or these files, and fails if one result is not the expected one.
pub(crate) fn run(names: &[String], required: bool, sseproof: Option<&Path>) -> anyhow::Result<()> {
    let file = root().join(FOLDER).join("bugs.yaml");
    let text = fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?;
    let all: Vec<Bug> = serde_yaml::from_str(&text)
        .map_err(|error| anyhow::anyhow!("{}: {error}", file.display()))?;
    if let Some(missing) = names.iter().find(|name| !all.iter().any(|bug| bug.file == **name)) {
        bail!("no {missing:?} in {FOLDER}/bugs.yaml");
    }
    let mut absent = Vec::new();
    for program in ["python3", "node"] {
        if Command::new(program).arg("--version").output().is_err() {
            absent.push(program);
        }
    }
    if required && !absent.is_empty() {
        bail!("not installed: {}", absent.join(", "));
    }
    let sseproof = match sseproof {
        // The servers have another folder.
        Some(program) => path::absolute(program).context("find the program")?,
        None => {
            crate::run(&root(), &["cargo", "build", "--quiet", "--package", "sseproof"])?;
            measured::program("debug")
        }
    };
    let named = |bug: &&Bug| names.is_empty() || names.contains(&bug.file);
    let (possible, skipped): (Vec<&Bug>, Vec<&Bug>) =
        all.iter().filter(named).partition(|bug| !absent.contains(&bug.program()));
    for bug in skipped {
        println!("{}: SKIPPED, {} is not installed", bug.name(), bug.program());
    }
    let waiting = Mutex::new(possible.into_iter());
    let different = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                loop {
                    let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
                    let Some(bug) = next else { return };
                    match bug.faults(&sseproof).len() {
                        0 => println!("{}: as expected", bug.name()),
                        _ => different.lock().unwrap_or_else(PoisonError::into_inner).push(bug),
                    }
                }
            });
        }
    });
    let mut wrong = 0;
    // Beside others on a busy machine a check may be too slow to tell: it is repeated alone.
    for bug in different.into_inner().unwrap_or_else(PoisonError::into_inner) {
        let faults = bug.faults(&sseproof);
        let result = if faults.is_empty() { "as expected, alone" } else { "NOT AS EXPECTED" };
        println!("{}: {result}", bug.name());
        faults.iter().for_each(|fault| println!("  {fault}"));
        wrong += faults.len();
    }
    if wrong > 0 {
        bail!("{wrong} results are not what {FOLDER}/bugs.yaml expects");
    }
    Ok(())
}

impl Bug {
    fn name(&self) -> String {
        let load = if self.load.is_some() { ", load" } else { "" };
        format!("{}{load}", self.file)
    }

    fn program(&self) -> &'static str {
        if self.file.ends_with(".js") { "node" } else { "python3" }
    }

    /// The differences from the expectation in a new check.
    fn faults(&self, sseproof: &Path) -> Vec<String> {
        let faults = match &self.load {
            Some(load) => self.put_under_load(sseproof, load),
            None => self.check(sseproof).map(|report| self.compare(&report)),
        };
        faults.unwrap_or_else(|error| vec![format!("{error:#}")])
    }

    fn put_under_load(&self, sseproof: &Path, load: &Load) -> anyhow::Result<Vec<String>> {
        let port = peers::free_port()?;
        let mut server = Command::new(self.program())
            .args([&self.file, &port.to_string()])
            .current_dir(root().join(FOLDER))
            .spawn()
            .with_context(|| format!("start {}", self.file))?;
        let output = self.load_output(sseproof, load, port);
        server.kill().and_then(|()| server.wait()).context("end the server")?;
        let output = output?;
        let (text, errors) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let mut faults = Vec::new();
        if output.status.code() != Some(load.exit) {
            faults.push(format!("the exit code should be {}: {}", load.exit, output.status));
        }
        let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let unsaid = load.says.iter().filter(|part| !one_line.contains(part.as_str()));
        faults.extend(unsaid.map(|part| format!("{part:?} is not in: {text}{errors}")));
        Ok(faults)
    }

    fn load_output(&self, sseproof: &Path, load: &Load, port: u16) -> anyhow::Result<Output> {
        let deadline = Instant::now() + START;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if Instant::now() > deadline {
                bail!("{} does not listen after {} s", self.file, START.as_secs());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Command::new(sseproof)
            .arg("load")
            .args(&load.args)
            .args(["--url", &format!("http://127.0.0.1:{port}{}", self.path)])
            .current_dir(root().join(FOLDER))
            .output()
            .context("start sseproof")
    }

    fn check(&self, sseproof: &Path) -> anyhow::Result<Report> {
        let port = peers::free_port()?;
        let json = tempfile::NamedTempFile::new().context("make a file for the result")?;
        let output = Command::new(sseproof)
            .arg("check")
            .arg(format!("http://127.0.0.1:{port}{}", self.path))
            .args(["--start", &format!("{} {} {port}", self.program(), self.file)])
            .args(["--wait-for", "30s", "--quiet", "--json"])
            .arg(json.path())
            .args(&self.args)
            .current_dir(root().join(FOLDER))
            .output()
            .context("start sseproof")?;
        if !matches!(output.status.code(), Some(0 | 1)) {
            let text = String::from_utf8_lossy(&output.stderr);
            bail!("sseproof check ended with {}: {text}", output.status);
        }
        peers::read(json.path())
    }

    /// The differences from the expectation.
    fn compare(&self, report: &Report) -> Vec<String> {
        let failing: Vec<_> =
            report.findings.iter().filter(|finding| finding.status == Status::Fail).collect();
        let missing = self.breaks.iter().filter_map(|(rule, part)| {
            let Some(finding) = failing.iter().find(|finding| finding.rule == *rule) else {
                let of_rule = report.findings.iter().find(|finding| finding.rule == *rule);
                let note = of_rule.map_or("is not a rule of this check", |finding| &finding.note);
                return Some(format!("{rule} should fail, but: {note}"));
            };
            let texts: Vec<_> = finding.evidence.iter().map(text).collect();
            let is_named = texts.iter().any(|text| text.contains(part.as_str()));
            (!is_named).then(|| format!("{rule} does not say {part:?}, but: {}", texts.join(" / ")))
        });
        let known = |rule: &str| self.breaks.contains_key(rule) || self.also.contains_key(rule);
        let alarms = failing
            .iter()
            .filter(|finding| finding.level != Level::Advice && !known(&finding.rule))
            .map(|finding| {
                let said = finding.evidence.first().map(text).unwrap_or_default();
                format!("{} fails, which is not expected: {said}", finding.rule)
            });
        missing.chain(alarms).collect()
    }
}

fn text(evidence: &sseproof_rules::Evidence) -> String {
    let consequence = evidence.consequence.as_deref().unwrap_or_default();
    format!("{}; {consequence}", evidence.message)
}
