//! Real parsers of others: installed, checked, compared with the expected results.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, bail};
use sseproof_check_parser::{Adapter, Options, Reference, Report, Verdict, check, text};
use sseproof_rules::{Level, Status, requirement};
use sseproof_site::{Kind, Subject};
use sseproof_units::counted;

use crate::libraries::{Library, explained, libraries, row, table};
use crate::{matrix, root};

/// How long an adapter may take to answer: the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(30);
const OPTIONS: Options = Options { streams: 1000, seed: 1 };

pub(crate) fn run(names: &[String]) -> anyhow::Result<()> {
    let mut results = Vec::new();
    let mut surprises = Vec::new();
    for tested in libraries("parser", names)? {
        println!("== {}", tested.name);
        let report = judge(&tested).with_context(|| format!("check {}", tested.name))?;
        print!("{}", text(&report));
        surprises.extend(compare(&tested, &report));
        results.push((tested, report));
    }
    matrix::keep(results.iter().map(|(tested, report)| judged(tested, report)))?;
    if names.is_empty() {
        let page = root().join("reports/parsers.md");
        fs::write(&page, written(&results)).context("write reports/parsers.md")?;
        println!("wrote reports/parsers.md");
    }
    for surprise in &surprises {
        println!("{surprise}");
    }
    if !surprises.is_empty() {
        bail!("{} results are not what scenarios/parsers/ expects", surprises.len());
    }
    Ok(())
}

fn judge(tested: &Library) -> anyhow::Result<Report> {
    let folder = tested.install("parser")?;
    std::env::set_current_dir(&folder).context("enter the folder")?;
    let mut adapter = Adapter::start(&tested.command, PATIENCE)?;
    Ok(check(&tested.name, &mut adapter, OPTIONS))
}

/// The part of the report that is kept: the results by requirement, and of random streams.
fn judged(tested: &Library, report: &Report) -> matrix::Judged {
    let status = |verdict| match verdict {
        Verdict::Held => Status::Pass,
        Verdict::Broken => Status::Fail,
        Verdict::Unknown => Status::Inconclusive,
    };
    let of_cases = report.requirements.iter().map(|of| {
        let failed = of.cases.iter().filter_map(|case| case.failure.as_ref());
        let cases = counted(of.cases.len(), "case");
        let first = failed.clone().next().map(|failure| failure.what.as_str());
        let message = first.map(|what| format!("{} of {cases}: {what}", failed.count()));
        (of.requirement.clone(), status(of.verdict()), message)
    });
    let of_chance = report.chance.iter().map(|chance| {
        let failed = chance.failure.as_ref();
        let status = if failed.is_some() { Status::Fail } else { Status::Pass };
        (chance.id(), status, failed.map(|failure| failure.what.clone()))
    });
    let all: Vec<_> = of_cases.chain(of_chance).collect();
    let has = |wanted| all.iter().any(|(_, status, _)| *status == wanted);
    let levels = all.iter().map(|(id, ..)| {
        (id.clone(), requirement(id).map_or(Level::Must, |requirement| requirement.level))
    });
    let levels = levels.collect();
    let subject = Subject {
        kind: Kind::Parser,
        name: tested.name.clone(),
        about: tested.about.clone(),
        versions: tested.versions.clone(),
        profile: None,
        checked: jiff::Zoned::now().date().to_string(),
        tool: concat!("sseproof ", env!("CARGO_PKG_VERSION")).to_owned(),
        outcome: match (has(Status::Fail), report.is_complete) {
            (true, _) => sseproof_site::Verdict::Broken,
            (false, true) => sseproof_site::Verdict::Passed,
            (false, false) => sseproof_site::Verdict::Inconclusive,
        },
        results: all.iter().map(|(id, status, _)| (id.clone(), *status)).collect(),
        messages: all.into_iter().filter_map(|(id, _, message)| Some((id, message?))).collect(),
    };
    (subject, levels)
}

fn broken(report: &Report) -> impl Iterator<Item = &str> {
    let requirements = report.requirements.iter();
    requirements
        .filter(|requirement| requirement.verdict() == Verdict::Broken)
        .map(|requirement| requirement.requirement.as_str())
}

fn compare(tested: &Library, report: &Report) -> Vec<String> {
    let broken: Vec<_> = broken(report).collect();
    let mut surprises = tested.surprises(&broken, |_| true);
    if !report.is_complete {
        surprises.push(format!("{}: the check is incomplete", tested.name));
    }
    surprises
}

fn written(results: &[(Library, Report)]) -> String {
    let mut out = String::from(
        "# sseproof on parsers of others\n\nMade by `cargo xtask parsers`. Each parser reads every case of the [corpus](../specs/corpus) in one piece, in two pieces cut anywhere and byte by byte, and random streams.\nA case that is read correctly as it is written is repeated with every other line end, which counts as `whatwg-sse/line-ends`.\nNumbers are failed cases; – is a parser that does not report the value. Speed is measured by the parser's own clock, with chunks of 16 KiB, the best of up to thirty in one run on a shared machine: compare within the table only; [codec.md](codec.md) has the speed of `sseproof-codec`.\n\n",
    );
    out.push_str(&table("parser", results.iter().map(|(tested, _)| tested)));
    let ours = check("sseproof-codec", &mut Reference, OPTIONS);
    let columns: Vec<(&str, &Report)> = [("sseproof-codec", &ours)]
        .into_iter()
        .chain(results.iter().map(|(tested, report)| (tested.name.as_str(), report)))
        .collect();
    row(&mut out, "\n| requirement", columns.iter().map(|(name, _)| (*name).to_owned()));
    row(&mut out, "|---", columns.iter().map(|_| "--:".to_owned()));
    for (index, requirement) in ours.requirements.iter().enumerate() {
        let cells = columns.iter().map(|(_, report)| {
            let cases = &report.requirements[index].cases;
            match cases.iter().filter(|case| case.failure.is_some()).count() {
                0 => "✓".to_owned(),
                failed => format!("{failed} of {}", cases.len()),
            }
        });
        row(&mut out, &format!("| {}", requirement.requirement), cells);
    }
    for (index, chance) in ours.chance.iter().enumerate() {
        let cells = columns.iter().map(|(_, report)| match report.chance[index].failure {
            None => "✓".to_owned(),
            Some(_) => "✗".to_owned(),
        });
        row(&mut out, &format!("| random {} streams", chance.kind), cells);
    }
    for stream in ["tokens", "ticks"] {
        let cells = columns.iter().map(|(_, report)| {
            let speed = report.speed.iter().find(|speed| speed.stream == stream);
            speed.map_or("–".to_owned(), |speed| format!("{:.0}", speed.mib_per_second))
        });
        row(&mut out, &format!("| speed, {stream}, MiB/s"), cells);
    }
    let silent: Vec<_> =
        results.iter().filter(|(_, report)| !report.not_reported.is_empty()).collect();
    if !silent.is_empty() {
        out.push_str("\n## Not judged\n\n");
        for (tested, report) in silent {
            out.push_str(&format!(
                "- {} does not report {}.\n",
                tested.name,
                report.not_reported.join(", ")
            ));
        }
    }
    out.push_str(&explained(results.iter().map(|(tested, _)| tested)));
    out
}
