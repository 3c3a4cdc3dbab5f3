//! Each package installed in an empty place, and a check from there.
//!
//! The packages are not published here: a server on this machine has them as PyPI and npm would.
//! Homes and caches are empty, so the times are those of a first use, without the download of the
//! program itself over a network.

mod channels;
mod registry;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use self::registry::Registry;
use super::release::Release;
use super::tools::Tools;
use crate::root;

/// One way to install the program.
struct Channel {
    name: &'static str,
    /// The program that must be on this machine.
    needs: &'static str,
    install: fn(&Place<'_>) -> anyhow::Result<()>,
    /// The command that takes the program's arguments.
    command: fn(&Place<'_>) -> anyhow::Result<Command>,
}

/// An empty place, and the packages.
struct Place<'a> {
    folder: PathBuf,
    packages: &'a Path,
    release: &'a Release,
    registry: &'a Registry,
    tools: &'a Tools,
}

pub(super) fn run(release: &Release, packages: &Path, cargo: bool) -> anyhow::Result<()> {
    if !packages.join("SHA256SUMS").is_file() {
        bail!("{} has no packages; make them with `cargo xtask dist`", packages.display());
    }
    let tools = Tools::install()?;
    let registry = Registry::start(&tools, packages)?;
    let mut rows = Vec::new();
    for channel in channels::all(cargo) {
        if !is_there(channel.needs) {
            eprintln!("SKIPPED: {}, since {} is missing.", channel.name, channel.needs);
            continue;
        }
        let folder = tempfile::tempdir().context("make an empty place")?;
        let folder = folder.path().to_owned();
        let place = Place { folder, packages, release, registry: &registry, tools: &tools };
        let (installed, all) =
            prove(&channel, &place).with_context(|| format!("install with {}", channel.name))?;
        rows.push((channel.name, installed, all));
    }
    println!("| channel | installed after | first verdict after |\n|---|--:|--:|");
    for (name, installed, all) in rows {
        println!("| {name} | {:.1} s | {:.1} s |", installed.as_secs_f64(), all.as_secs_f64());
    }
    Ok(())
}

/// The times until the program is installed, and until the first verdict.
fn prove(channel: &Channel, place: &Place<'_>) -> anyhow::Result<(Duration, Duration)> {
    let start = Instant::now();
    (channel.install)(place)?;
    let ran = |arguments: &[&str]| {
        let mut command = (channel.command)(place)?;
        command.args(arguments).output().context("start the program")
    };
    let version = ran(&["--version"])?;
    let installed = start.elapsed();
    let expected = format!("sseproof {}", place.release.version);
    if text(&version.stdout).trim() != expected {
        bail!("not {expected}: {}", failure(&version));
    }
    let check = ran(&["check", "--reference"])?;
    let all = start.elapsed();
    let last = text(&check.stdout).trim().lines().last().unwrap_or_default().to_owned();
    if !check.status.success() || !last.contains("passed") {
        bail!("the check of the embedded server: {}", failure(&check));
    }
    println!("{}: {last}", channel.name);
    // Launchers pass on the exit code.
    let wrong = ran(&["check", "--only", "no/such-rule", "--reference"])?;
    if wrong.status.code() != Some(2) {
        bail!("not the exit code 2 of wrong usage: {}", failure(&wrong));
    }
    Ok((installed, all))
}

impl Place<'_> {
    /// A command that finds nothing of this user: no home, no caches, no settings.
    fn command(&self, program: impl Into<OsString>) -> anyhow::Result<Command> {
        let mut command = Command::new(program.into());
        command.env_clear().env("PATH", self.tools.path()?).env("LANG", "C.UTF-8");
        // How this machine reaches a registry belongs to the machine.
        let kept = ["PIP_CERT", "SSL_CERT_FILE", "http_proxy", "https_proxy", "no_proxy"];
        command.envs(kept.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
        for name in ["HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "npm_config_cache", "TMPDIR"] {
            let folder = self.folder.join(name.to_lowercase());
            fs::create_dir_all(&folder).with_context(|| format!("make {}", folder.display()))?;
            command.env(name, folder);
        }
        command.current_dir(&self.folder);
        Ok(command)
    }

    /// Runs an installation to its end.
    fn play(&self, program: impl Into<OsString>, arguments: &[&str]) -> anyhow::Result<()> {
        let output = self.command(program)?.args(arguments).output().context("start")?;
        if !output.status.success() {
            bail!("`{}`: {}", arguments.join(" "), failure(&output));
        }
        Ok(())
    }

    /// The package whose name begins and ends so.
    fn package(&self, begin: &str, end: &str) -> anyhow::Result<PathBuf> {
        let names = super::names(self.packages)?;
        let mut names = names.into_iter();
        let name = names.find(|name| name.starts_with(begin) && name.ends_with(end));
        let name = name.with_context(|| format!("there is no package {begin}*{end}"))?;
        Ok(self.packages.join(name))
    }
}

fn is_there(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn failure(output: &Output) -> String {
    format!("{}\n{}{}", output.status, text(&output.stdout), text(&output.stderr))
}

/// The file as text of an argument.
fn shown(path: &Path) -> anyhow::Result<&str> {
    path.to_str().with_context(|| format!("{} is not UTF-8", path.display()))
}

/// The root of this repository, for `cargo install`.
fn repository() -> PathBuf {
    root()
}
