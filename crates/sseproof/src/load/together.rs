//! Several results: merged, or compared.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{Context as _, anyhow};
use sseproof_load_model::{Merger, Outcome, ResultFile, Run};
use sseproof_report::Outcome as Verdict;
use sseproof_report::load::diff::{LoadDiff, render};
use sseproof_report::terminal::Detail;

use super::args::Diff;
use super::kept::{MEASURED, RESULTS, parse_name};
use super::meeting::{self, Ready};
use super::result;
use super::store::{Store, is_place};
use crate::exit::{Blame, Blamed as _, Exit};
use crate::{output, screen, secrets};

pub(super) async fn merged(files: &[PathBuf]) -> Result<Vec<Outcome>, Blame> {
    let mut parts = Parts::default();
    let mut reasons = Vec::new();
    for file in files {
        match file.to_str().filter(|_| is_place(file)) {
            Some(place) => reasons.extend(parts.place(place).await?),
            None => parts.add(&file.display().to_string(), result::parsed(file)?)?,
        }
    }
    let mut outcomes = parts.merger.finish().usage()?;
    for run in outcomes.iter_mut().map(|outcome| &mut outcome.run) {
        run.partial.extend(reasons.iter().cloned());
    }
    Ok(outcomes)
}

/// The parts of a run, which are read one after the other.
#[derive(Default)]
struct Parts {
    merger: Merger,
    /// The first file, and the version that wrote it.
    first: Option<(String, String)>,
}

impl Parts {
    fn add(&mut self, name: &str, file: ResultFile) -> Result<(), Blame> {
        let ResultFile { tool, mut outcomes, .. } = file;
        let (first, version) = self.first.get_or_insert_with(|| (name.to_owned(), tool.clone()));
        if *version != tool {
            return Err(anyhow!(
                "{first} and {name} are not of the same run: the version is `{version}` in the first, and `{tool}` in the second"
            ))
            .usage();
        }
        secrets::redact(&mut outcomes);
        outcomes.into_iter().try_for_each(|outcome| self.merger.add(name, outcome)).usage()
    }

    /// Adds all results of a place; of a shard without one, the intervals that it has written. The
    /// reasons why shards are missing.
    async fn place(&mut self, place: &str) -> Result<Vec<String>, Blame> {
        let store = Store::open(place).usage()?;
        let mut there = BTreeSet::new();
        let mut of = 0;
        for name in store.list(RESULTS).await.unreachable()? {
            let stem = name.strip_prefix(RESULTS).and_then(|name| name.strip_suffix(".json"));
            let Some(part) = stem.and_then(|stem| parse_name(stem.trim_start_matches('/'))) else {
                continue;
            };
            there.insert(part.index);
            of = part.of;
            self.add(&name, read(&store, &name).await?)?;
        }
        let mut reasons = Vec::new();
        let mut cut = BTreeMap::new();
        for name in store.list(MEASURED).await.unreachable()? {
            let mut parts = name.split('/').skip(1);
            let part = parts.next().and_then(parse_name);
            let (Some(part), Some(round)) = (part, parts.next()) else { continue };
            if !there.contains(&part.index) {
                of = part.of;
                let all: &mut Vec<_> = cut.entry((part.index, round.to_owned())).or_default();
                all.push(name);
            }
        }
        for ((index, _), names) in cut {
            there.insert(index);
            let file = joined(&store, &names).await?;
            self.add(&names[0], file)?;
            reasons.push(format!(
                "shard {index} left no result: what it had stored until its end, every 10 s, is counted"
            ));
        }
        let marks = meeting::marks(&store, "").await.unreachable()?;
        for mark in marks {
            of = of.max(mark.part.of);
            if there.insert(mark.part.index) {
                let text = store.get(&mark.name).await.unreachable()?.unwrap_or_default();
                let ready: Ready = meeting::parsed(&text, &mark.name).usage()?;
                let host = ready.host.map(|host| format!(" on {host}")).unwrap_or_default();
                reasons.push(format!(
                    "shard {} was ready{host} at {}, and left nothing",
                    mark.part.index, ready.at
                ));
            }
        }
        if of == 0 {
            return Err(anyhow!("{} has no results of `sseproof load --results`", store.place))
                .usage();
        }
        let never = meeting::listed((0..of).filter(|index| !there.contains(index)));
        if !never.is_empty() {
            reasons.push(format!("never ready: shard {never} of {of} (counted from 0)"));
        }
        Ok(reasons)
    }
}

async fn read(store: &Store, name: &str) -> Result<ResultFile, Blame> {
    let text = store.get(name).await.unreachable()?;
    let text = text.with_context(|| format!("{}/{name} is gone", store.place)).unreachable()?;
    ResultFile::parse(&text).with_context(|| format!("cannot read {}/{name}", store.place)).usage()
}

/// The intervals that a shard wrote while it ran, as one result.
async fn joined(store: &Store, names: &[String]) -> Result<ResultFile, Blame> {
    let mut intervals = BTreeMap::new();
    let mut known: Option<(String, Run)> = None;
    for name in names {
        let file = read(store, name).await?;
        for outcome in file.outcomes {
            outcome.intervals.iter().for_each(|interval| interval.join(&mut intervals));
            known.get_or_insert((file.tool.clone(), outcome.run));
        }
    }
    let (tool, run) = known.with_context(|| format!("{} has no intervals", names[0])).usage()?;
    let intervals = intervals.into_values().collect();
    Ok(ResultFile::new(tool, vec![Outcome { run, intervals, ..Outcome::default() }]))
}

pub(super) fn diff(arguments: &Diff) -> Result<Exit, Blame> {
    let (old, new) = (result::read(&arguments.old)?, result::read(&arguments.new)?);
    let diff = LoadDiff { old, new, thresholds: arguments.fail_if.clone() };
    let detail = if arguments.verbose { Detail::Verbose } else { Detail::Normal };
    let is_taken = arguments.html.as_deref().is_some_and(output::is_standard);
    let mut options = screen::options(detail);
    options.colour &= !is_taken;
    let page = render(&diff, &options);
    match is_taken {
        false => drop(screen::print_page(&page)?),
        true => screen::print_page_aside(&page),
    }
    if let Some(file) = &arguments.html {
        output::write("html", file, &sseproof_html::diff::page(&diff)).usage()?;
    }
    Ok(match diff.verdict() {
        Verdict::Held => Exit::Held,
        Verdict::Broken | Verdict::Unproven => Exit::Broken,
    })
}
