//! Real clients of others: installed, checked, compared with the expected results.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};
use sseproof_client_rules::{Kind, read_client_recording};
use sseproof_report::Report;
use sseproof_rules::{Level, Status};

use crate::libraries::{Library, explained, libraries, row, table};
use crate::{measured, root};

const REPORT: &str = "reports/clients.md";
const PROFILE: &str = "release";
/// The files that a check leaves in the folder of a client.
const RESULT: &str = "report.json";
const RECORD: &str = "record.jsonl";
/// The protocol in which no case answers.
const NOT_SERVED: &str = "mcp";
/// The kinds of clients, and the heading of their table.
const KINDS: [(Kind, &str); 3] = [
    (Kind::Eventsource, "Clients that follow the standard of `EventSource`"),
    (Kind::Resilient, "Clients that reconnect by a policy of their own"),
    (Kind::Reader, "Readers of one response"),
];

struct Checked {
    client: Library,
    kind: Kind,
    report: Report,
}

pub(crate) fn run(names: &[String]) -> anyhow::Result<()> {
    let program = measured::build(PROFILE)?;
    let readable = |client: &Library| client.profile.as_deref() != Some(NOT_SERVED);
    for client in libraries("client", names)?.iter().filter(|client| readable(client)) {
        println!("== {}", client.name);
        check(&program, client)?;
    }
    let (all, others): (Vec<_>, Vec<_>) =
        libraries("client", &[])?.into_iter().partition(|client| readable(client));
    let results = all.into_iter().map(read).collect::<anyhow::Result<Vec<_>>>()?;
    fs::write(root().join(REPORT), page(&results, &others))
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

/// Its results stay in its folder.
fn check(program: &Path, client: &Library) -> anyhow::Result<()> {
    let folder = client.install("client")?;
    let status = Command::new(program)
        .args(["check-client", "--quiet", "--json", RESULT, "--record", RECORD])
        .args(client.profile.iter().flat_map(|profile| ["--profile", profile]))
        .arg("--")
        .args(&client.command)
        .current_dir(&folder)
        .status()
        .context("start sseproof")?;
    if !matches!(status.code(), Some(0 | 1)) {
        bail!("sseproof check-client ended with {status} for {}", client.name);
    }
    Ok(())
}

/// The results of its last check.
fn read(client: Library) -> anyhow::Result<Checked> {
    let folder = root().join("target/clients").join(&client.name);
    let context = || format!("read the results of {}", client.name);
    let text = fs::read_to_string(folder.join(RECORD)).with_context(context)?;
    let kind = read_client_recording(&text).with_context(context)?.client.kind;
    let report = crate::peers::read(&folder.join(RESULT))?;
    Ok(Checked { client, kind, report })
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

/// Why the client cannot be asked.
fn reason(client: &Library) -> String {
    let profile = client.profile.as_deref().unwrap_or_default();
    format!("it only reads streams of the protocol {profile}")
}

fn page(results: &[Checked], others: &[Library]) -> String {
    let mut out = String::from(
        "# sseproof on clients of others\n\nMade by `cargo xtask clients`.\n✓ holds, **✗** breaks a must, ✗ breaks a should or an advice, ? is inconclusive, – could not be asked: the client has not the option, or the rule is not for its kind.\n\n",
    );
    out.push_str(&table("client", results.iter().map(|checked| &checked.client)));
    for (kind, title) in KINDS {
        let of_kind: Vec<_> = results.iter().filter(|checked| checked.kind == kind).collect();
        if !of_kind.is_empty() {
            out.push_str(&format!("\n## {title}\n\n{}", matrix(&of_kind)));
        }
    }
    if !others.is_empty() {
        out.push_str("\n## Not checked\n\n");
    }
    for client in others {
        out.push_str(&format!("- {}: {}.\n", client.name, reason(client)));
    }
    out.push_str(&explained(results.iter().map(|checked| &checked.client)));
    out
}

/// Each rule that at least one of them could be asked.
fn matrix(results: &[&Checked]) -> String {
    let mut out = String::new();
    row(&mut out, "| rule | level", results.iter().map(|checked| checked.client.name.clone()));
    row(&mut out, "|---|---", results.iter().map(|_| ":-:".to_owned()));
    let of = |checked: &Checked| {
        let findings = checked.report.findings.iter();
        findings.map(|finding| (finding.rule.clone(), finding.status)).collect()
    };
    let all: Vec<BTreeMap<String, Status>> = results.iter().map(|checked| of(checked)).collect();
    let findings = results.first().into_iter().flat_map(|checked| &checked.report.findings);
    for finding in findings {
        let cells: Vec<_> = all
            .iter()
            .map(|statuses| match (statuses.get(&finding.rule), finding.level) {
                (Some(Status::Pass), _) => "✓",
                (Some(Status::Fail), Level::Must) => "**✗**",
                (Some(Status::Fail), _) => "✗",
                (Some(Status::Inconclusive), _) => "?",
                (Some(Status::Skip) | None, _) => "–",
            })
            .collect();
        if cells.iter().any(|cell| *cell != "–") {
            let first = format!("| `{}` | {}", finding.rule, finding.level.word());
            row(&mut out, &first, cells.into_iter().map(str::to_owned));
        }
    }
    out
}
