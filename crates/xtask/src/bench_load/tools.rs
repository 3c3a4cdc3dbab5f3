//! Latencies that other load tools report, and sseproof, as ratios to the right ones.
//!
//! A server of its own holds each response for a known time, and in one of the two runs it answers
//! nothing for a second. So the latency of each request of a schedule can be computed, and with it each
//! percentile: a tool that waits for responses before it sends the next request leaves out those that
//! the stall would have made slow (coordinated omission).

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, sleep};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde_json::Value as Json;
use sseproof_load_model::{Histogram, Metric};
use sseproof_units::Value;

use crate::{measured, root};

/// Requests per second.
const RATE: u32 = 500;
const LASTING: Duration = Duration::from_secs(10);
/// The time for which each response is held.
const HELD: Duration = Duration::from_millis(20);
/// No response is written between these times after the first request.
const STALL: (Duration, Duration) = (Duration::from_secs(4), Duration::from_secs(5));

const SHARES: [f64; 3] = [0.5, 0.99, 0.999];

/// The percentiles of `SHARES`, in nanoseconds.
type Percentiles = [f64; SHARES.len()];

struct Tool {
    name: &'static str,
    /// `U` is the URL, and `S` a file of this tool.
    command: &'static str,
    file: Option<&'static str>,
    read: fn(&str) -> anyhow::Result<Percentiles>,
}

/// Ten connections of wrk are as many requests per second as the rate, as it waits for each response.
const TOOLS: [Tool; 6] = [
    Tool {
        name: "sseproof",
        command: "sseproof load U --profile plain --rate 500/s --duration 10s --quiet --json S",
        file: Some(""),
        read: of_sseproof,
    },
    Tool {
        name: "oha, corrected",
        command: "oha --no-tui --output-format json -z 10s -c 50 -q 500 --latency-correction U",
        file: None,
        read: of_oha,
    },
    Tool {
        name: "oha",
        command: "oha --no-tui --output-format json -z 10s -c 50 -q 500 U",
        file: None,
        read: of_oha,
    },
    Tool {
        name: "autocannon, which corrects",
        command: "autocannon --json -d 10 -c 50 -R 500 U",
        file: None,
        read: of_autocannon,
    },
    Tool { name: "hey", command: "hey -z 10s -c 50 -q 10 -o csv U", file: None, read: of_hey },
    Tool {
        name: "wrk, which has no rate",
        command: "wrk -t 1 -c 10 -d 10s -s S U",
        file: Some(
            "done = function(_, latency)\n  io.write(string.format('%f %f %f', latency:percentile(50), latency:percentile(99), latency:percentile(99.9)))\nend\n",
        ),
        read: of_wrk,
    },
];

/// The tables of all tools, without and with a stall.
pub(super) fn table() -> anyhow::Result<String> {
    let program = measured::published()?;
    let mut page = String::new();
    for (stall, title) in [
        (None, "Each response is held for 20 ms:"),
        (
            Some(STALL),
            "The same, and from 4 s to 5 s after the first request the server answers nothing:",
        ),
    ] {
        let truth = truth(stall);
        let shown = |seen: Percentiles| {
            let each = seen
                .iter()
                .zip(truth)
                .map(|(seen, right)| format!("{} (× {:.2})", Value::time(*seen), seen / right));
            each.collect::<Vec<_>>().join(" | ")
        };
        // Writing to a string does not fail.
        let _ = write!(
            page,
            "\n{title}\n\n| | requests per second | p50 | p99 | p99.9 | command |\n|---|--:|--:|--:|--:|---|\n| computed | {RATE} | {} | |\n",
            truth.map(|time| Value::time(time).to_string()).join(" | "),
        );
        for tool in &TOOLS {
            let Tool { name, command, .. } = tool;
            println!("== {command}");
            let row = match tool.run(&program, stall)? {
                None => {
                    println!("!! {name} is missing, and was not measured");
                    "not measured: it is missing | | | ".to_owned()
                }
                Some((rate, seen)) => format!("{rate:.0} | {}", shown(seen)),
            };
            println!("{name}: {row}");
            let _ = writeln!(page, "| {name} | {row} | `{command}` |");
        }
    }
    page.push('\n');
    Ok(page)
}

/// The right percentiles of a constant rate.
fn truth(stall: Option<(Duration, Duration)>) -> Percentiles {
    let count = LASTING.as_secs() as u32 * RATE;
    let mut times: Vec<f64> = (0..count)
        .map(|n| held(Duration::from_secs(1) / RATE * n, stall).as_nanos() as f64)
        .collect();
    percentiles(&mut times)
}

/// How long the response to a request is held that arrives so long after the first one.
fn held(at: Duration, stall: Option<(Duration, Duration)>) -> Duration {
    let until_end = stall.filter(|(begin, end)| (*begin..*end).contains(&at));
    until_end.map_or(HELD, |(_, end)| HELD.max(end - at))
}

fn percentiles(times: &mut [f64]) -> Percentiles {
    times.sort_by(f64::total_cmp);
    SHARES.map(|share| {
        let at = (share * times.len() as f64).ceil() as usize;
        times.get(at.saturating_sub(1)).copied().unwrap_or(f64::NAN)
    })
}

impl Tool {
    /// The rate of its requests as the server counted it, and the percentiles that it reports; `None`
    /// without the tool.
    fn run(
        &self,
        program: &Path,
        stall: Option<(Duration, Duration)>,
    ) -> anyhow::Result<Option<(f64, Percentiles)>> {
        let server = Server::start(stall)?;
        let file = tempfile::NamedTempFile::new().context("make a file")?;
        let path = file.path().to_str().context("the path of a file")?;
        std::fs::write(path, self.file.unwrap_or_default()).context("write a file")?;
        let words = shlex::split(self.command).context("split a command")?;
        let words = words.into_iter().map(|word| match word.as_str() {
            "U" => server.url.clone(),
            "S" => path.to_owned(),
            _ => word,
        });
        let words: Vec<String> = words.collect();
        let [name, arguments @ ..] = words.as_slice() else { bail!("an empty command") };
        let Some(tool) = (if name == "sseproof" { Some(program.to_owned()) } else { found(name) })
        else {
            return Ok(None);
        };
        let output = Command::new(tool)
            .args(arguments)
            .stderr(Stdio::inherit())
            .output()
            .with_context(|| format!("start {name}"))?;
        let printed = match self.file {
            Some("") => std::fs::read_to_string(path).context("read a result")?,
            _ => String::from_utf8_lossy(&output.stdout).into_owned(),
        };
        let seen = (self.read)(&printed);
        let seen = seen.with_context(|| format!("read what `{}` printed", self.command))?;
        Ok(Some((server.rate(), seen)))
    }
}

/// Where tools of npm and cargo are installed, if they are not in PATH.
const FOLDERS: [&str; 2] = ["target/bench-load/node_modules/.bin", "target/bench-load/bin"];

fn found(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = FOLDERS.map(|folder| root().join(folder)).into_iter();
    let mut all = folders.chain(std::env::split_paths(&path)).map(|folder| folder.join(name));
    all.find(|program| program.is_file())
}

fn of_sseproof(result: &str) -> anyhow::Result<Percentiles> {
    let json: Json = serde_json::from_str(result)?;
    let outcomes: Vec<sseproof_load_model::Outcome> =
        serde_json::from_value(json.get("outcomes").cloned().context("no outcomes")?)?;
    let total = outcomes.first().context("no outcome")?.total();
    let times: &Histogram = total.histogram(Metric::EndToEnd).context("no times")?;
    Ok(SHARES.map(|share| times.quantile(share) as f64))
}

fn of_oha(result: &str) -> anyhow::Result<Percentiles> {
    of_json(result, "latencyPercentiles", ["p50", "p99", "p99.9"], 1e9)
}

fn of_autocannon(result: &str) -> anyhow::Result<Percentiles> {
    of_json(result, "latency", ["p50", "p99", "p99_9"], 1e6)
}

fn of_json(
    result: &str,
    member: &str,
    keys: [&str; SHARES.len()],
    unit: f64,
) -> anyhow::Result<Percentiles> {
    let json: Json = serde_json::from_str(result)?;
    let times = json.get(member).with_context(|| format!("no `{member}`"))?;
    let time = |key| times.get(key).and_then(Json::as_f64).with_context(|| format!("no `{key}`"));
    let [half, most, nearly_all] = keys.map(time);
    Ok([half? * unit, most? * unit, nearly_all? * unit])
}

fn of_hey(result: &str) -> anyhow::Result<Percentiles> {
    let rows = result.lines().skip(1).filter_map(|row| row.split(',').next()?.parse().ok());
    let mut times: Vec<f64> = rows.map(|seconds: f64| seconds * 1e9).collect();
    if times.is_empty() {
        bail!("no times");
    }
    Ok(percentiles(&mut times))
}

/// The last line is of the script, in microseconds.
fn of_wrk(result: &str) -> anyhow::Result<Percentiles> {
    let last = result.lines().last().unwrap_or_default();
    let times: Vec<f64> = last.split(' ').filter_map(|time| time.parse().ok()).collect();
    let times: Percentiles = times.try_into().ok().context("not three times in the last line")?;
    Ok(times.map(|time| time * 1e3))
}

/// A server with known latencies; its threads end with this program.
struct Server {
    url: String,
    seen: Arc<Mutex<Readings>>,
}

#[derive(Default)]
struct Readings {
    first: Option<Instant>,
    last: Option<Instant>,
    count: u32,
}

const ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 9\r\n\r\ndata: x\n\n";

impl Server {
    fn start(stall: Option<(Duration, Duration)>) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("listen")?;
        let url = format!("http://{}/", listener.local_addr().context("a port")?);
        let seen: Arc<Mutex<Readings>> = Arc::default();
        let all = Arc::clone(&seen);
        Builder::new()
            .spawn(move || {
                for stream in listener.incoming().flatten() {
                    let all = Arc::clone(&all);
                    let serving = move || drop(serve(stream, &all, stall));
                    // A client that gets no thread has its connection closed.
                    let _ = Builder::new().stack_size(64 << 10).spawn(serving);
                }
            })
            .context("start a thread")?;
        Ok(Self { url, seen })
    }

    /// How many requests arrived per second.
    fn rate(&self) -> f64 {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let lasting = seen.first.zip(seen.last).map(|(first, last)| last - first);
        f64::from(seen.count.saturating_sub(1)) / lasting.unwrap_or_default().as_secs_f64()
    }
}

fn serve(
    mut stream: TcpStream,
    seen: &Mutex<Readings>,
    stall: Option<(Duration, Duration)>,
) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let (mut request, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let read = stream.read(&mut buffer)?;
        if read == 0 {
            return Ok(());
        }
        request.extend_from_slice(&buffer[..read]);
        if !request.ends_with(b"\r\n\r\n") {
            continue;
        }
        request.clear();
        let now = Instant::now();
        let at = {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            (seen.last, seen.count) = (Some(now), seen.count + 1);
            now - *seen.first.get_or_insert(now)
        };
        sleep(held(at, stall).saturating_sub(now.elapsed()));
        stream.write_all(ANSWER)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stall_is_in_a_tenth_of_the_right_latencies() {
        assert_eq!(truth(None).map(|time| time / 1e6), [20.0; 3]);
        // A hundredth of all lies in the last tenth of the stall, from its begin.
        let [half, most, nearly_all] = truth(Some(STALL)).map(|time| time / 1e6);
        assert_eq!(half, 20.0);
        assert!((899.0..=903.0).contains(&most) && (989.0..=993.0).contains(&nearly_all));
    }

    #[test]
    fn results_are_read() {
        let ms = |seen: anyhow::Result<Percentiles>| seen.unwrap().map(|time| time / 1e6);
        let oha = r#"{"latencyPercentiles":{"p50":0.02,"p99":0.5,"p99.9":1}}"#;
        assert_eq!(ms(of_oha(oha)), [20.0, 500.0, 1000.0]);
        assert_eq!(
            ms(of_autocannon(r#"{"latency":{"p50":20,"p99":21,"p99_9":22}}"#)),
            [20.0, 21.0, 22.0]
        );
        let hey = (1..=1000).map(|n| format!("0.{n:04},0,0\n")).collect::<String>();
        let seen = ms(of_hey(&format!("response-time,DNS\n{hey}")));
        assert!(
            seen.iter().zip([50.0, 99.0, 99.9]).all(|(seen, right)| (seen - right).abs() < 1e-6)
        );
        assert_eq!(ms(of_wrk("Running\n20000.0 30000.0 40000.0")), [20.0, 30.0, 40.0]);
        for wrong in ["", "{}", "\n\n"] {
            for read in [of_oha, of_autocannon, of_hey, of_wrk, of_sseproof] {
                assert!(read(wrong).is_err(), "{wrong}");
            }
        }
    }
}
