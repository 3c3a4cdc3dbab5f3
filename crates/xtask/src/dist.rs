//! All that is published, in `target/packages`: archives, wheels, npm packages, an image, an SBOM, the
//! licences of others and checksums.
//!
//! A release builds the programs of all platforms on machines of their kind and packs them here
//! (`--programs`); without that, what can be built on this machine is built. `--prove` installs each
//! of it in an empty place.

mod archive;
mod build;
mod formula;
mod image;
mod npm;
mod platforms;
mod prove;
mod release;
mod third_party;
mod tools;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

use self::archive::{Entry, sha256, tar_gz};
use self::build::Built;
use self::release::Release;
pub(crate) use self::third_party::write as write_third_party;
pub(crate) use self::tools::Tools;
use crate::root;

#[derive(Args)]
pub(crate) struct Dist {
    /// Pack the programs `FOLDER/<target>/sseproof` and the wheels in FOLDER, of all platforms, instead of
    /// building for this machine.
    #[arg(long, value_name = "FOLDER", conflicts_with = "prove")]
    programs: Option<PathBuf>,
    /// Install what target/packages has from each channel in an empty place, and run a check there.
    #[arg(long)]
    prove: bool,
    /// With --prove: also `cargo install`, which compiles for minutes.
    #[arg(long, requires = "prove")]
    cargo: bool,
}

pub(crate) fn run(arguments: &Dist) -> anyhow::Result<()> {
    let release = Release::read()?;
    if arguments.prove {
        return prove::run(&release, &folder(), arguments.cargo);
    }
    let folder = folder();
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("clear {}", folder.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("make {}", folder.display()))?;
    let built = match &arguments.programs {
        Some(programs) => Built::found(programs, &folder)?,
        None => Built::here(&folder)?,
    };
    pack(&release, &built, &folder)?;
    for name in names(&folder)? {
        let size = fs::metadata(folder.join(&name)).context("read the size")?.len();
        println!("{:>8.2} MiB  {name}", mib(size));
    }
    Ok(())
}

/// Not `target/dist`, where cargo puts what it builds with the profile of this name.
fn folder() -> PathBuf {
    root().join("target/packages")
}

#[expect(clippy::cast_precision_loss, reason = "a size for people")]
fn mib(bytes: u64) -> f64 {
    bytes as f64 / 1024.0 / 1024.0
}

fn pack(release: &Release, built: &Built, folder: &Path) -> anyhow::Result<()> {
    let texts = Texts::read(built)?;
    let manual = built.manual()?;
    for (platform, program) in &built.programs {
        let name = format!("sseproof-{}-{}", release.version, platform.target);
        let mut entries = vec![Entry::program(platform.program(), fs::read(program)?)];
        entries.extend(texts.entries(""));
        entries.extend(manual.iter().cloned());
        let inside = entries.into_iter().map(|entry| entry.below(&name)).collect();
        write(folder, &format!("{name}.tar.gz"), &tar_gz(inside)?)?;
    }
    for (name, entries) in npm::packages(release, built, &texts)? {
        let inside = entries.into_iter().map(|entry| entry.below("package")).collect();
        write(folder, &name, &tar_gz(inside)?)?;
    }
    if !built.images.is_empty() {
        let roots = fs::read(&built.roots).context("read the CA roots")?;
        let image = image::archive(release, &built.images, &roots, &texts)?;
        write(folder, &format!("sseproof-{}-image.tar", release.version), &image)?;
    }
    write(folder, "THIRD-PARTY.txt", texts.third_party.as_bytes())?;
    let archives = |target: &str| {
        let name = format!("sseproof-{}-{target}.tar.gz", release.version);
        Some(sha256(&fs::read(folder.join(name)).ok()?))
    };
    match formula::filled(release, archives) {
        Some(formula) => write(folder, "sseproof.rb", formula.as_bytes())?,
        None => println!(
            "no formula of Homebrew: it needs the archives of four platforms, and `repository` in Cargo.toml"
        ),
    }
    let sums = names(folder)?.into_iter().map(|name| {
        let bytes = fs::read(folder.join(&name)).with_context(|| format!("read {name}"))?;
        Ok(format!("{}  {name}\n", sha256(&bytes)))
    });
    let sums = sums.collect::<anyhow::Result<String>>()?;
    write(folder, "SHA256SUMS", sums.as_bytes())
}

/// The texts that go with each program.
struct Texts {
    readme: Vec<u8>,
    licences: Vec<(&'static str, Vec<u8>)>,
    third_party: String,
}

impl Texts {
    fn read(built: &Built) -> anyhow::Result<Self> {
        let read = |name: &str| fs::read(root().join(name)).with_context(|| format!("read {name}"));
        let licences = ["LICENSE-APACHE", "LICENSE-MIT"].map(|name| Ok((name, read(name)?)));
        let targets = built.programs.iter().map(|(platform, _)| platform.target);
        Ok(Self {
            readme: read("packaging/README.md")?,
            licences: licences.into_iter().collect::<anyhow::Result<_>>()?,
            third_party: third_party::of(&targets.collect::<Vec<_>>())?,
        })
    }

    /// As files of an archive, below a folder.
    fn entries(&self, folder: &str) -> Vec<Entry> {
        let own = self.licences.iter().map(|(name, text)| (*name, text.clone()));
        let others = ("THIRD-PARTY.txt", self.third_party.clone().into_bytes());
        let all = own.chain([others, ("README.md", self.readme.clone())]);
        all.map(|(name, text)| Entry::file(&format!("{folder}{name}"), text)).collect()
    }
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
    fs::write(folder.join(name), bytes).with_context(|| format!("write {name}"))
}

/// The names of the files in the folder, in order.
fn names(folder: &Path) -> anyhow::Result<Vec<String>> {
    let read = || format!("read {}", folder.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).with_context(read)? {
        let entry = entry.with_context(read)?;
        if entry.path().is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}
