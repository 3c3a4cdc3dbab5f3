//! Real clients of others: installed, checked, compared with the expected results.

mod page;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};
use sseproof_client_rules::{ClientRecord, Kind, read_client_recording};
use sseproof_report::Report;
use sseproof_rules::{Level, Status};

use crate::browser::in_path;
use crate::libraries::{Library, libraries};
use crate::{matrix, measured, root};

const REPORT: &str = "reports/clients.md";
const PROFILE: &str = "release";
/// The files that a check leaves in the folder of a client.
const RESULT: &str = "report.json";
const RECORD: &str = "record.jsonl";
/// How long a client may take to say hello: an interpreter loads large packages.
const HELLO: &str = "60s";

struct Checked {
    client: Library,
    record: ClientRecord,
    report: Report,
}

impl Checked {
    fn kind(&self) -> Kind {
        self.record.client.kind
    }

    fn versions(&self) -> Vec<String> {
        let client = &self.record.client;
        match &self.client.versions[..] {
            [] => vec![format!("{} {}", client.name, client.version)],
            versions => versions.to_vec(),
        }
    }

    /// The part of its report that is kept.
    fn judged(&self) -> matrix::Judged {
        let kind = match self.kind() {
            Kind::Eventsource => sseproof_site::Kind::Eventsource,
            Kind::Resilient => sseproof_site::Kind::OwnPolicy,
            Kind::Reader => sseproof_site::Kind::Reader,
        };
        let Library { name, about, .. } = &self.client;
        sseproof_site::Subject::of(kind, (name, about), self.versions(), &self.report)
    }
}

pub(crate) fn run(names: &[String]) -> anyhow::Result<()> {
    let program = measured::build(PROFILE, &[])?;
    for client in libraries("client", names)? {
        match obstacle(&client) {
            None => {
                println!("== {}", client.name);
                check(&program, &client)?;
            }
            Some(why) => eprintln!("SKIPPED: {}: {why}.", client.name),
        }
    }
    report()
}

/// Writes the results of the last checks of all clients, and compares them with what is expected.
pub(crate) fn report() -> anyhow::Result<()> {
    let (mut results, mut others) = (Vec::new(), Vec::new());
    for client in libraries("client", &[])? {
        // A browser that is gone may have been checked before.
        match obstacle(&client).filter(|_| !folder(&client).join(RESULT).exists()) {
            None => results.push(read(client)?),
            Some(why) => others.push((client, why)),
        }
    }
    matrix::keep(results.iter().map(Checked::judged))?;
    fs::write(root().join(REPORT), page::page(&results, &others))
        .with_context(|| format!("write {REPORT}"))?;
    println!("wrote {REPORT}");
    let surprises: Vec<String> = results.iter().flat_map(compare).collect();
    for surprise in &surprises {
        println!("{surprise}");
    }
    if !surprises.is_empty() {
        bail!("{} results are not what scenarios/clients/ expects", surprises.len());
    }
    Ok(())
}

/// Why the client cannot be checked.
fn obstacle(client: &Library) -> Option<String> {
    let browser = client.browser.as_ref().filter(|browser| in_path(browser).is_none())?;
    Some(format!("{browser} is not installed"))
}

fn folder(client: &Library) -> PathBuf {
    root().join("target/clients").join(&client.name)
}

/// Its results stay in its folder.
fn check(program: &Path, client: &Library) -> anyhow::Result<()> {
    let folder = client.install("client")?;
    let mut command = Command::new(program);
    command.args(["check-client", "--quiet", "--json", RESULT, "--record", RECORD]);
    command.args(["--timeout", HELLO]);
    command.args(client.profile.iter().flat_map(|profile| ["--profile", profile]));
    match &client.browser {
        Some(browser) => command.args(["--browser", browser]),
        None => command.arg("--").args(&client.command),
    };
    let status = command.current_dir(&folder).status().context("start sseproof")?;
    if !matches!(status.code(), Some(0 | 1)) {
        bail!("sseproof check-client ended with {status} for {}", client.name);
    }
    Ok(())
}

/// The results of its last check.
fn read(client: Library) -> anyhow::Result<Checked> {
    let folder = folder(&client);
    let context = || format!("read the results of {}", client.name);
    let text = fs::read_to_string(folder.join(RECORD)).with_context(context)?;
    let record = read_client_recording(&text).with_context(context)?;
    let report = crate::peers::read(&folder.join(RESULT))?;
    Ok(Checked { client, record, report })
}

/// The differences from what is expected; advice is not compared.
fn compare(Checked { client, report, .. }: &Checked) -> Vec<String> {
    let failing = |finding: &&sseproof_report::Judged| finding.status == Status::Fail;
    let failing: Vec<_> = report.findings.iter().filter(failing).collect();
    let binding = failing.iter().filter(|finding| {
        finding.level != Level::Advice || client.expect.contains_key(&finding.rule)
    });
    let binding: Vec<_> = binding.map(|finding| finding.rule.as_str()).collect();
    client.surprises(&binding, |rule| {
        let inconclusive = |finding: &sseproof_report::Judged| {
            finding.rule == rule && finding.status == Status::Inconclusive
        };
        !report.findings.iter().any(inconclusive)
    })
}
