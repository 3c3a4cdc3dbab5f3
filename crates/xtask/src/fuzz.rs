//! A short run of every fuzz target, starting with the streams of the corpus.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};
use sseproof_check_parser::corpus;

use crate::root;

const TARGETS: [Target; 4] = [
    Target { name: "decode", before: |_| SIZES.to_vec() },
    Target { name: "limits", before: |_| [&SIZES[..], &[64, 64]].concat() },
    // Cut off halfway.
    Target { name: "reconnect", before: |length| [&SIZES[..], &half(length)].concat() },
    Target { name: "encode", before: |_| SIZES.to_vec() },
];
/// The sizes of the chunks; `fuzz_targets/cuts` reads them so.
const SIZES: [u8; 4] = [31; 4];
/// Longer streams are slow, and find no other bugs.
const LONGEST: &str = "-max_len=800";

struct Target {
    name: &'static str,
    before: fn(usize) -> Vec<u8>,
}

const fn half(length: usize) -> [u8; 2] {
    // The length of every stream of the corpus fits into two bytes.
    ((length / 2) as u16).to_le_bytes()
}

pub(crate) fn run(seconds: u64, required: bool) -> anyhow::Result<()> {
    if !is_installed() {
        let missing = "no nightly compiler with cargo-fuzz (see fuzz/README.md)";
        if required {
            bail!(missing);
        }
        eprintln!("SKIPPED: {missing}, so nothing was fuzzed.");
        return Ok(());
    }
    TARGETS.iter().try_for_each(|target| smoke(target, seconds))
}

fn is_installed() -> bool {
    let asked = Command::new("cargo")
        .args(["+nightly", "fuzz", "--version"])
        // The question must not install anything.
        .env("RUSTUP_AUTO_INSTALL", "0")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    asked.is_ok_and(|status| status.success())
}

fn smoke(target: &Target, seconds: u64) -> anyhow::Result<()> {
    let Target { name, .. } = target;
    let seeds = seeds(target).with_context(|| format!("write the seeds of {name}"))?;
    // New inputs of a run are kept in the first folder.
    let kept = root().join("fuzz/corpus").join(name);
    fs::create_dir_all(&kept).with_context(|| format!("make {}", kept.display()))?;
    let (kept, seeds) = (shown(&kept)?, shown(&seeds)?);
    let time = format!("-max_total_time={seconds}");
    let command = ["cargo", "+nightly", "fuzz", "run", name, &kept, &seeds, "--"];
    let options = ["-dict=fuzz/sse.dict", LONGEST, "-timeout=10", "-print_final_stats=1", &time];
    crate::run(&root(), &[&command[..], &options].concat())
        .with_context(|| format!("fuzz {name} (see fuzz/README.md)"))
}

fn seeds(target: &Target) -> anyhow::Result<PathBuf> {
    let folder = root().join("target/fuzz-seeds").join(target.name);
    fs::create_dir_all(&folder)?;
    for case in corpus() {
        let stream = case.stream();
        let seed = [(target.before)(stream.len()), stream].concat();
        fs::write(folder.join(case.id.replace('/', "-")), seed)?;
    }
    Ok(folder)
}

fn shown(path: &Path) -> anyhow::Result<String> {
    let path = path.to_str().with_context(|| format!("{} is not UTF-8", path.display()))?;
    Ok(path.to_owned())
}
