//! A short run of every fuzz target.

use anyhow::Context as _;

use crate::root;

/// The targets in `fuzz/`.
const TARGETS: [&str; 3] = ["decode", "limits", "encode"];

fn smoke(target: &str, seconds: u64) -> anyhow::Result<()> {
    let time = format!("-max_total_time={seconds}");
    let command =
        ["cargo", "+nightly", "fuzz", "run", target, "--", "-dict=fuzz/sse.dict", time.as_str()];
    crate::run(&root(), &command).with_context(|| format!("fuzz {target} (see fuzz/README.md)"))
}

pub(crate) fn run(seconds: u64) -> anyhow::Result<()> {
    TARGETS.iter().try_for_each(|target| smoke(target, seconds))
}
