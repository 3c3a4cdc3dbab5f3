//! A short run of every fuzz target, starting with files and streams of this repository.

mod seeds;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

use self::seeds::Seeds;
use crate::root;

/// Longer inputs are slow, and find no other bugs; files are as long as those of the repository.
const TARGETS: [Target; 10] = [
    Target { name: "decode", seeds: seeds::streams, longest: 800 },
    Target { name: "limits", seeds: seeds::limits, longest: 800 },
    Target { name: "reconnect", seeds: seeds::halves, longest: 800 },
    Target { name: "encode", seeds: seeds::streams, longest: 800 },
    Target { name: "http1", seeds: seeds::http1, longest: 1_500 },
    Target { name: "http2", seeds: seeds::http2, longest: 3_000 },
    Target { name: "codings", seeds: seeds::codings, longest: 1_500 },
    Target { name: "recording", seeds: seeds::recordings, longest: 10_000 },
    Target { name: "files", seeds: seeds::files, longest: 4_000 },
    Target { name: "results", seeds: seeds::results, longest: 8_000 },
];

struct Target {
    name: &'static str,
    seeds: fn() -> anyhow::Result<Seeds>,
    longest: usize,
}

/// The compilers that can build the targets, best first: with this variable, stable accepts the
/// options of nightly.
const COMMANDS: [&[&str]; 2] =
    [&["cargo", "+nightly", "fuzz"], &["env", "RUSTC_BOOTSTRAP=1", "cargo", "fuzz"]];

pub(crate) fn run(seconds: u64, required: bool) -> anyhow::Result<()> {
    let Some(command) = COMMANDS.into_iter().find(|command| works(command)) else {
        let missing = "cargo-fuzz is not installed (see fuzz/README.md)";
        if required {
            bail!(missing);
        }
        eprintln!("SKIPPED: {missing}, so nothing was fuzzed.");
        return Ok(());
    };
    write_cases()?;
    TARGETS.iter().try_for_each(|target| smoke(command, target, seconds))
}

/// Makes the tests of the rules write recordings of their cases.
fn write_cases() -> anyhow::Result<()> {
    let folder = root().join(seeds::CASES);
    fs::create_dir_all(&folder).with_context(|| format!("make {}", folder.display()))?;
    let folder = format!("SSEPROOF_CASES={}", shown(&folder)?);
    let test =
        ["cargo", "test", "--quiet", "--package", "sseproof-rules", "--lib", "cases::recorded"];
    crate::run(&root(), &[&["env", &folder], &test[..]].concat())
}

/// Whether the program starts and has a version.
pub(crate) fn works(command: &[&str]) -> bool {
    let asked = Command::new(command[0])
        .args(&command[1..])
        .arg("--version")
        // The question must not install anything.
        .env("RUSTUP_AUTO_INSTALL", "0")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    asked.is_ok_and(|status| status.success())
}

fn smoke(command: &[&str], target: &Target, seconds: u64) -> anyhow::Result<()> {
    let Target { name, seeds, longest } = target;
    let begin = root().join("target/fuzz-seeds").join(name);
    let words = root().join("target/fuzz-seeds").join(format!("{name}.dict"));
    // New inputs of a run are kept in the first folder.
    let kept = root().join("fuzz/corpus").join(name);
    fs::create_dir_all(&kept).with_context(|| format!("make {}", kept.display()))?;
    let written = seeds().and_then(|seeds| seeds.write(&begin, &words));
    written.with_context(|| format!("write the seeds of {name}"))?;
    let (kept, begin) = (shown(&kept)?, shown(&begin)?);
    let options = [
        format!("-dict={}", shown(&words)?),
        format!("-max_len={longest}"),
        format!("-max_total_time={seconds}"),
    ];
    let [dict, longest, time] = options.each_ref().map(String::as_str);
    let options = ["run", name, &kept, &begin, "--", dict, longest, time];
    let fixed = ["-timeout=10", "-print_final_stats=1"];
    crate::run(&root(), &[command, &options, &fixed].concat())
        .with_context(|| format!("fuzz {name} (see fuzz/README.md)"))
}

fn shown(path: &Path) -> anyhow::Result<String> {
    let path = path.to_str().with_context(|| format!("{} is not UTF-8", path.display()))?;
    Ok(path.to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_target_is_run_with_seeds() {
        let files = fs::read_dir(root().join("fuzz/fuzz_targets")).unwrap();
        let names = files.filter_map(|file| {
            Some(file.ok()?.file_name().to_str()?.strip_suffix(".rs")?.to_owned())
        });
        let run: BTreeSet<_> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
        assert_eq!(run, names.collect());
        for target in &TARGETS {
            let seeds = (target.seeds)().unwrap();
            assert!(seeds.longest() > 4, "{}", target.name);
            assert!(seeds.dictionary().unwrap().is_ascii(), "{}", target.name);
        }
    }
}
