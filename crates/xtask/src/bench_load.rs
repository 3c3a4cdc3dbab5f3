//! The limits and the costs of the load generator, and those of wrk in the same run; latencies beside other
//! tools.

mod tools;

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, bail};
use sseproof_load_model::{Cost, Counter, Metric, Outcome};
use sseproof_units::Value;

use crate::measured;

const PAGE: &str = "reports/load.md";
const TABLE: [&str; 2] = ["<!-- made by cargo xtask bench-load -->\n", "<!-- by hand again -->\n"];
/// The port that several servers share; the system never assigns it to a client.
const SHARED: u16 = 21_900;
const NO_WRK: &str = "wrk is missing";

struct Row {
    what: &'static str,
    goal: &'static str,
    measured: String,
    command: String,
}

type Part = fn(&Bench) -> anyhow::Result<Vec<Row>>;

struct Bench {
    program: PathBuf,
    json: tempfile::NamedTempFile,
}

/// `sseproof serve --load`, until it is dropped.
pub(crate) struct Server {
    child: Child,
    origin: String,
}

impl Server {
    /// The server of this program, with more arguments.
    pub(crate) fn start(program: &Path, more: &[&str]) -> anyhow::Result<Self> {
        let mut child = Command::new(program)
            .args(["serve", "--load"])
            .args(more)
            .stdout(Stdio::piped())
            .spawn()
            .context("start the load server")?;
        let output = child.stdout.take().context("read the output of the load server")?;
        let mut line = String::new();
        BufReader::new(output)
            .read_line(&mut line)
            .context("read the output of the load server")?;
        let (at, end) = (line.find("http://"), line.find("/events"));
        let origin = at.zip(end).and_then(|(at, end)| line.get(at..end));
        let origin = origin.with_context(|| format!("the load server wrote `{line}`"))?.to_owned();
        Ok(Self { child, origin })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // If it has exited already, that is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The place of the tables of other tools.
const TOOLS: [&str; 2] =
    ["<!-- made by cargo xtask bench-load --tools -->\n", "<!-- by hand after the tools -->\n"];

pub(crate) fn run(tools: bool) -> anyhow::Result<()> {
    if tools {
        return measured::write_between(PAGE, TOOLS, &tools::table()?);
    }
    let program = measured::published()?;
    let json = tempfile::NamedTempFile::new().context("make a file for results")?;
    let bench = Bench { program, json };
    let parts: [Part; 6] = [memory, opening, hot, processor, error, many];
    let mut rows = Vec::new();
    for part in parts {
        for row in part(&bench)? {
            println!("{}: {}, goal: {}", row.what, row.measured, row.goal);
            rows.push(row);
        }
    }
    measured::write_between(PAGE, TABLE, &table(&rows))
}

fn table(rows: &[Row]) -> String {
    let mut page = String::from("\n| figure | goal | measured | command |\n|---|--:|--:|---|\n");
    for Row { what, goal, measured, command } in rows {
        // Writing to a string does not fail.
        let _ = writeln!(page, "| {what} | {goal} | {measured} | `{command}` |");
    }
    page.push('\n');
    page
}

fn rows<const N: usize>(
    command: String,
    figures: [(&'static str, &'static str, String); N],
) -> Vec<Row> {
    let row = |(what, goal, measured)| Row { what, goal, measured, command: command.clone() };
    figures.map(row).into()
}

impl Bench {
    fn serve(&self, more: &[&str]) -> anyhow::Result<Server> {
        Server::start(&self.program, more)
    }

    /// Runs `sseproof load` with these arguments: `U` and `W` stand for the server's URL for
    /// Server-Sent Events and for WebSockets, `P` for its process.
    fn load(&self, server: Option<&Server>, words: &str) -> anyhow::Result<Vec<Outcome>> {
        println!("== sseproof load {words}");
        let mut command = Command::new(&self.program);
        command.arg("load").args(filled(words, server)?);
        command.arg("--json").arg(self.json.path()).stdout(Stdio::null()).stderr(Stdio::null());
        let status = command.status().context("start sseproof load")?;
        // If the generator was the bottleneck, the exit code is 1, and there still is a result.
        if !matches!(status.code(), Some(0 | 1)) {
            bail!("`sseproof load {words}` ended with {status}");
        }
        measured::read(self.json.path())
    }
}

pub(crate) fn filled(words: &str, server: Option<&Server>) -> anyhow::Result<Vec<String>> {
    let mut filled = words.to_owned();
    if let Some(server) = server {
        filled = filled
            .replace("U/", &format!("{}/", server.origin))
            .replace("W/", &format!("{}/", server.origin.replacen("http", "ws", 1)))
            .replace(" P", &format!(" {}", server.child.id()));
    }
    shlex::split(&filled).with_context(|| format!("split `{words}`"))
}

fn first(outcomes: Vec<Outcome>) -> anyhow::Result<Outcome> {
    outcomes.into_iter().next().context("there is no outcome")
}

pub(crate) fn doubts(outcome: &Outcome) -> String {
    let run = &outcome.run;
    let reasons: Vec<_> = run.partial.iter().chain(&run.saturated).map(String::as_str).collect();
    if reasons.is_empty() { String::new() } else { format!(" (! {})", reasons.join("; ")) }
}

pub(crate) fn cost(outcome: &Outcome, key: &str) -> String {
    let value = Cost::of(outcome).value(key);
    value.map_or_else(|| "not measured".to_owned(), |value| value.to_string())
}

pub(crate) fn quantile(outcome: &Outcome, metric: Metric, share: f64) -> String {
    outcome.total().histogram(metric).map_or_else(
        || "nothing".to_owned(),
        |seen| Value::time(seen.quantile(share) as f64).to_string(),
    )
}

fn memory(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let words = "'U/events?every=never' --versus 'W/ws?every=never' -c 15000 --ramp 12s --plateaus 5 --hold 3s --server-pid P";
    let server = bench.serve(&[])?;
    let outcomes = bench.load(Some(&server), words)?;
    let [events, messages] = outcomes.as_slice() else { bail!("expected two outcomes") };
    let figures = [
        (
            "private memory of the generator per idle connection (slope, 15,000 connections): SSE",
            "1.5 KiB",
            cost(events, "memory.generator") + &doubts(events),
        ),
        ("the same: WebSocket", "1.5 KiB", cost(messages, "memory.generator")),
        ("in total (PSS ÷ connections): SSE", "2.5 KiB", cost(events, "memory.generator.all-in")),
        ("the same: WebSocket", "2.5 KiB", cost(messages, "memory.generator.all-in")),
        (
            "private memory of the embedded server per idle connection (slope): SSE",
            "",
            cost(events, "memory.server"),
        ),
    ];
    let mut rows = rows(format!("sseproof load {words}"), figures);
    rows.push(wrk_memory(&server)?);
    Ok(rows)
}

fn wrk_memory(server: &Server) -> anyhow::Result<Row> {
    let command = "wrk -t1 -c15000 -d8s 'U/events?every=never'";
    let measured = match wrk(command, server)? {
        None => NO_WRK.to_owned(),
        Some(mut child) => {
            sleep(Duration::from_secs(6));
            let all = pss(child.id())?;
            child.wait().context("wait for wrk")?;
            Value::bytes(all as f64 / 15_000.0).to_string()
        }
    };
    Ok(Row { what: "wrk, in total", goal: "", measured, command: command.to_owned() })
}

fn wrk(command: &str, server: &Server) -> anyhow::Result<Option<Child>> {
    println!("== {command}");
    let words = filled(command, Some(server))?;
    let started = Command::new("wrk").args(&words[1..]).stdout(Stdio::null()).spawn();
    match started {
        Ok(child) => Ok(Some(child)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).context("start wrk"),
    }
}

/// The proportional set size of that process, in bytes.
fn pss(process: u32) -> anyhow::Result<u64> {
    let path = format!("/proc/{process}/smaps_rollup");
    let text = fs::read_to_string(&path).with_context(|| format!("read {path}"))?;
    let line =
        text.lines().find_map(|line| line.strip_prefix("Pss:")).context("there is no Pss")?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().context("read Pss")?;
    Ok(kib * 1024)
}

fn opening(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let words =
        "'U/events?every=1s' --stamp own --sequence own -c 10000 --ramp 0s --plateaus 1 --hold 8s";
    let server = bench.serve(&[])?;
    let outcome = first(bench.load(Some(&server), words)?)?;
    let last = |metric| quantile(&outcome, metric, 1.0);
    let streams = outcome.total().counters.count(Counter::Streams);
    let figures = [
        (
            "10,000 connections opened together: the last one is connected after",
            "",
            last(Metric::Connect),
        ),
        (
            "and receives its first event (one is sent per second) this long after its request",
            "2 s with the row above",
            last(Metric::FirstEvent) + &format!(", {streams} streams"),
        ),
    ];
    Ok(rows(format!("sseproof load {words}"), figures))
}

fn hot(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let words = "'U/events?every=1ms&burst=2000' --stamp own --sequence own -c 1 --ramp 0s --plateaus 1 --hold 6s --server-pid P";
    let server = bench.serve(&[])?;
    let outcome = first(bench.load(Some(&server), words)?)?;
    let events = outcome.total().counters.count(Counter::Events) as f64;
    let measured = format!("{:.2} M/s", events / outcome.lasting().as_secs_f64() / 1e6);
    let measured = measured + &doubts(&outcome);
    let what = "events of one busy connection, decoded, stamped and counted";
    Ok(rows(format!("sseproof load {words}"), [(what, "1.5 M/s", measured)]))
}

/// Processor time of each event at ten thousand connections, beside that of wrk.
///
/// The time of a short run is subtracted from that of a long one, so that opening and closing
/// connections is in neither; wrk counts no events, but receives the same from the same server.
fn processor(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    const ROUNDS: u32 = 3;
    let words = "'U/events?every=1s' -c 10000 --ramp 0s --plateaus 1 --hold";
    let command = "wrk -t1 -c10000 'U/events?every=1s' -d";
    let (mut ours, mut theirs) = (0.0, 0.0);
    for _ in 0..ROUNDS {
        for (seconds, sign) in [(5, -1.0), (20, 1.0)] {
            let server = bench.serve(&[])?;
            let before = children_time()?;
            bench.load(Some(&server), &format!("{words} {seconds}s"))?;
            ours += sign * (children_time()? - before);
            let before = children_time()?;
            match wrk(&format!("{command}{seconds}s"), &server)? {
                None => theirs = f64::NAN,
                Some(mut child) => drop(child.wait().context("wait for wrk")?),
            }
            theirs += sign * (children_time()? - before);
        }
    }
    // One event per second and connection, in the 15 seconds by which the runs differ.
    let events = f64::from(ROUNDS) * 15.0 * 10_000.0;
    let each = |seconds: f64| Value::time(seconds / events * 1e9).to_string();
    let command = format!("sseproof load {words} 20s, and 5s; {command}20s, and 5s");
    let has_wrk = theirs.is_finite();
    let beside = |text: String| if has_wrk { text } else { NO_WRK.to_owned() };
    Ok(rows(
        command,
        [
            (
                "processor time of an event, at 10,000 events per second on 10,000 connections",
                "",
                each(ours),
            ),
            ("wrk, which does not parse", "", beside(each(theirs))),
            ("sseproof ÷ wrk", "1.2", beside(format!("{:.2}", ours / theirs))),
        ],
    ))
}

/// The processor time of all children that have exited, in seconds.
fn children_time() -> anyhow::Result<f64> {
    use nix::sys::resource::{UsageWho, getrusage};

    let usage =
        getrusage(UsageWho::RUSAGE_CHILDREN).context("read the processor time of children")?;
    let seconds =
        |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    Ok(seconds(usage.user_time()) + seconds(usage.system_time()))
}

fn error(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let words = "--calibrate -c 5000 --ramp 4s --plateaus 1 --hold 10s";
    let outcomes = bench.load(None, words)?;
    let all = |share| {
        let each = outcomes
            .iter()
            .map(|outcome| quantile(outcome, Metric::Overhead, share) + &doubts(outcome));
        each.collect::<Vec<_>>().join(", ")
    };
    Ok(rows(
        format!("sseproof load {words}"),
        [
            (
                "error of the delivery latency at 5,000 clients, for events delayed by 0, 1, 10 and 100 ms: p50",
                "0.3 ms",
                all(0.5),
            ),
            ("the same, p99", "2 ms", all(0.99)),
        ],
    ))
}

fn many(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let listen = format!("127.0.0.1:{SHARED}");
    let more = ["--listen", listen.as_str(), "--reuse-port"];
    let servers = [bench.serve(&more)?, bench.serve(&more)?, bench.serve(&more)?];
    let words = "'U/events?every=10s' -c 40000 --ramp 30s --plateaus 1 --hold 15s --processes 3 --bind 127.0.0.2-127.0.0.3";
    let outcome = first(bench.load(Some(&servers[0]), words)?)?;
    let open = outcome.intervals.iter().map(|interval| interval.open).max().unwrap_or_default();
    let counters = &outcome.total().counters;
    let (errors, events) = (counters.count(Counter::Errors), counters.count(Counter::Events));
    let measured = format!("{open} open, {errors} errors, {events} events") + &doubts(&outcome);
    let what = "connections on one machine, from three processes to three servers";
    let command = format!(
        "sseproof load {words}, and three times sseproof serve --load --listen {listen} --reuse-port"
    );
    Ok(rows(command, [(what, "40,000", measured)]))
}
