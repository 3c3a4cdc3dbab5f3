//! Tools from PyPI, each set of them in a folder of its own below `target`.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::{root, run};

/// maturin builds wheels, Zig links for old versions of glibc, certifi has the CA roots of Mozilla; uv
/// and pipx install.
const PACKAGES: [&str; 5] =
    ["maturin==1.16.0", "ziglang==0.17.1", "certifi", "uv==0.13.9", "pipx==1.18.4"];

pub(crate) struct Tools {
    folder: PathBuf,
}

impl Tools {
    /// Those that build and install packages.
    pub(super) fn install() -> anyhow::Result<Self> {
        Self::of("target/tools", &PACKAGES)
    }

    /// Installs the packages that are not in the folder yet.
    pub(crate) fn of(folder: &str, packages: &[&str]) -> anyhow::Result<Self> {
        let tools = Self { folder: root().join(folder) };
        if !tools.program("pip").exists() {
            let place = tools.folder.to_str().context("a path that is not UTF-8")?;
            run(&root(), &["python3", "-m", "venv", place]).context("make a place for tools")?;
        }
        let pip = tools.program("pip");
        let pip = pip.to_str().context("a path that is not UTF-8")?;
        let install = [pip, "install", "--quiet", "--disable-pip-version-check"];
        run(&root(), &[&install[..], packages].concat()).context("install from PyPI")?;
        Ok(tools)
    }

    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.folder.join("bin").join(name)
    }

    /// The variable PATH with these programs first.
    pub(super) fn path(&self) -> anyhow::Result<OsString> {
        let usual = env::var_os("PATH").unwrap_or_default();
        let all = [self.folder.join("bin")].into_iter().chain(env::split_paths(&usual));
        env::join_paths(all).context("make the variable PATH")
    }

    /// The file with the roots, in PEM.
    pub(super) fn ca_roots(&self) -> anyhow::Result<PathBuf> {
        let python = self.program("python");
        let python = python.to_str().context("a path that is not UTF-8")?;
        Ok(output(&root(), &[python, "-m", "certifi"])?.trim().into())
    }
}

/// The standard output of a command.
pub(super) fn output(folder: &Path, command: &[&str]) -> anyhow::Result<String> {
    let [program, arguments @ ..] = command else { bail!("an empty command") };
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .output()
        .with_context(|| format!("start {program}"))?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        bail!("`{}` ended with {}: {errors}", command.join(" "), output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("read what {program} writes"))
}
