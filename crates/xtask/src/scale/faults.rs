//! Faults of many generators, and what is left then.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use anyhow::Context as _;
use jiff::Timestamp;
use sseproof_load_model::{Counter, Interval};
use sseproof_units::duration;

use super::cases::{ARRAY, WITHIN, begun, folder, merge, one, results, sseproof, text};
use super::engines::{Engines, until};
use super::findings::{Findings, words};
use super::plans::{BRIEF, LONG};

/// After the first intervals were stored, and before the end.
const KILLED_AFTER: Duration = Duration::from_secs(8);

pub(super) fn killed(engines: &Engines) -> anyhow::Result<Findings> {
    let mut found = Findings::default();
    let place = folder(engines, "killed")?;
    let name = place.display().to_string();
    let arguments = [LONG.file, "--results", &name, WITHIN];
    let job = engines.submit("killed", &["--array=0-3"], ARRAY, &arguments, &[])?;
    let begun = begun(&place)?;
    let left = (begun + KILLED_AFTER).duration_since(Timestamp::now());
    sleep(left.try_into().unwrap_or_default());
    let process = engines.process(&job, 2)?.to_string();
    crate::run(&engines.work, &["kill", "-9", &process])?;
    let tasks = engines.ended(&job)?;
    let signals: Vec<_> = tasks.iter().map(|task| (task.code, task.signal)).collect();
    found.demand(
        signals == [(0, 0), (0, 0), (0, 9), (0, 0)],
        format!("the tasks ended with {signals:?}"),
    );
    let (code, said) = merge(engines, &name, "killed.json", &[])?;
    found.demand(code == Some(1), format!("the merge ended with {code:?}"));
    found.says(&said, "shard 2 left no result");
    let events = |of: &Interval| of.counters.count(Counter::Events);
    let kept: u64 = results(&place)?.iter().map(|shard| events(&shard.total())).sum();
    let of_others = LONG.clients / 4 * 3 * LONG.events;
    found.demand(kept == of_others, format!("{kept} events of the others, and not {of_others}"));
    let folder = place.join("measured/2-of-4/round-1-sse");
    let mut stored = 0;
    for entry in fs::read_dir(folder).context("list what the killed shard has stored")? {
        stored += events(&one(&entry.context("list what it has stored")?.path())?.total());
    }
    let merged = events(&one(&engines.work.join("killed.json"))?.total());
    found.demand(stored > 0, "the killed shard has stored nothing");
    found.demand(
        merged == kept + stored,
        format!("{merged} events merged, of {kept} and {stored} that were stored"),
    );
    found.measured = format!(
        "killed {} after the start; exit code 1, `shard 2 left no result`; merged: all {kept} events of the others, and {stored} of the {} of the killed one",
        duration(KILLED_AFTER),
        LONG.clients / 4 * LONG.events
    );
    Ok(found)
}

pub(super) fn never_starts(engines: &Engines) -> anyhow::Result<Findings> {
    let mut found = Findings::default();
    let place = folder(engines, "never")?;
    let name = place.display().to_string();
    let arguments = [BRIEF.file, "--results", &name, "--start-within=8s"];
    let job = engines.submit("never", &["--array=0-3%3"], ARRAY, &arguments, &[])?;
    found.codes(&engines.ended(&job)?, &[3; 4]);
    for task in 0..3 {
        let said = engines.said(&format!("never-{task}.txt"))?;
        found.says(&said, "1 shard not ready within 8 s: 3 (counted from 0)");
    }
    let (code, said) = merge(engines, &name, "never.json", &[])?;
    found.demand(code != Some(0), format!("the merge ended with {code:?}: {said}"));
    found.measured = "exit code 3 of all, `1 shard not ready within 8 s: 3`".to_owned();
    Ok(found)
}

pub(super) fn clocks(engines: &Engines) -> anyhow::Result<Findings> {
    let mut found = Findings::default();
    let place = folder(engines, "clocks")?;
    let name = place.display().to_string();
    let arguments = [BRIEF.file, "--results", &name, WITHIN];
    let job = engines.submit("clocks", &[], "crates/xtask/src/scale/clocks.sh", &arguments, &[])?;
    engines.ended(&job)?;
    let (code, said) = merge(engines, &name, "clocks.json", &[])?;
    found.demand(code == Some(1), format!("the merge ended with {code:?}"));
    let said = words(&said);
    let sentence = said.find("clocks: ").and_then(|at| said[at..].split(',').next());
    found.demand(sentence.is_some(), format!("nothing on clocks in: {said}"));
    let sentence = sentence.unwrap_or_default();
    let is_right =
        ["of parts 4 and ", "differ by at least "].iter().all(|part| sentence.contains(part));
    found.demand(is_right, format!("`{sentence}`"));
    found.measured = format!("exit code 1, `{sentence}`");
    Ok(found)
}

pub(super) fn store_away(engines: &Engines) -> anyhow::Result<Findings> {
    let mut found = Findings::default();
    let store = engines.s3()?;
    let arguments = [BRIEF.file, "--results", "s3://results/away", WITHIN];
    let job = engines.submit("away", &["--array=0-1"], ARRAY, &arguments, &store.variables)?;
    let folder = engines.work.join("away");
    until("the start in S3", || {
        store.fetch("away", &folder)?;
        Ok(folder.join("start").exists())
    })?;
    // Both shards have read it when the plan begins, 5 s later.
    let begun = begun(&folder)?;
    let left = (begun + Duration::from_secs(1)).duration_since(Timestamp::now());
    sleep(left.try_into().unwrap_or_default());
    drop(store.running);
    kept(engines, &mut found, &job, "away", "S3 ended 1 s after the start")?;
    Ok(found)
}

/// The room for the marks of two shards, and not for a result.
const ROOM: &str = "size=32k";

struct Mounted(PathBuf);

impl Drop for Mounted {
    fn drop(&mut self) {
        // A mount that is left over is found by the next run, which cannot remove its folder.
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

pub(super) fn disk_full(engines: &Engines) -> anyhow::Result<Findings> {
    let mut found = Findings::default();
    let place = folder(engines, "full")?;
    let name = place.display().to_string();
    crate::run(&engines.work, &["mount", "-t", "tmpfs", "-o", ROOM, "tmpfs", &name])?;
    let mounted = Mounted(place);
    let arguments = [BRIEF.file, "--results", &name, WITHIN];
    let job = engines.submit("full", &["--array=0-1"], ARRAY, &arguments, &[])?;
    let filler = begun(&mounted.0).and_then(|_| {
        // Marks are small; the rest of the room is taken, as by a neighbour.
        let mut file = fs::File::create(mounted.0.join("filler")).context("make a file")?;
        Ok(std::io::copy(&mut std::io::repeat(0), &mut file).err())
    })?;
    found.demand(filler.is_some(), "the folder is not full");
    kept(engines, &mut found, &job, "full", "the folder had no room left at the start")?;
    Ok(found)
}

/// Each of two shards ends with 3, and its result is in a file that it names.
fn kept(
    engines: &Engines,
    found: &mut Findings,
    job: &str,
    name: &str,
    how: &str,
) -> anyhow::Result<()> {
    found.codes(&engines.ended(job)?, &[3; 2]);
    let mut files = Vec::new();
    for task in 0..2 {
        let said = words(&engines.said(&format!("{name}-{task}.txt"))?);
        let file = format!("sseproof-results-{task}-of-2.json");
        found.says(&said, &format!("the result is not in the store, but in ./{file}"));
        let moved = format!("{name}-{task}.json");
        let moving = fs::rename(engines.work.join(&file), engines.work.join(&moved));
        moving.with_context(|| format!("{file}, of which the shard said: {said}"))?;
        files.push(moved);
    }
    let json = format!("{name}.json");
    let output = sseproof(engines, &["merge", &files[0], &files[1], "--json", &json])?;
    found.demand(output.status.success(), text(&output));
    found.counts(&one(&engines.work.join(&json))?.total(), &BRIEF);
    found.measured = format!(
        "{how}; exit code 3 of both, and all {} events are in the two named files",
        BRIEF.clients * BRIEF.events
    );
    Ok(())
}
