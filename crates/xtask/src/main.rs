//! Development tasks: `cargo xtask --help`.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it only runs code of this repository"
)]

mod bench_load;
mod browser;
mod bugs;
mod check_time;
mod clients;
mod deny;
mod described;
mod dist;
mod fuzz;
mod generate;
mod hostile;
mod libraries;
mod lint_ci;
mod matrix;
mod measured;
mod pages;
mod parsers;
mod peers;
mod profiles;
mod purity;
mod scale;
mod scale_one;
mod site;
mod versus;
mod words;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, bail};
use clap::{Parser, Subcommand, ValueEnum};

/// Development tasks of sseproof.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Write the generated files, or check that they are up to date.
    Generate {
        /// Write the files, or fail if one differs.
        #[arg(long, value_enum, default_value_t = Mode::Write)]
        mode: Mode,
    },
    /// List the phrases that specs/words.yaml forbids, in every file or in these.
    Words {
        /// Beginnings of paths, from the root of the workspace.
        paths: Vec<String>,
    },
    /// Check that the pure crates depend on nothing that opens a socket.
    Purity,
    /// Install and start real servers of others, check each, and write reports/peers.md (with
    /// earlier results for the peers not named).
    Peers {
        /// Only these; without a name, all of scenarios/peers/.
        names: Vec<String>,
    },
    /// Check the small servers of scenarios/bugs/, each with a fault of a public bug report, and
    /// compare with what bugs.yaml expects (needs Python and Node).
    Bugs {
        /// Only these files.
        names: Vec<String>,
        /// Fail if Python or Node is missing, instead of skipping its servers.
        #[arg(long)]
        required: bool,
        /// The program that checks; without it, one is built.
        #[arg(long, value_name = "PROGRAM")]
        sseproof: Option<PathBuf>,
    },
    /// Measure Server-Sent Events and WebSockets on real servers that offer both, and write
    /// reports/sse-vs-websocket.md (with earlier results for the servers not named).
    Versus(versus::Versus),
    /// Install parsers of others, check each, and write reports/parsers.md.
    Parsers {
        /// Only these; without a name, all of scenarios/parsers/.
        names: Vec<String>,
    },
    /// Install clients of others, check each, and write reports/clients.md (with earlier results
    /// for the clients not named).
    Clients {
        /// Only these; without a name, all of scenarios/clients/.
        names: Vec<String>,
    },
    /// Read every mutant of the profiles of models with the official client libraries, and write
    /// reports/profiles.md.
    Profiles {
        /// Fail if Python or PyPI is missing, as in CI.
        #[arg(long)]
        required: bool,
    },
    /// Measure the codec and the decoders of others, and write reports/codec.md.
    BenchCodec,
    /// Measure the load generator and wrk, and write the table of reports/load.md.
    BenchLoad {
        /// Measure the latencies that wrk, oha, hey, autocannon and sseproof report of a server
        /// with known ones instead, and write their tables; a tool that is missing is skipped.
        #[arg(long)]
        tools: bool,
    },
    /// Hold 200,000 idle streams on this machine, and write a part of reports/scale.md (needs 12 GiB of
    /// free memory and an otherwise idle machine).
    ScaleOne {
        /// The number of streams.
        #[arg(long, default_value_t = 200_000)]
        streams: u64,
    },
    /// Measure how long a check takes, of the embedded server and of those of others that are
    /// installed (`cargo xtask peers`), and write reports/check-time.md.
    CheckTime {
        /// Only these; without a name, all that are installed.
        names: Vec<String>,
    },
    /// Run check, parse and load against each server of `sseproof serve --hostile`, and write
    /// reports/hostile.md (with earlier results for the servers not named).
    Hostile {
        /// Only these; without a name, all of them.
        names: Vec<String>,
    },
    /// Play many generators on a real Slurm, with S3 and Azure from emulators, and what goes wrong with
    /// them; writes reports/scale.md (needs root, Debian 12, Python and Node).
    Scale(scale::Scale),
    /// Read the corpus in a real Chromium, and write reports/corpus-in-chromium.md.
    Browser {
        /// The browser, if it is not in PATH.
        #[arg(long, value_name = "PROGRAM")]
        browser: Option<PathBuf>,
        /// Fail if no browser is installed, as in CI.
        #[arg(long)]
        required: bool,
    },
    /// Open the HTML pages in Chromium: html-validate, axe-core, and a look at what hostile text does.
    Pages {
        /// Fail if Node or Chromium is missing, as in CI.
        #[arg(long)]
        required: bool,
    },
    /// Write the site of static pages from the results in the repository.
    Site(site::Arguments),
    /// Look at all that CI systems read with the linters of others, from PyPI and npm: workflows, the
    /// action, the GitLab component, the hook, scripts, and SARIF.
    LintCi {
        /// Fail if Python or Node is missing, as in CI.
        #[arg(long)]
        required: bool,
    },
    /// Build all that can be published from this machine, with checksums, an SBOM and the licences of
    /// others, in target/packages; or install it in empty places (needs Python).
    Dist(dist::Dist),
    /// Write the licences of what is linked into the program, for any platform.
    ThirdParty {
        /// The file to write.
        file: PathBuf,
    },
    /// Check licences, sources, duplicates and advisories of dependencies (deny.toml).
    Deny {
        /// Fail if cargo-deny or the advisories are missing, as in CI.
        #[arg(long)]
        required: bool,
    },
    /// Run each fuzz target for a while (needs cargo-fuzz).
    Fuzz {
        /// How long each runs.
        #[arg(long, default_value_t = 10)]
        seconds: u64,
        /// Fail if cargo-fuzz is missing, as in CI.
        #[arg(long)]
        required: bool,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Mode {
    /// Write each that differs.
    Write,
    /// Fail if one differs.
    Check,
}

fn main() -> ExitCode {
    let done = match Arguments::parse().task {
        Task::Generate { mode } => generate::run(mode),
        Task::Words { paths } => words::show(&paths).map(|hits| println!("{hits} in all")),
        Task::Purity => purity::run(),
        Task::Peers { names } => peers::run(&names),
        Task::Bugs { names, required, sseproof } => {
            bugs::run(&names, required, sseproof.as_deref())
        }
        Task::Versus(arguments) => versus::run(&arguments),
        Task::Parsers { names } => parsers::run(&names),
        Task::Clients { names } => clients::run(&names),
        Task::Profiles { required } => profiles::run(required),
        Task::BenchCodec => {
            run(&root().join("bench"), &["cargo", "bench", "--bench", "report", "--", "--quiet"])
        }
        Task::BenchLoad { tools } => bench_load::run(tools),
        Task::ScaleOne { streams } => scale_one::run(streams),
        Task::CheckTime { names } => check_time::run(&names),
        Task::Hostile { names } => hostile::run(&names),
        Task::Scale(arguments) => scale::run(&arguments),
        Task::Browser { browser, required } => browser::run(browser, required),
        Task::Pages { required } => pages::run(required),
        Task::Site(arguments) => site::run(&arguments),
        Task::Dist(arguments) => dist::run(&arguments),
        Task::ThirdParty { file } => dist::write_third_party(&file),
        Task::Deny { required } => deny::run(required),
        Task::LintCi { required } => lint_ci::run(required),
        Task::Fuzz { seconds, required } => fuzz::run(seconds, required),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The root of the workspace.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// Runs the command in the folder to its end.
fn run(folder: &Path, command: &[impl AsRef<str>]) -> anyhow::Result<()> {
    let words: Vec<&str> = command.iter().map(AsRef::as_ref).collect();
    let [program, arguments @ ..] = words.as_slice() else { bail!("an empty command") };
    let status = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .status()
        .with_context(|| format!("start {program}"))?;
    if !status.success() {
        bail!("`{}` ended with {status}", words.join(" "));
    }
    Ok(())
}
