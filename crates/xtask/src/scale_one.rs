//! As many idle streams as one machine holds, and their memory: in the generator, the server and the
//! kernel.

use std::fmt::Write as _;
use std::fs;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, bail};
use nix::sys::resource::{Resource, getrlimit};
use sseproof_load_model::{Counter, Metric, Outcome};
use sseproof_units::Value;

use crate::bench_load::{Server, cost, doubts, filled, quantile};
use crate::measured;

const PAGE: &str = "reports/scale.md";
const LINES: [&str; 2] = ["<!-- made by cargo xtask scale-one -->\n", "<!-- by hand again -->\n"];
/// The port of the server; the system never assigns it to a client.
const LISTEN: &str = "127.0.0.1:21900";
/// Source addresses from 127.0.0.2 on.
const ADDRESSES: u64 = 10;
const GIB: u64 = 1 << 30;
/// The free memory that a run needs, and the memory at which it is ended.
const NEEDED: u64 = 12 * GIB;
const LEAST: u64 = 3 * GIB;

pub(crate) fn run(streams: u64) -> anyhow::Result<()> {
    let program = measured::published()?;
    let free = available()?;
    if free < NEEDED {
        bail!("{} of memory are available, of 12 GiB needed", Value::bytes(free as f64));
    }
    let (_, files) = getrlimit(Resource::RLIMIT_NOFILE).context("read the limit of open files")?;
    // The system does not spread connections evenly over servers that share a port.
    let processes = streams.div_ceil((files / 20 * 19).max(1)).to_string();
    let server = Server::start(&program, &["--listen", LISTEN, "--processes", &processes])?;
    // The server sends a comment to each stream every 15 s.
    let last = 1 + ADDRESSES;
    let words = format!(
        "'U/events?every=never' --stamp own --sequence own -c {streams} --ramp 60s --plateaus 4 --hold 60s --processes {processes} --bind 127.0.0.2-127.0.0.{last} --server-pid P"
    );
    let json = tempfile::NamedTempFile::new().context("make a file for the result")?;
    println!("== sseproof load {words}");
    let mut load = Command::new(&program)
        .arg("load")
        .args(filled(&words, Some(&server))?)
        .arg("--json")
        .arg(json.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .context("start sseproof load")?;
    let mut least = free;
    let status = loop {
        if let Some(status) = load.try_wait().context("wait for sseproof load")? {
            break status;
        }
        least = least.min(available()?);
        if least < LEAST {
            load.kill().context("end sseproof load")?;
            bail!("less than 3 GiB of memory are available: too many streams for this machine");
        }
        sleep(Duration::from_millis(200));
    };
    // If the generator was the bottleneck, the exit code is 1, and there still is a result.
    if !matches!(status.code(), Some(0 | 1)) {
        bail!("`sseproof load {words}` ended with {status}");
    }
    let outcomes = measured::read(json.path())?;
    let outcome = outcomes.first().context("there is no outcome")?;
    let commands = format!(
        "```sh\nsseproof serve --load --listen {LISTEN} --processes {processes}\nsseproof load {}\n```\n",
        words.replace("U/", &format!("http://{LISTEN}/")).replace(" P", " PID")
    );
    let page = format!("\n{commands}\n{}\n{}\n", table(outcome, free - least), limits(files));
    measured::write_between(PAGE, LINES, &page)
}

fn table(outcome: &Outcome, used: u64) -> String {
    let open = outcome.intervals.iter().map(|interval| interval.open).max().unwrap_or_default();
    let total = outcome.total();
    let count = |counter| total.counters.count(counter).to_string();
    let share = |metric, share| quantile(outcome, metric, share);
    let rows = [
        ("streams open together", open.to_string() + &doubts(outcome)),
        ("errors", count(Counter::Errors)),
        ("streams that were open until the end of the run", count(Counter::Closed)),
        ("generator: private memory for each stream (slope)", cost(outcome, "memory.generator")),
        ("generator: all memory ÷ streams", cost(outcome, "memory.generator.all-in")),
        ("server: private memory for each stream (slope)", cost(outcome, "memory.server")),
        ("server: all memory ÷ streams", cost(outcome, "memory.server.all-in")),
        ("kernel: slabs for each stream, both ends", cost(outcome, "memory.kernel")),
        ("all memory of the machine that was taken", Value::bytes(used as f64).to_string()),
        ("the same ÷ streams", Value::bytes(used as f64 / open.max(1) as f64).to_string()),
        ("time to connect, p99", share(Metric::Connect, 0.99)),
        ("event loop lag of the generator, p99", share(Metric::LoopLag, 0.99)),
        ("event loop lag of the generator, max", share(Metric::LoopLag, 1.0)),
        ("time to the response headers, p99", share(Metric::Head, 0.99)),
    ];
    two_columns(["figure", "measured"], rows)
}

/// The limits of this system that a run meets.
fn limits(files: u64) -> String {
    let read = |name: &str| {
        let path = format!("/proc/sys/{}", name.replace('.', "/"));
        let text = fs::read_to_string(path).unwrap_or_else(|_| "not there".to_owned());
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let names = [
        "net.ipv4.ip_local_port_range",
        "net.core.somaxconn",
        "net.ipv4.tcp_max_syn_backlog",
        "net.ipv4.tcp_mem",
        "net.netfilter.nf_conntrack_max",
        "net.netfilter.nf_conntrack_count",
        "fs.nr_open",
        "fs.file-max",
    ];
    let files = ("open files of a process (`ulimit -Hn`)", files.to_string());
    two_columns(
        ["limit", "here"],
        std::iter::once(files).chain(names.map(|name| (name, read(name)))),
    )
}

fn two_columns<'r>(head: [&str; 2], rows: impl IntoIterator<Item = (&'r str, String)>) -> String {
    let mut page = format!("| {} | {} |\n|---|--:|\n", head[0], head[1]);
    for (name, value) in rows {
        // Writing to a string does not fail.
        let _ = writeln!(page, "| {name} | {value} |");
    }
    page
}

/// The memory that programs can still get, in bytes.
fn available() -> anyhow::Result<u64> {
    let text = fs::read_to_string("/proc/meminfo").context("read /proc/meminfo")?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    Ok(kib.context("there is no MemAvailable in /proc/meminfo")? * 1024)
}
