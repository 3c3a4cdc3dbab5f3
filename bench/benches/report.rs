//! `reports/codec.md`: many short rounds of criterion.
//!
//! Criterion measures one participant after the other. On a machine that is shared, or that changes
//! its clock, results that are minutes apart cannot be compared, so many short rounds run over all
//! of them, and the fastest sample of each counts: a disturbance only makes a measurement slower.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Context as _;
use criterion::Criterion;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sseproof_bench::{CHUNKS, DECODERS, Decoder, LIMITS, WORKLOADS, decoding, encoding};

const ROUNDS: usize = 20;
/// The goals: how many times as fast as the best decoder of others, by chunks and workload.
const GOALS: [Option<[f64; WORKLOADS.len()]>; CHUNKS.len()] =
    [Some([1.5; 6]), Some([1.5; 6]), Some([2.2, 3.0, 2.0, 2.0, 2.2, 1.3]), None];
/// The goal of the encoder, in GiB/s.
const ENCODER_GOAL: f64 = 2.0;
const MIB: f64 = (1 << 20) as f64;

/// `benchmark.json` of criterion: the name of a measurement.
#[derive(Deserialize)]
struct Measured {
    group_id: String,
    function_id: String,
    throughput: Throughput,
}

#[derive(Deserialize)]
struct Throughput {
    #[serde(rename = "Bytes")]
    bytes: f64,
}

/// `sample.json` of criterion: the iterations of each sample, and its time in nanoseconds.
#[derive(Deserialize)]
struct Samples {
    iters: Vec<f64>,
    times: Vec<f64>,
}

/// MiB/s, by group and participant.
type Speeds = BTreeMap<(String, String), f64>;

fn main() -> anyhow::Result<()> {
    let bench = Path::new(env!("CARGO_MANIFEST_DIR"));
    let measured = bench.join("target/rounds");
    if measured.exists() {
        fs::remove_dir_all(&measured).context("remove the measurements of the last run")?;
    }
    for round in 1..=ROUNDS {
        eprintln!("round {round} of {ROUNDS}");
        let mut criterion = Criterion::default()
            .configure_from_args()
            .without_plots()
            .output_directory(&measured)
            .save_baseline(format!("round-{round}"))
            .sample_size(10)
            .nresamples(1000)
            .warm_up_time(Duration::from_millis(10))
            .measurement_time(Duration::from_millis(50));
        decoding(&mut criterion);
        encoding(&mut criterion);
    }
    let page = bench.join("../reports/codec.md");
    fs::write(&page, written(bench, &fastest(&measured)?)?).context("write reports/codec.md")
}

/// The fastest sample of each participant in all rounds.
fn fastest(measured: &Path) -> anyhow::Result<Speeds> {
    let mut speeds = Speeds::new();
    for participant in folders(measured)?.iter().map(|group| folders(group)) {
        for round in participant?.iter().map(|participant| folders(participant)) {
            for folder in round? {
                let Measured { group_id, function_id, throughput } =
                    read(&folder.join("benchmark.json"))?;
                let Samples { iters, times } = read(&folder.join("sample.json"))?;
                let nanoseconds = iters.iter().zip(times).map(|(iters, time)| time / iters);
                let speed = throughput.bytes / nanoseconds.fold(f64::MAX, f64::min) * 1e9 / MIB;
                let fastest = speeds.entry((group_id, function_id)).or_default();
                *fastest = speed.max(*fastest);
            }
        }
    }
    Ok(speeds)
}

fn folders(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))?;
    let paths: Result<Vec<_>, _> = entries.map(|entry| entry.map(|entry| entry.path())).collect();
    Ok(paths?.into_iter().filter(|path| path.is_dir()).collect())
}

fn read<T: DeserializeOwned>(file: &Path) -> anyhow::Result<T> {
    let text = fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?;
    serde_json::from_str(&text).with_context(|| format!("understand {}", file.display()))
}

fn written(bench: &Path, speeds: &Speeds) -> anyhow::Result<String> {
    let mut out = format!(
        "# The codec and the decoders of others\n\n\
        Made by `cargo xtask bench-codec`, on a machine that should be idle otherwise.\n\
        Criterion measures every decoder in {ROUNDS} short rounds, and the fastest sample of each counts.\n\
        Every decoder delivers type, data and id of every event; one that delivers other events is not measured.\n\
        `sseproof-codec` checks UTF-8 and every rule of the standard, with limits of 8 MiB; its events are borrowed unless the row says otherwise.\n\n"
    );
    for workload in &WORKLOADS {
        out.push_str(&format!("- **{}**: {}\n", workload.name, workload.about));
    }
    out.push_str(&format!("\nMachine: {}. {}.\n", cpu(), versions(bench)?));
    ratios(&mut out, speeds);
    for (chunk, _) in CHUNKS {
        out.push_str(&format!("\n## MiB/s, chunks: {chunk}\n\n"));
        header(&mut out, "");
        let decoders = DECODERS.iter().map(|decoder| decoder.name);
        for row in decoders.chain(LIMITS.iter().map(|limit| limit.name)) {
            out.push_str(&format!("| {row}"));
            for workload in &WORKLOADS {
                let speed = speed(speeds, workload.name, chunk, row);
                let speed = speed.map_or("–".to_owned(), |speed| format!("{speed:.0}"));
                out.push_str(&format!(" | {speed}"));
            }
            out.push_str(" |\n");
        }
    }
    out.push_str(
        "\nA dash is a decoder that is quadratic and was not measured: it searches an incomplete line again with every chunk (f), or moves the rest of the chunk for every event (whole).\n",
    );
    let encoder = |row: &str| {
        let speed = speeds.get(&("encode a".to_owned(), row.to_owned()));
        speed.copied().unwrap_or_default() / 1024.0
    };
    out.push_str(&format!(
        "\n## The encoder\n\nWorkload a into a reused buffer: {:.1} GiB/s; `memcpy` of the data alone reaches {:.1} GiB/s. Goal: {ENCODER_GOAL} GiB/s.\n\n",
        encoder(DECODERS[0].name),
        encoder(LIMITS[0].name),
    ));
    // Remarks that no program can make.
    let remarks = fs::read_to_string(bench.join("remarks.md")).context("read remarks.md")?;
    Ok(out + &remarks)
}

/// The main table: how many times as fast as the best decoder of others the codec is.
fn ratios(out: &mut String, speeds: &Speeds) {
    out.push_str("\n## Speed ÷ best decoder of others\n\nThe goal is in brackets, **bold** if it was not reached.\n\n");
    header(out, "chunks");
    for ((chunk, _), goals) in CHUNKS.iter().zip(GOALS) {
        out.push_str(&format!("| {chunk}"));
        for (column, workload) in WORKLOADS.iter().enumerate() {
            let speed = |decoder: &Decoder| speed(speeds, workload.name, chunk, decoder.name);
            let peers = DECODERS.iter().filter(|decoder| decoder.is_peer);
            let best = peers.filter_map(speed).fold(0.0, f64::max);
            let ratio = speed(&DECODERS[0]).unwrap_or_default() / best;
            out.push_str(&match goals.map(|goals| goals[column]) {
                Some(goal) if ratio < goal => format!(" | **{ratio:.2}** ({goal:.1})"),
                Some(goal) => format!(" | {ratio:.2} ({goal:.1})"),
                None => format!(" | {ratio:.2}"),
            });
        }
        out.push_str(" |\n");
    }
}

fn header(out: &mut String, first: &str) {
    let names = WORKLOADS.each_ref().map(|workload| workload.name).join(" | ");
    out.push_str(&format!("| {first} | {names} |\n|---{}|\n", "|--:".repeat(WORKLOADS.len())));
}

fn speed(speeds: &Speeds, workload: &str, chunk: &str, row: &str) -> Option<f64> {
    speeds.get(&(format!("{workload} in {chunk}"), row.to_owned())).copied()
}

fn cpu() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name"));
    let model = model.map_or("unknown CPU", |model| model.trim_start_matches(['\t', ' ', ':']));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{model}, {cores} cores, {} {}", std::env::consts::OS, std::env::consts::ARCH)
}

/// The compiler, and the versions of the peers in the lock file.
fn versions(bench: &Path) -> anyhow::Result<String> {
    let rustc = Command::new("rustc").arg("--version").output().context("start rustc")?;
    let lock = fs::read_to_string(bench.join("Cargo.lock")).context("read Cargo.lock")?;
    let mut versions = vec![String::from_utf8_lossy(&rustc.stdout).trim().to_owned()];
    for peer in DECODERS.iter().filter(|decoder| decoder.is_peer) {
        let entry = format!("name = \"{}\"\nversion = \"", peer.name);
        let version = lock.split_once(&entry).and_then(|(_, rest)| rest.split_once('"'));
        let (version, _) = version.with_context(|| format!("{} is not locked", peer.name))?;
        versions.push(format!("{} {version}", peer.name));
    }
    Ok(versions.join(", "))
}
