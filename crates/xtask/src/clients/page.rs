//! The page on clients of others.

use std::collections::{BTreeMap, BTreeSet};

use sseproof_client_rules::{CaseEnd, Kind};
use sseproof_report::Judged;
use sseproof_rules::{Level, Status};
use sseproof_site::{Grave, Group, grave_faults};
use sseproof_units::counted;

use super::Checked;
use crate::libraries::{Library, row};

/// The kinds of clients, the word for one, and the heading of their table.
const KINDS: [(Kind, &str, &str); 3] = [
    (Kind::Eventsource, "EventSource", "Clients that follow the standard of `EventSource`"),
    (Kind::Resilient, "own policy", "Clients that reconnect by a policy of their own"),
    (Kind::Reader, "reader", "Readers of one response"),
];
pub(super) fn page(results: &[Checked], others: &[(Library, String)]) -> String {
    let mut out =
        String::from("# Clients of event streams, checked\n\nMade by `cargo xtask clients`.\n\n");
    out.push_str(&summary(results));
    out.push_str(&gravest(results));
    out.push_str(&clients(results));
    out.push_str("\n## The results\n\nEach rule is explained in [RULES.md](../specs/RULES.md), and by `sseproof explain RULE`.\n\n| sign | meaning |\n|:-:|---|\n| ✓ | the client meets the rule |\n| **✗** | the client breaks a must |\n| ✗ | the client breaks a should, or does not follow an advice |\n| ? | inconclusive |\n| – | not asked: the client has no such option, or the rule is not for its kind |\n");
    for (kind, _, title) in KINDS {
        let of_kind: Vec<_> = results.iter().filter(|checked| checked.kind() == kind).collect();
        if !of_kind.is_empty() {
            out.push_str(&format!("\n### {title}\n\n{}", matrix(&of_kind)));
        }
    }
    out.push_str("\n## The causes\n\nEach cause was found in the source code of the library, or by a script without sseproof; only that of `client/endurance-memory` is a measurement.\nAdvice is not listed.\n");
    for checked in results {
        out.push_str(&causes(checked));
    }
    if !others.is_empty() {
        out.push_str("\n## Not checked\n\n");
    }
    for (client, why) in others {
        out.push_str(&format!("- {}: {why}.\n", client.name));
    }
    out
}

fn summary(results: &[Checked]) -> String {
    let rules = results.iter().flat_map(|checked| &checked.report.findings);
    let rules: BTreeSet<_> = rules.map(|finding| finding.rule.as_str()).collect();
    let of = |level| results.iter().map(|checked| broken(checked, level).count()).sum::<usize>();
    let right = results.iter().filter(|checked| broken(checked, Level::Must).next().is_none());
    let right: Vec<_> = right.map(|checked| checked.client.name.as_str()).collect();
    let with = match &right[..] {
        [] => "None of them".to_owned(),
        right => format!("Only {}", right.join(" and ")),
    };
    let breaks = if right.len() < 2 { "breaks" } else { "break" };
    format!(
        "{} were checked by {}: browsers, runtimes, packages of npm, PyPI, crates.io and Go, and SDKs of language models.\n**{} of them break at least one must**; in all they break {} and {}.\n{with} {breaks} no must.\n",
        counted(results.len(), "client"),
        counted(rules.len(), "rule"),
        results.len() - right.len(),
        counted(of(Level::Must), "must"),
        counted(of(Level::Should), "should"),
    )
}

fn gravest(results: &[Checked]) -> String {
    let mut out =
        String::from("\n## The gravest faults\n\n| fault | broken by | clients |\n|---|---|---|\n");
    for Grave { rule, fault, report, .. } in grave_faults(Group::Clients) {
        let asked: Vec<_> = results
            .iter()
            .filter_map(|checked| {
                let finding =
                    checked.report.findings.iter().find(|finding| finding.rule == *rule)?;
                let is_asked = matches!(finding.status, Status::Pass | Status::Fail);
                is_asked.then_some((checked, finding))
            })
            .collect();
        let failing: Vec<_> =
            asked.iter().filter(|(_, finding)| finding.status == Status::Fail).collect();
        let names = failing.iter().map(|(checked, finding)| match dies(checked, finding) {
            true => format!("{} (its process ends)", checked.client.name),
            false => checked.client.name.clone(),
        });
        out.push_str(&format!(
            "| [{fault}](bugs/{}.md) | {} of {} | {} |\n",
            report.unwrap_or("README"),
            failing.len(),
            asked.len(),
            names.collect::<Vec<_>>().join(", ")
        ));
    }
    out
}

/// Whether the process of the client ended in a case that shows the failure.
fn dies(checked: &Checked, finding: &Judged) -> bool {
    let died = |case: &str| {
        let of_case = checked.record.cases.iter().filter(|record| record.case == case);
        of_case.into_iter().any(|record| matches!(record.end, CaseEnd::Died(_)))
    };
    finding.evidence.iter().any(|evidence| died(&evidence.scenario))
}

fn clients(results: &[Checked]) -> String {
    let mut out = String::from(
        "\n## The clients\n\nThe numbers are rules that the client breaks; advice counts the rules that it does not follow.\n\n| client | description | versions | kind | must | should | advice |\n|---|---|---|---|--:|--:|--:|\n",
    );
    for checked in results {
        let Library { name, about, .. } = &checked.client;
        let kinds = KINDS.iter().find(|(kind, ..)| *kind == checked.kind());
        let kind = kinds.map_or("", |(_, word, _)| word);
        let [must, should, advice] =
            [Level::Must, Level::Should, Level::Advice].map(|level| broken(checked, level).count());
        out.push_str(&format!(
            "| [{name}](../scenarios/clients/{name}) | {about} | {} | {kind} | {must} | {should} | {advice} |\n",
            checked.versions().join(", ")
        ));
    }
    out
}

fn broken(checked: &Checked, level: Level) -> impl Iterator<Item = &Judged> {
    let findings = checked.report.findings.iter();
    findings.filter(move |finding| finding.status == Status::Fail && finding.level == level)
}

/// The rules that at least one of them breaks; the others are only named.
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
    let mut met = Vec::new();
    for finding in findings {
        let statuses = all.iter().map(|statuses| statuses.get(&finding.rule).copied());
        let statuses: Vec<_> = statuses.collect();
        if !statuses.contains(&Some(Status::Fail)) {
            if statuses.contains(&Some(Status::Pass)) {
                met.push(format!("`{}`", finding.rule));
            }
            continue;
        }
        let cells = statuses.into_iter().map(|status| match (status, finding.level) {
            (Some(Status::Pass), _) => "✓",
            (Some(Status::Fail), Level::Must) => "**✗**",
            (Some(Status::Fail), _) => "✗",
            (Some(Status::Inconclusive), _) => "?",
            (Some(Status::Skip) | None, _) => "–",
        });
        let first = format!("| `{}` | {}", finding.rule, finding.level.word());
        row(&mut out, &first, cells.map(str::to_owned));
    }
    if !met.is_empty() {
        let count = counted(met.len(), "other rule");
        out.push_str(&format!("\nNone of these clients breaks {count}: {}.\n", met.join(", ")));
    }
    out
}

/// The failures of one client by their causes: first those of a must.
fn causes(checked: &Checked) -> String {
    let mut lines: Vec<(Level, &str, Vec<String>)> = Vec::new();
    for level in [Level::Must, Level::Should] {
        for finding in broken(checked, level) {
            let Library { expect, sometimes, .. } = &checked.client;
            let cause = expect.get(&finding.rule).or_else(|| sometimes.get(&finding.rule));
            let cause = cause.map_or("not explained yet", String::as_str);
            let rule = format!("`{}`", finding.rule);
            match lines.iter_mut().find(|(of, why, _)| (*of, *why) == (level, cause)) {
                Some((.., rules)) => rules.push(rule),
                None => lines.push((level, cause, vec![rule])),
            }
        }
    }
    if lines.is_empty() {
        return String::new();
    }
    let mut out = format!("\n### {}\n\n", checked.client.name);
    for (level, cause, rules) in lines {
        let sign = if level == Level::Must { "**✗**" } else { "✗" };
        out.push_str(&format!("- {sign} {}: {cause}\n", rules.join(", ")));
    }
    out
}
