//! Many generators on a real Slurm, with their results in stores of S3 and Azure and in folders: all at
//! their best, and with what goes wrong, each compared with what is expected of it.

mod cases;
mod engines;
mod faults;
mod findings;
mod plans;

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use clap::Args;
use sseproof_units::duration;

use self::cases::CASES;
use self::engines::Engines;
use self::findings::Findings;
use crate::fuzz::works;
use crate::{measured, root};

const REPORT: &str = "reports/scale.md";
/// Around what the command writes; all else in the file is written by hand.
const MARKS: [&str; 2] =
    ["<!-- made by cargo xtask scale -->\n", "<!-- end of cargo xtask scale -->\n"];

#[derive(Args)]
pub(crate) struct Scale {
    /// Only these cases; without a name, all of them, and reports/scale.md is written.
    names: Vec<String>,
    /// Fail if something that is needed is missing, instead of skipping all.
    #[arg(long)]
    required: bool,
    /// Play this program, which has the feature `object-store`, instead of building one.
    #[arg(long, value_name = "PROGRAM")]
    sseproof: Option<PathBuf>,
}

struct Played {
    name: &'static str,
    expected: &'static str,
    seen: Findings,
    took: Duration,
}

pub(crate) fn run(arguments: &Scale) -> anyhow::Result<()> {
    let chosen =
        |name: &str| arguments.names.is_empty() || arguments.names.iter().any(|one| one == name);
    if let Some(unknown) =
        arguments.names.iter().find(|name| !CASES.iter().any(|case| case.name == **name))
    {
        let names: Vec<_> = CASES.iter().map(|case| case.name).collect();
        bail!("no case {unknown}; there are {}", names.join(", "));
    }
    let missing = missing();
    if !missing.is_empty() {
        let missing = missing.join(", ");
        if arguments.required {
            bail!("missing: {missing}");
        }
        eprintln!("SKIPPED: no shard was played on Slurm; missing: {missing}.");
        return Ok(());
    }
    let program = match &arguments.sseproof {
        Some(program) => program.canonicalize().context("find the program")?,
        None => measured::published()?,
    };
    let engines = Engines::start(&program)?;
    plans::write(&engines)?;
    let mut all = Vec::new();
    for case in CASES.iter().filter(|case| chosen(case.name)) {
        println!("== {}: {}", case.name, case.expected);
        let begun = Instant::now();
        let seen = (case.play)(&engines).with_context(|| format!("play {}", case.name))?;
        let took = begun.elapsed();
        println!("{}, in {}", seen.measured, duration(took));
        for wrong in &seen.wrong {
            println!("✗ {wrong}");
        }
        all.push(Played { name: case.name, expected: case.expected, seen, took });
    }
    drop(engines);
    let wrong: Vec<_> = all
        .iter()
        .flat_map(|case| case.seen.wrong.iter().map(|wrong| format!("{}: {wrong}", case.name)))
        .collect();
    if !wrong.is_empty() {
        bail!("not as expected:\n{}", wrong.join("\n"));
    }
    if arguments.names.is_empty() {
        write(&table(&all))?;
    }
    Ok(())
}

fn missing() -> Vec<&'static str> {
    let is_root = fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
    [
        ("root", is_root),
        ("apt-get (Debian 12)", works(&["apt-get"])),
        ("Python", works(&["python3"])),
        ("Node.js", works(&["node"]) && works(&["npm"])),
    ]
    .into_iter()
    .filter_map(|(name, is_there)| (!is_there).then_some(name))
    .collect()
}

fn table(all: &[Played]) -> String {
    let mut out = "\n| case | expected | measured | time |\n|---|---|---|--:|\n".to_owned();
    for Played { name, expected, seen, took } in all {
        // Writing to a string does not fail.
        let _ =
            writeln!(out, "| `{name}` | {expected} | {} | {} |", seen.measured, duration(*took));
    }
    out.push('\n');
    out
}

fn write(table: &str) -> anyhow::Result<()> {
    let path = root().join(REPORT);
    let before = fs::read_to_string(&path).with_context(|| format!("read {REPORT}"))?;
    let around = before
        .split_once(MARKS[0])
        .and_then(|(head, rest)| Some((head, rest.split_once(MARKS[1])?.1)));
    let Some((head, tail)) = around else { bail!("{REPORT} has no place for the table") };
    fs::write(&path, [head, MARKS[0], table, MARKS[1], tail].concat())
        .with_context(|| format!("write {REPORT}"))?;
    println!("wrote {REPORT}");
    Ok(())
}
