//! Real parsers of others: installed, checked, compared with the expected results.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde::Deserialize;
use sseproof_check_parser::{Adapter, Options, Reference, Report, Verdict, check, text};

use crate::described::described;
use crate::root;

/// How long an adapter may take to answer: the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(30);
const OPTIONS: Options = Options { streams: 1000, seed: 1 };

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tested {
    parser: String,
    about: String,
    versions: Vec<String>,
    install: Vec<Vec<String>>,
    command: Vec<String>,
    /// The requirements that it is known to break, each with a manual check.
    expect: BTreeMap<String, String>,
}

pub(crate) fn run(names: &[String]) -> anyhow::Result<()> {
    let mut results = Vec::new();
    let mut surprises = Vec::new();
    for tested in described("parsers", "parser.yaml", names, |tested: &Tested| &tested.parser)? {
        println!("== {}: {}", tested.parser, tested.about);
        let report = judge(&tested).with_context(|| format!("check {}", tested.parser))?;
        print!("{}", text(&report));
        surprises.extend(compare(&tested, &report));
        results.push((tested, report));
    }
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

fn judge(tested: &Tested) -> anyhow::Result<Report> {
    let folder = root().join("target/parsers").join(&tested.parser);
    crate::peers::copy(&root().join("scenarios/parsers").join(&tested.parser), &folder)?;
    for command in &tested.install {
        crate::run(&folder, command)?;
    }
    std::env::set_current_dir(&folder).context("enter the folder")?;
    let mut adapter = Adapter::start(&tested.command, PATIENCE)?;
    Ok(check(&tested.parser, &mut adapter, OPTIONS))
}

fn broken(report: &Report) -> impl Iterator<Item = &str> {
    let requirements = report.requirements.iter();
    requirements
        .filter(|requirement| requirement.verdict() == Verdict::Broken)
        .map(|requirement| requirement.requirement.as_str())
}

fn compare(tested: &Tested, report: &Report) -> Vec<String> {
    let Tested { parser, expect, .. } = tested;
    let unexpected = broken(report)
        .filter(|broken| !expect.contains_key(*broken))
        .map(|broken| format!("{parser}: {broken} is broken, which is not expected"));
    let missing = expect
        .keys()
        .filter(|expected| !broken(report).any(|broken| broken == *expected))
        .map(|expected| format!("{parser}: {expected} is expected to be broken, but passes"));
    let partial = (!report.is_complete).then(|| format!("{parser}: the check is incomplete"));
    unexpected.chain(missing).chain(partial).collect()
}

fn written(results: &[(Tested, Report)]) -> String {
    let mut out = String::from(
        "# sseproof on parsers of others\n\nMade by `cargo xtask parsers`. Each parser reads every case of the [corpus](../specs/corpus) in one piece, in two pieces cut anywhere and byte by byte, and random streams.\nA case that is read correctly as it is written is repeated with every other line end, which counts as `whatwg-sse/line-ends`.\nNumbers are failed cases; – is a parser that does not report the value. Speed is measured by the parser's own clock, with chunks of 16 KiB, the best of up to thirty in one run on a shared machine: compare within the table only; [codec.md](codec.md) has the speed of `sseproof-codec`.\n\n| parser | description | versions |\n|---|---|---|\n",
    );
    for (tested, _) in results {
        let Tested { parser, about, versions, .. } = tested;
        let versions = versions.join(", ");
        out.push_str(&format!(
            "| [{parser}](../scenarios/parsers/{parser}) | {about} | {versions} |\n"
        ));
    }
    let ours = check("sseproof-codec", &mut Reference, OPTIONS);
    let columns: Vec<(&str, &Report)> = [("sseproof-codec", &ours)]
        .into_iter()
        .chain(results.iter().map(|(tested, report)| (tested.parser.as_str(), report)))
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
                tested.parser,
                report.not_reported.join(", ")
            ));
        }
    }
    out.push_str("\n## Failures, checked by hand\n\n");
    for (tested, _) in results {
        for (requirement, why) in &tested.expect {
            out.push_str(&format!("- {}, {requirement}: {why}\n", tested.parser));
        }
    }
    out
}

fn row(out: &mut String, first: &str, cells: impl Iterator<Item = String>) {
    out.push_str(first);
    for cell in cells {
        out.push_str(" | ");
        out.push_str(&cell);
    }
    out.push_str(" |\n");
}
