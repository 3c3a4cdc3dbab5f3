//! The programs: those that other machines built, or those that this machine can build.
//!
//! maturin links for glibc 2.17 with Zig, so that the program runs on distributions of ten years, and
//! its wheel has the tag manylinux2014. An image has the static program for musl, if rustup has that
//! target; otherwise that for glibc, with the libraries of this machine that it loads.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

use super::archive::Entry;
use super::platforms::{PLATFORMS, Platform};
use super::third_party;
use super::tools::{Tools, output};
use crate::root;

pub(super) struct Built {
    pub(super) programs: Vec<(&'static Platform, PathBuf)>,
    pub(super) images: Vec<Image>,
    /// The CA roots in PEM, for the image.
    pub(super) roots: PathBuf,
}

/// The program of an image.
pub(super) struct Image {
    /// As OCI names it.
    pub(super) processor: &'static str,
    pub(super) program: PathBuf,
    /// The libraries that it loads, at the same paths; a static program loads none.
    pub(super) libraries: Vec<PathBuf>,
}

impl Built {
    /// The programs in the folder, which must have all of them; copies its wheels.
    pub(super) fn found(programs: &Path, packages: &Path) -> anyhow::Result<Self> {
        let mut found = Vec::new();
        for platform in &PLATFORMS {
            let program = programs.join(platform.target).join(platform.program());
            if !program.is_file() {
                bail!("{} is missing", program.display());
            }
            found.push((platform, program));
        }
        let mut wheels = 0;
        for name in super::names(programs)?.iter().filter(|name| name.ends_with(".whl")) {
            fs::copy(programs.join(name), packages.join(name)).context("copy a wheel")?;
            wheels += 1;
        }
        if wheels != PLATFORMS.len() {
            bail!("{} has {wheels} wheels, for {} platforms", programs.display(), PLATFORMS.len());
        }
        let tools = Tools::install()?;
        extract_sbom(&tools, packages)?;
        Ok(Self { images: static_images(&found), programs: found, roots: tools.ca_roots()? })
    }

    pub(super) fn here(packages: &Path) -> anyhow::Result<Self> {
        let host = host()?;
        let Some(platform) = Platform::of(&host) else { bail!("{host} has no packages") };
        let tools = Tools::install()?;
        let musl = host.replace("-gnu", "-musl");
        let musl = Platform::of(&musl).filter(|musl| has_target(musl.target));
        let mut programs = Vec::new();
        for platform in [Some(platform), musl].into_iter().flatten() {
            programs.push((platform, wheel(&tools, platform, packages)?));
        }
        extract_sbom(&tools, packages)?;
        let mut images = static_images(&programs);
        let mut same =
            PLATFORMS.iter().filter(|one| (one.os, one.cpu) == (platform.os, platform.cpu));
        let processor = same.find_map(|one| one.image);
        if let (true, Some(processor), Some((_, program))) =
            (images.is_empty(), processor, programs.first())
        {
            println!("rustup has no target for musl: the image gets the libraries of this machine");
            let program = program.clone();
            images.push(Image { processor, libraries: libraries(&program)?, program });
        }
        Ok(Self { programs, images, roots: tools.ca_roots()? })
    }

    /// Completions and man pages, written by a program that runs here.
    pub(super) fn manual(&self) -> anyhow::Result<Vec<Entry>> {
        let host = host()?;
        let runs = |platform: &Platform| platform.target == host;
        let Some((_, program)) = self.programs.iter().find(|(platform, _)| runs(platform)) else {
            bail!("no program of {host}, which writes completions and man pages");
        };
        let program = program.to_str().context("a path that is not UTF-8")?;
        let mut entries = Vec::new();
        for (shell, file) in [
            ("bash", "sseproof.bash"),
            ("elvish", "sseproof.elv"),
            ("fish", "sseproof.fish"),
            ("powershell", "_sseproof.ps1"),
            ("zsh", "_sseproof"),
        ] {
            let script = output(&root(), &[program, "completions", shell])?;
            entries.push(Entry::file(&format!("completions/{file}"), script.into_bytes()));
        }
        let pages = tempfile::tempdir().context("make a folder")?;
        let folder = pages.path().to_str().context("a path that is not UTF-8")?;
        output(&root(), &[program, "man", "--folder", folder])?;
        for name in super::names(pages.path())? {
            let page = fs::read(pages.path().join(&name)).context("read a man page")?;
            entries.push(Entry::file(&format!("man/{name}"), page));
        }
        Ok(entries)
    }
}

/// The target of this machine.
fn host() -> anyhow::Result<String> {
    let version = output(&root(), &["rustc", "-vV"])?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("the host of rustc")?.to_owned())
}

/// Whether the standard library of the target is installed.
fn has_target(target: &str) -> bool {
    let libraries = output(&root(), &["rustc", "--print", "target-libdir", "--target", target]);
    libraries.is_ok_and(|folder| Path::new(folder.trim()).is_dir())
}

/// Builds the wheel, and gives the program in it.
fn wheel(tools: &Tools, platform: &Platform, packages: &Path) -> anyhow::Result<PathBuf> {
    // As far from the root as `packaging/python`, for the relative path in `pyproject.toml`.
    let folder = root().join("target/wheel");
    fs::create_dir_all(&folder).context("make target/wheel")?;
    for name in
        ["packaging/python/pyproject.toml", "packaging/README.md", "LICENSE-APACHE", "LICENSE-MIT"]
    {
        let from = root().join(name);
        let to = folder.join(from.file_name().unwrap_or_default());
        fs::copy(&from, to).with_context(|| format!("copy {name}"))?;
    }
    let texts = third_party::of(&[platform.target])?;
    super::write(&folder, "THIRD-PARTY.txt", texts.as_bytes())?;
    let mut maturin = Command::new(tools.program("maturin"));
    maturin.args(["build", "--target", platform.target, "--out"]).arg(packages);
    match platform.libc {
        Some("glibc") => maturin.args(["--zig", "--compatibility", "manylinux2014"]),
        Some(_) => maturin.args(["--zig", "--compatibility", "musllinux_1_2"]),
        None => &mut maturin,
    };
    let status = maturin.env("PATH", tools.path()?).current_dir(&folder).status();
    let status = status.context("start maturin")?;
    if !status.success() {
        bail!("maturin ended with {status}");
    }
    let program = root().join("target").join(platform.target).join("dist").join(platform.program());
    if !program.is_file() {
        bail!("maturin built no {}", program.display());
    }
    Ok(program)
}

fn static_images(programs: &[(&'static Platform, PathBuf)]) -> Vec<Image> {
    let image = |(platform, program): &(&'static Platform, PathBuf)| {
        let program = program.clone();
        Some(Image { processor: platform.image?, program, libraries: Vec::new() })
    };
    programs.iter().filter_map(image).collect()
}

/// The libraries that the program loads here, and their loader.
fn libraries(program: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let program = program.to_str().context("a path that is not UTF-8")?;
    let listed = output(&root(), &["ldd", program])?;
    // `libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x…)`; the kernel's own has no path.
    let path =
        |line: &str| line.split_whitespace().find(|word| word.starts_with('/')).map(PathBuf::from);
    Ok(listed.lines().filter_map(path).collect())
}

/// maturin writes an SBOM (CycloneDX) into each wheel; they differ in nothing but their time.
fn extract_sbom(tools: &Tools, packages: &Path) -> anyhow::Result<()> {
    let wheels = super::names(packages)?;
    let wheel = wheels.iter().find(|name| name.ends_with(".whl")).context("there is no wheel")?;
    let unpacked = tempfile::tempdir().context("make a folder")?;
    let status = Command::new(tools.program("python"))
        .args(["-m", "zipfile", "-e"])
        .args([packages.join(wheel), unpacked.path().to_owned()])
        .status()
        .context("unpack the wheel")?;
    if !status.success() {
        bail!("unpacking {wheel} ended with {status}");
    }
    for entry in fs::read_dir(unpacked.path()).context("read the wheel")? {
        let sbom = entry.context("read the wheel")?.path().join("sboms/sseproof.cyclonedx.json");
        if sbom.is_file() {
            fs::copy(&sbom, packages.join("sseproof.cyclonedx.json")).context("copy the SBOM")?;
            return Ok(());
        }
    }
    bail!("{wheel} has no SBOM")
}
