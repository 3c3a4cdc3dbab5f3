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
    let (mut results, mut others) = (Vec::new(), Vec::new());
    let mut surprises = Vec::new();
    for client in libraries("client", names)? {
        println!("== {}", client.name);
        // The cases are no answers of that protocol.
        if client.profile.is_some() {
            others.push(client);
            continue;
        }
        let checked = check(&program, client)?;
        surprises.extend(compare(&checked.client, &checked.report));
        results.push(checked);
    }
    for client in &others {
        println!("{}: SKIPPED, because {}", client.name, reason(client));
    }
    if names.is_empty() {
        let page = page(&results, &others);
        fs::write(root().join(REPORT), page).with_context(|| format!("write {REPORT}"))?;
        println!("wrote {REPORT}");
    }
    for surprise in &surprises {
        println!("{surprise}");
    }
    if !surprises.is_empty() {
        bail!("{} results are not what scenarios/clients/ expects", surprises.len());
    }
    Ok(())
}

fn check(program: &Path, client: Library) -> anyhow::Result<Checked> {
    let folder = client.install("client")?;
    let (json, recording) = (folder.join("report.json"), folder.join("record.jsonl"));
    let mut command = Command::new(program);
    command.args(["check-client", "--quiet", "--json"]).arg(&json).arg("--record").arg(&recording);
    let status = command.arg("--").args(&client.command).current_dir(&folder).status();
    let status = status.context("start sseproof")?;
    if !matches!(status.code(), Some(0 | 1)) {
        bail!("sseproof check-client ended with {status} for {}", client.name);
    }
    let text = fs::read_to_string(&recording).context("read the recording")?;
    let kind = read_client_recording(&text).context("read the recording")?.client.kind;
    Ok(Checked { client, kind, report: crate::peers::read(&json)? })
}

/// The differences from what is expected; advice is not compared.
fn compare(client: &Library, report: &Report) -> Vec<String> {
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
