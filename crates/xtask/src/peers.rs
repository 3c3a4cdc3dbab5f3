//! Real servers of others: installed, started, checked, compared with the expected results.
//!
//! Their whole results are not committed: they are megabytes, and each run has other times.
//! `reports/matrix.json` keeps every verdict, and `reports/peers.md` is made from it, with a manual
//! check for each failure; a failure that is not expected, or is expected and missing, fails the run.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, bail};
use serde::Deserialize;
use sseproof_report::Report;
use sseproof_rules::Status;
use sseproof_site::{Group, Kind, Matrix, Subject, table};

use crate::described::described;
use crate::{matrix, measured, root};

/// The build that checks: nothing is measured here, so the quick one.
const PROFILE: &str = "release";
/// How long a server may take to answer on its port.
const WAIT: &str = "60s";
/// How many peers are checked at a time.
const AT_A_TIME: usize = 4;
static DEBIAN: Mutex<()> = Mutex::new(());
/// How to check the peer, beside its `peer.yaml`; the ports are in the environment.
const TARGET: &str = "sseproof.yaml";
const REPORT: &str = "report.json";
const UPSTREAM: &str = "upstream";
/// The rules that compare a proxy with its upstream server.
const COMPARED: &str = "proxy/";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Peer {
    peer: String,
    about: String,
    versions: Vec<String>,
    install: Vec<Vec<String>>,
    #[serde(default)]
    apt: Vec<String>,
    /// The command that starts it, with `PORT` in its environment, and the port of the server
    /// behind a proxy in `UPSTREAM_PORT`.
    start: Vec<String>,
    /// The path of the stream, if it is a proxy: the stream through it is also compared with the
    /// stream of the upstream server.
    #[serde(default)]
    behind: Option<String>,
    #[serde(default)]
    also: Vec<Also>,
    /// The rules that it is known to break, each with a manual check.
    expect: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Also {
    target: String,
    /// The beginning of the ids of the profile's rules.
    rules: String,
}

pub(crate) fn run(names: &[String]) -> anyhow::Result<()> {
    let root = root();
    build()?;
    let peers = described("peers", "peer.yaml", names, |peer: &Peer| &peer.peer)?;
    let (results, failures) = check_all(peers)?;
    let mut surprises: Vec<String> =
        results.iter().flat_map(|(peer, report)| compare(peer, report)).collect();
    surprises.extend(failures.iter().map(|failure| format!("{failure:#}")));
    let judged = results.iter().map(|(peer, report)| peer.judged(report));
    let matrix = matrix::keep(judged)?;
    let peers = described("peers", "peer.yaml", &[], |peer: &Peer| &peer.peer)?;
    fs::write(root.join("reports/peers.md"), page(&peers, &matrix))
        .context("write reports/peers.md")?;
    println!("wrote reports/peers.md");
    for surprise in &surprises {
        println!("{surprise}");
    }
    if !surprises.is_empty() {
        bail!("{} results are not what scenarios/peers/ expects", surprises.len());
    }
    Ok(())
}

impl Peer {
    pub(crate) fn name(&self) -> &str {
        &self.peer
    }

    fn folder(&self) -> PathBuf {
        root().join("target/peers").join(&self.peer)
    }

    /// The part of its report that is kept.
    fn judged(&self, report: &Report) -> matrix::Judged {
        let kind = match (&self.behind, &report.profile) {
            (Some(_), _) => Kind::Proxy,
            (None, Some(_)) => Kind::Protocol,
            (None, None) => Kind::Server,
        };
        Subject::of(kind, (&self.peer, &self.about), self.versions.clone(), report)
    }
}

/// Builds the program that checks.
pub(crate) fn build() -> anyhow::Result<()> {
    measured::build(PROFILE, &[]).map(drop)
}

/// The peers of these names, or all, that have been installed and checked.
pub(crate) fn installed(names: &[String]) -> anyhow::Result<Vec<Peer>> {
    let mut peers = described("peers", "peer.yaml", names, |peer: &Peer| &peer.peer)?;
    peers.retain(|peer| peer.folder().join(REPORT).exists());
    Ok(peers)
}

/// Checks an installed peer again, with these options.
pub(crate) fn again(peer: &Peer, options: &[&str]) -> anyhow::Result<Report> {
    let folder = peer.folder();
    sseproof(peer, &folder, &folder.join("again.json"), TARGET, None, options)
}

/// Checks the embedded server with these options.
pub(crate) fn embedded(options: &[&str]) -> anyhow::Result<Report> {
    let json = root().join("target/embedded.json");
    let status = Command::new(measured::program(PROFILE))
        .args(["check", "--reference", "--quiet", "--json"])
        .arg(&json)
        .args(options)
        .status()
        .context("start sseproof")?;
    if !status.success() {
        bail!("sseproof check --reference ended with {status}");
    }
    read(&json)
}

pub(crate) fn read(json: &Path) -> anyhow::Result<Report> {
    let text = fs::read_to_string(json).with_context(|| format!("read {}", json.display()))?;
    sseproof_report::json::read(&text).with_context(|| format!("read {}", json.display()))
}

type Checked = (Vec<(Peer, Report)>, Vec<anyhow::Error>);

/// Checks several peers at a time: most of a check is waiting.
fn check_all(peers: Vec<Peer>) -> anyhow::Result<Checked> {
    copy(
        &root().join("scenarios/peers").join(UPSTREAM),
        &root().join("target/peers").join(UPSTREAM),
    )?;
    let waiting = Mutex::new(peers.into_iter().enumerate());
    let done = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                loop {
                    let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
                    let Some((place, peer)) = next else { return };
                    println!("== {}: {}", peer.peer, peer.about);
                    let report = check(&peer).with_context(|| format!("check {}", peer.peer));
                    let result = report.map(|report| (peer, report));
                    done.lock().unwrap_or_else(PoisonError::into_inner).insert(place, result);
                }
            });
        }
    });
    let done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    let (mut checked, mut failures) = (Vec::new(), Vec::new());
    for result in done.into_values() {
        match result {
            Ok(result) => checked.push(result),
            Err(error) => failures.push(error),
        }
    }
    Ok((checked, failures))
}

fn check(peer: &Peer) -> anyhow::Result<Report> {
    let root = root();
    let folder = peer.folder();
    copy(&root.join("scenarios/peers").join(&peer.peer), &folder)?;
    // Two installations at a time would wait for Debian's lock.
    let alone = DEBIAN.lock().unwrap_or_else(PoisonError::into_inner);
    for package in &peer.apt {
        let known = Command::new("dpkg").args(["-s", package]).output().context("start dpkg")?;
        if !known.status.success() {
            // Another program may hold Debian's lock, too.
            let lock = "DPkg::Lock::Timeout=600";
            crate::run(&folder, &["apt-get", "-o", lock, "install", "-y", "-qq", package])?;
        }
    }
    drop(alone);
    for command in &peer.install {
        crate::run(&folder, command)?;
    }
    let json = folder.join(REPORT);
    let mut report = sseproof(peer, &folder, &json, TARGET, None, &[])?;
    let beside = folder.join("beside.json");
    if let Some(path) = &peer.behind {
        let compared = sseproof(peer, &folder, &beside, TARGET, Some(path), &[])?;
        report.findings.retain(|finding| !finding.rule.starts_with(COMPARED));
        report.findings.extend(compared.findings);
    }
    for also in &peer.also {
        let mut other = sseproof(peer, &folder, &beside, &also.target, None, &[])?;
        other.findings.retain(|finding| finding.rule.starts_with(&also.rules));
        report.findings.extend(other.findings);
    }
    let text = sseproof_report::json::render(&report);
    fs::write(&json, text).with_context(|| format!("write {}", json.display()))?;
    Ok(report)
}

/// One check of the peer as its target file says, or of its upstream server through the peer as
/// the proxy, both at that path.
fn sseproof(
    peer: &Peer,
    folder: &Path,
    json: &Path,
    target: &str,
    behind: Option<&str>,
    options: &[&str],
) -> anyhow::Result<Report> {
    let start = shlex::try_join(peer.start.iter().map(String::as_str)).context("join `start`")?;
    let (port, upstream) = (free_port()?.to_string(), free_port()?.to_string());
    let mut command = Command::new(measured::program(PROFILE));
    command.args(["check", "--target", target, "--start", &start, "--wait-for", WAIT]);
    command.args(["--quiet", "--json"]).arg(json).args(options);
    if let Some(path) = behind {
        let url = |port: &str| format!("http://127.0.0.1:{port}{path}");
        command.args([url(&upstream), "--via".to_owned(), url(&port)]);
        command.args(["--active", "GET /active", "--only", "proxy/*"]);
    }
    let status = command
        .env("PORT", port)
        .env("UPSTREAM_PORT", upstream)
        .current_dir(folder)
        .status()
        .context("start sseproof")?;
    if !matches!(status.code(), Some(0 | 1)) {
        bail!("sseproof check ended with {status}");
    }
    read(json)
}

pub(crate) fn free_port() -> anyhow::Result<u16> {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .context("find a free port")
}

/// Failures that are not expected, and expected failures that are missing; advice is not compared.
fn compare(peer: &Peer, report: &Report) -> Vec<String> {
    let failing: Vec<_> = report
        .findings
        .iter()
        .filter(|finding| finding.status == Status::Fail)
        .map(|finding| (finding.rule.as_str(), finding.level))
        .collect();
    let unexpected = failing
        .iter()
        .filter(|(rule, level)| {
            *level != sseproof_rules::Level::Advice && !peer.expect.contains_key(*rule)
        })
        .map(|(rule, _)| format!("{}: {rule} fails, which is not expected", peer.peer));
    let decided = |rule: &String| {
        let of_rule = report.findings.iter().filter(|finding| finding.rule == *rule);
        of_rule.map(|finding| finding.status).all(|status| status != Status::Inconclusive)
    };
    // An inconclusive rule does not disprove a manual check.
    let missing = peer
        .expect
        .keys()
        .filter(|rule| !failing.iter().any(|(failing, _)| failing == rule) && decided(rule))
        .map(|rule| format!("{}: {rule} is expected to fail, but does not", peer.peer));
    unexpected.chain(missing).collect()
}

fn page(peers: &[Peer], matrix: &Matrix) -> String {
    let mut out = String::from(
        "# sseproof on servers of others\n\nMade by `cargo xtask peers`, which keeps the whole result of each in `target/peers/NAME/report.json`.\nThe failures are [below](#failures-checked-by-hand).\n",
    );
    let groups = [
        (Group::Servers, Kind::Server),
        (Group::Proxies, Kind::Proxy),
        (Group::Protocols, Kind::Protocol),
    ];
    for (group, kind) in groups {
        let subjects: Vec<&Subject> = matrix.of(group).collect();
        out.push_str(&format!(
            "\n## {}\n\n| peer | description | versions |\n|---|---|---|\n",
            kind.title()
        ));
        for Subject { name, about, versions, .. } in &subjects {
            let versions = versions.join(", ");
            out.push_str(&format!(
                "| [{name}](../scenarios/peers/{name}) | {about} | {versions} |\n"
            ));
        }
        out.push('\n');
        out.push_str(&table(matrix, &subjects));
    }
    out.push_str("\n## Failures, checked by hand\n\nEach of these findings was reproduced without sseproof, most with a raw socket.\nAdvice is not listed.\n");
    for peer in peers.iter().filter(|peer| !peer.expect.is_empty()) {
        let is_it = |one: &&Subject| {
            one.name == peer.peer && one.kind.group().scenarios() == Group::Servers.scenarios()
        };
        let Some(subject) = matrix.subjects.iter().find(is_it) else { continue };
        out.push_str(&format!("\n### {}\n\n", peer.peer));
        for (rule, reason) in &peer.expect {
            if subject.status(rule) != Some(Status::Fail) {
                continue;
            }
            let level = matrix.level(rule).word();
            let message = subject.message(rule).unwrap_or_default();
            out.push_str(&format!("- `{rule}` ({level}): {message}.\n  {reason}\n"));
        }
    }
    out
}

/// Copies the folder again, but keeps the files of an earlier installation.
pub(crate) fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to).with_context(|| format!("make {}", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("read {}", from.display()))? {
        let path = entry.with_context(|| format!("read {}", from.display()))?.path();
        let Some(name) = path.file_name() else { continue };
        let place = to.join(name);
        if path.is_dir() {
            copy(&path, &place)?;
        } else {
            fs::copy(&path, &place).with_context(|| format!("copy {}", path.display()))?;
        }
    }
    Ok(())
}
