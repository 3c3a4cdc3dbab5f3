//! Runs `check`, `parse` and `load` against each hostile server, and measures memory and time.
//!
//! Each server is a process of its own: the memory of sseproof alone is measured, as the kernel
//! keeps it (`VmHWM`).

use std::fmt::Write as _;
use std::fs;
use std::io::{self, BufRead as _, BufReader, Seek as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use sseproof_rules::{Hostile, hostile};
use sseproof_units::{bytes, duration};

use crate::{measured, root};

const REPORT: &str = "reports/hostile.md";
/// The most memory that any of the commands may take.
const MEMORY: u64 = 256 << 20;
/// The time after which `check` ends by itself.
const DEADLINE: Duration = Duration::from_secs(120);
const LOOK: Duration = Duration::from_millis(5);

/// The commands, and how many seconds each may take; `parse` reads for as long as a server sends.
const COMMANDS: [(&str, &[&str], u64); 3] = [
    ("check", &["--deadline", "2m", "--quiet"], 180),
    ("parse", &[], 15),
    ("load", &["-c", "100", "--ramp", "1s", "--plateaus", "1", "--hold", "3s"], 90),
];

struct Measured {
    command: &'static str,
    code: Option<i32>,
    memory: u64,
    took: Duration,
    /// Why the check is inconclusive, if it is.
    inconclusive: Option<String>,
}

pub(crate) fn run(names: &[String]) -> anyhow::Result<()> {
    if let Some(unknown) = names.iter().find(|name| !hostile().any(|one| one.id == **name)) {
        bail!("no hostile server {unknown}");
    }
    // Its times are those of the program that users have.
    crate::run(&root(), &["cargo", "build", "--quiet", "--release", "--package", "sseproof"])?;
    let program = measured::program("release");
    let mut out = format!(
        "# Hostile servers\n\nMade by `cargo xtask hostile`.\nPeak memory (at most {}) and time of each command; `check` has a deadline of {}.\nA check with the exit code 1 has found a broken rule, or it is inconclusive: then its report says why.\nMost of these servers send without end: once all responses have taken the memory that a run may use, no more probes are played, and only a rule that is broken by then is certain.\n\n| server | what it does | command | exit code | memory | time |\n|---|---|---|---|---|---|\n",
        bytes(MEMORY),
        duration(DEADLINE)
    );
    let earlier = fs::read_to_string(root().join(REPORT)).unwrap_or_default();
    let mut wrong = Vec::new();
    for server in hostile() {
        if !names.is_empty() && !names.iter().any(|name| name == server.id) {
            let start = format!("| `{}` |", server.id);
            let rows = earlier.lines().filter(|row| row.starts_with(&start));
            rows.for_each(|row| out.extend([row, "\n"]));
            continue;
        }
        for measured in measure(&program, server)? {
            let Measured { command, code, memory, took, inconclusive } = measured;
            let mut shown = code.map_or_else(|| "did not end".to_owned(), |code| code.to_string());
            if let Some(why) = inconclusive {
                shown += &format!(" ({why})");
            }
            let row = format!(
                "| `{}` | {} | `{command}` | {shown} | {} | {} |",
                server.id,
                server.wrong,
                bytes(memory),
                duration(took)
            );
            println!("{row}");
            // Writing to a string does not fail.
            let _ = writeln!(out, "{row}");
            let is_green = command == "check" && code == Some(0) && !server.may_pass;
            let is_fault = code.map_or(command != "parse", |code| code == 4 || code == 101);
            if memory > MEMORY || is_green || is_fault {
                wrong.push(format!("{} of {}", command, server.id));
            }
        }
    }
    fs::write(root().join(REPORT), out).with_context(|| format!("write {REPORT}"))?;
    if !wrong.is_empty() {
        bail!("over a bound, green, or a panic: {}", wrong.join(", "));
    }
    Ok(())
}

/// A process that ends with this value.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn measure(program: &Path, server: &Hostile) -> anyhow::Result<Vec<Measured>> {
    let mut serving = Command::new(program);
    serving.args(["serve", "--hostile", server.id]).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut serving = Running(serving.spawn().context("start the server")?);
    let mut line = String::new();
    let stdout = serving.0.stdout.take().context("the output of the server")?;
    BufReader::new(stdout).read_line(&mut line).context("read the output of the server")?;
    let url = line.split_whitespace().find(|word| word.starts_with("http://"));
    let url = url.with_context(|| format!("no URL in {line:?}"))?;
    let run = |(command, options, seconds): &(&'static str, &[&str], u64)| {
        let mut started = Command::new(program);
        started.args([command, url]).args(*options);
        if server.http2 {
            started.args(["--http", "2"]);
        }
        one(started, command, Duration::from_secs(*seconds))
    };
    COMMANDS.iter().map(run).collect()
}

fn one(
    mut started: Command,
    command: &'static str,
    patience: Duration,
) -> anyhow::Result<Measured> {
    let begun = Instant::now();
    let mut shown = tempfile::tempfile().context("make a file for the output")?;
    let output = match command {
        "check" => Stdio::from(shown.try_clone().context("share the file for the output")?),
        // That of the others is as long as the stream.
        _ => Stdio::null(),
    };
    let child = started.stdin(Stdio::null()).stdout(output).stderr(Stdio::null()).spawn();
    let mut child = Running(child.with_context(|| format!("start {command}"))?);
    let status = format!("/proc/{}/status", child.0.id());
    let mut memory = 0;
    loop {
        memory = memory.max(peak(&status).unwrap_or(0));
        let ended = child.0.try_wait().context("wait for the command")?;
        if ended.is_some() || begun.elapsed() > patience {
            let code = ended.and_then(|status| status.code());
            let took = begun.elapsed();
            let inconclusive = inconclusive(&mut shown).context("read the output")?;
            return Ok(Measured { command, code, memory, took, inconclusive });
        }
        std::thread::sleep(LOOK);
    }
}

/// The verdict in the output, if it is that the run is inconclusive.
fn inconclusive(output: &mut fs::File) -> io::Result<Option<String>> {
    output.rewind()?;
    let text = format!("\n{}", io::read_to_string(output)?);
    let verdict = text.rsplit_once("\n? ").map(|(_, verdict)| verdict);
    // It may take several lines.
    let verdict = verdict.map(|verdict| verdict.split_whitespace().collect::<Vec<_>>().join(" "));
    Ok(verdict.filter(|verdict| verdict.starts_with("inconclusive")))
}

/// The peak of the resident memory of a process, in bytes.
pub(crate) fn peak(status: &str) -> Option<u64> {
    let text = fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? << 10)
}
