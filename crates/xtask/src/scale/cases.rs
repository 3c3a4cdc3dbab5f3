//! The cases, each with what is expected of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use jiff::Timestamp;
use sseproof_load_model::{Counter, Metric, Outcome};
use sseproof_units::{Value, bytes, duration};

use super::engines::{Engines, until};
use super::faults;
use super::findings::{Findings, PERCENTILES};
use super::plans::{BRIEF, WHOLE};
use crate::measured;

pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) expected: &'static str,
    pub(super) play: fn(&Engines) -> anyhow::Result<Findings>,
}

pub(super) const CASES: [Case; 9] = [
    Case {
        name: "array",
        expected: "an array of four tasks of Slurm, results in S3 (moto), a merge by `afterok`: all counts are those of one generator, and each percentile lies between those of the shards",
        play: array,
    },
    Case {
        name: "srun",
        expected: "four tasks of one `srun`, results in a folder: the same counts",
        play: srun,
    },
    Case {
        name: "azure",
        expected: "an array of two tasks, results in Azure's store (Azurite): the same counts",
        play: azure,
    },
    Case {
        name: "killed",
        expected: "one of four shards is killed by SIGKILL: the merge names it and ends with 1; all counts of the others are kept, and what the killed one had stored before",
        play: faults::killed,
    },
    Case {
        name: "never-starts",
        expected: "the array may run only three of its four tasks at once: the three end with 3 and name the missing one, and the fourth, which then starts, does not play alone",
        play: faults::never_starts,
    },
    Case {
        name: "clocks",
        expected: "the clock of one of four shards is 2 s ahead (faketime): the merge says so, and does not pass",
        play: faults::clocks,
    },
    Case {
        name: "store-away",
        expected: "S3 ends while two shards run: both end with 3, and name the file that has the result",
        play: faults::store_away,
    },
    Case {
        name: "disk-full",
        expected: "the folder of the results is full: both shards end with 3, and name the file that has the result",
        play: faults::disk_full,
    },
    Case {
        name: "many-results",
        expected: "10,000 results in a folder: merged with at most twice the memory that 1,000 need",
        play: many_results,
    },
];

pub(super) const ARRAY: &str = "deploy/slurm/array.sh";
const TOGETHER: &str = "deploy/slurm/together.sh";
const MERGE: &str = "deploy/slurm/merge.sh";
/// More than the shards need on a busy machine.
pub(super) const WITHIN: &str = "--start-within=60s";

fn array(engines: &Engines) -> anyhow::Result<Findings> {
    let mut found = Findings::default();
    let single = engines.work.join("single.json");
    let name = single.display().to_string();
    let output = sseproof(engines, &["load", WHOLE.file, "--json", &name])?;
    found.demand(output.status.success(), text(&output));
    let store = engines.s3()?;
    let place = "s3://results/array";
    let job = engines.submit(
        "array",
        &["--array=0-3"],
        ARRAY,
        &[WHOLE.file, "--results", place, WITHIN],
        &store.variables,
    )?;
    let merging = engines.submit(
        "array-merge",
        &[&format!("--dependency=afterok:{job}"), "--kill-on-invalid-dep=yes"],
        MERGE,
        &[place, "--json", "array.json"],
        &store.variables,
    )?;
    found.codes(&engines.ended(&job)?, &[0; 4]);
    found.codes(&engines.ended(&merging)?, &[0]);
    store.fetch("array", &engines.work.join("array"))?;
    let (single, merged) = (one(&single)?, one(&engines.work.join("array.json"))?);
    found.counts(&single.total(), &WHOLE);
    found.counts(&merged.total(), &WHOLE);
    let shards = results(&engines.work.join("array"))?;
    let parts: Vec<_> = shards.iter().map(Outcome::total).collect();
    found.demand(parts.len() == 4, format!("{} results in the store", parts.len()));
    found.between(&merged.total(), &parts);
    let compared: Vec<_> = [PERCENTILES[0], PERCENTILES[2]]
        .into_iter()
        .filter_map(|(name, share)| {
            let value =
                |of: &Outcome| Some(of.total().histogram(Metric::Delivery)?.quantile(share) as f64);
            let (merged, single) = (value(&merged)?, value(&single)?);
            let ratio = merged / single;
            let (merged, single) = (Value::time(merged), Value::time(single));
            Some(format!("{name} {merged} ({single}; ratio {ratio:.2})"))
        })
        .collect();
    found.measured = format!(
        "{} clients, {} events, as one generator; delivery latency (of one generator) {}; {}",
        merged.total().counters.count(Counter::Streams),
        merged.total().counters.count(Counter::Events),
        compared.join(", "),
        spread(&shards),
    );
    Ok(found)
}

/// How far the shards were from one start: each arrival has an intended time, the same for all.
fn spread(shards: &[Outcome]) -> String {
    let firsts = shards.iter().filter_map(|shard| {
        let first = shard.intervals.first()?.histogram(Metric::Lateness)?;
        Some(first.max())
    });
    let latest = firsts.max().map(|late| Value::time(late as f64).to_string());
    format!("arrivals of the first second at most {} late", latest.unwrap_or_default())
}

fn srun(engines: &Engines) -> anyhow::Result<Findings> {
    let mut found = Findings::default();
    let place = folder(engines, "srun")?;
    let arguments = [WHOLE.file, "--results", &place.display().to_string(), WITHIN];
    let job = engines.submit("srun", &["--ntasks=4"], TOGETHER, &arguments, &[])?;
    found.codes(&engines.ended(&job)?, &[0]);
    let (code, said) = merge(engines, &place.display().to_string(), "srun.json", &[])?;
    found.demand(code == Some(0), format!("the merge ended with {code:?}: {said}"));
    let merged = one(&engines.work.join("srun.json"))?;
    found.counts(&merged.total(), &WHOLE);
    found.measured = format!(
        "{} clients, {} events; {}",
        merged.total().counters.count(Counter::Streams),
        merged.total().counters.count(Counter::Events),
        spread(&results(&place)?)
    );
    Ok(found)
}

fn azure(engines: &Engines) -> anyhow::Result<Findings> {
    let mut found = Findings::default();
    let store = engines.azure()?;
    let place = "az://results/azure";
    let arguments = [BRIEF.file, "--results", place, WITHIN];
    let job = engines.submit("azure", &["--array=0-1"], ARRAY, &arguments, &store.variables)?;
    found.codes(&engines.ended(&job)?, &[0; 2]);
    let (code, said) = merge(engines, place, "azure.json", &store.variables)?;
    found.demand(code == Some(0), format!("the merge ended with {code:?}: {said}"));
    store.fetch("azure", &engines.work.join("azure"))?;
    let merged = one(&engines.work.join("azure.json"))?;
    found.counts(&merged.total(), &BRIEF);
    found.measured = format!(
        "{} clients, {} events; {}",
        merged.total().counters.count(Counter::Streams),
        merged.total().counters.count(Counter::Events),
        spread(&results(&engines.work.join("azure"))?)
    );
    Ok(found)
}

/// The numbers of results, and how much more memory the second may need.
const RESULTS: [u64; 2] = [1_000, 10_000];
const MORE: f64 = 2.0;

fn many_results(engines: &Engines) -> anyhow::Result<Findings> {
    let mut found = Findings::default();
    let small = engines.work.join("small.json");
    let name = small.display().to_string();
    sseproof(engines, &["load", BRIEF.file, "--shard", "0/2", "--json", &name])?;
    let result = fs::read_to_string(&small).context("read a result")?;
    let mut all = Vec::new();
    for count in RESULTS {
        let place = folder(engines, &format!("many-{count}"))?;
        fs::create_dir_all(place.join("results")).context("make a folder")?;
        let mut size = 0;
        for index in 0..count {
            let is = format!(r#""index":{index},"of":{count},"#);
            let text = result.replacen(r#""index":0,"of":2,"#, &is, 1);
            size += text.len() as u64;
            let file = place.join(format!("results/{index}-of-{count}.json"));
            fs::write(file, text).context("write a result")?;
        }
        let json = engines.work.join(format!("many-{count}.json"));
        let begun = Instant::now();
        let mut command = engines.command("sseproof");
        command.arg("merge").arg(&place).arg("--quiet").arg("--json").arg(&json);
        let (code, memory) = peak(command)?;
        let took = begun.elapsed();
        // If the machine was busy when the result was made, no sum of it passes.
        let has_merged = matches!(code, Some(0 | 1));
        found.demand(has_merged, format!("the merge of {count} ended with {code:?}"));
        let total = one(&json)?.total();
        let expected = count * one(&small)?.total().counters.count(Counter::Events);
        let events = total.counters.count(Counter::Events);
        found.demand(events == expected, format!("{events} events, and not {expected}"));
        fs::remove_dir_all(&place).context("remove the results")?;
        all.push((count, size, memory, took));
    }
    let [(_, _, least, _), (_, size, most, _)] = all[..] else { bail!("two numbers of results") };
    found.demand(
        most as f64 <= least as f64 * MORE,
        format!("{} and {}", bytes(least), bytes(most)),
    );
    found.demand(most < size, format!("{} of memory for {}", bytes(most), bytes(size)));
    let each = all.iter().map(|(count, size, memory, took)| {
        format!("{count} results ({}): peak {}, {}", bytes(*size), bytes(*memory), duration(*took))
    });
    found.measured = each.collect::<Vec<_>>().join("; ");
    Ok(found)
}

/// The exit code and the peak memory of a command.
fn peak(mut command: Command) -> anyhow::Result<(Option<i32>, u64)> {
    let mut child = command.stdout(Stdio::null()).spawn().context("start sseproof merge")?;
    let status = format!("/proc/{}/status", child.id());
    let mut memory = 0;
    loop {
        memory = memory.max(crate::hostile::peak(&status).unwrap_or(0));
        if let Some(status) = child.try_wait().context("wait for sseproof merge")? {
            return Ok((status.code(), memory));
        }
        sleep(Duration::from_millis(1));
    }
}

pub(super) fn folder(engines: &Engines, name: &str) -> anyhow::Result<PathBuf> {
    let folder = engines.work.join(name);
    fs::create_dir_all(&folder).with_context(|| format!("make the folder {name}"))?;
    Ok(folder)
}

/// The start of the run in this place, when it is decided.
pub(super) fn begun(place: &Path) -> anyhow::Result<Timestamp> {
    let file = place.join("start/round-1-sse.json");
    let mut at = None;
    until("the start of the run", || {
        let text = fs::read_to_string(&file).unwrap_or_default();
        let start: Option<serde_json::Value> = serde_json::from_str(&text).ok();
        at = start.and_then(|start| start["at"].as_str()?.parse().ok());
        Ok(at.is_some())
    })?;
    at.context("the start of the run")
}

pub(super) fn sseproof(engines: &Engines, arguments: &[&str]) -> anyhow::Result<Output> {
    engines.command("sseproof").args(arguments).output().context("start sseproof")
}

pub(super) fn merge(
    engines: &Engines,
    place: &str,
    json: &str,
    variables: &[(&'static str, String)],
) -> anyhow::Result<(Option<i32>, String)> {
    let mut command = engines.command("sseproof");
    command.args(["merge", place, "--json", json]);
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    let output = command.output().context("start sseproof merge")?;
    Ok((output.status.code(), text(&output)))
}

pub(super) fn text(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text)).concat()
}

pub(super) fn one(file: &Path) -> anyhow::Result<Outcome> {
    let [outcome] = <[Outcome; 1]>::try_from(measured::read(file)?)
        .map_err(|all| anyhow::anyhow!("{} outcomes in {}", all.len(), file.display()))?;
    Ok(outcome)
}

/// The results of all shards in the place.
pub(super) fn results(place: &Path) -> anyhow::Result<Vec<Outcome>> {
    let entries = fs::read_dir(place.join("results")).context("list the results")?;
    entries.map(|entry| one(&entry.context("list the results")?.path())).collect()
}
