//! A shard keeps its intervals in the store of the results while it runs, so that a shard that is
//! killed loses seconds and not its whole part; and at its end, its result.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use sseproof_load_model::schedule::Part;
use sseproof_load_model::{Interval, Outcome, ResultFile, Run};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use super::store::Store;
use crate::exit::{Blame, Blamed as _};
use crate::{screen, secrets};

/// The folders of a place.
pub(super) const RESULTS: &str = "results";
pub(super) const MEASURED: &str = "measured";

/// How often the intervals are written.
const EVERY: Duration = Duration::from_secs(10);

pub(super) fn name(part: Part) -> String {
    format!("{}-of-{}", part.index, part.of)
}

/// The part of a name as [`name`] makes it.
pub(super) fn parse_name(name: &str) -> Option<Part> {
    let (index, of) = name.split_once("-of-")?;
    Some(Part { index: index.parse().ok()?, of: of.parse().ok()? })
}

/// Writes the intervals of a round as they come.
pub(super) struct Keeper {
    intervals: mpsc::UnboundedSender<Interval>,
    writing: JoinHandle<()>,
}

impl Keeper {
    /// `run` is the one of this round, as far as it is known at its start.
    pub(super) fn new(store: Arc<Store>, part: Part, round: &str, run: Run, tool: String) -> Self {
        let (intervals, mut coming) = mpsc::unbounded_channel::<Interval>();
        let folder = format!("{MEASURED}/{}/{round}", name(part));
        let writing = tokio::spawn(async move {
            let mut due = interval(EVERY);
            due.set_missed_tick_behavior(MissedTickBehavior::Delay);
            due.tick().await;
            let mut pending: BTreeMap<u64, Interval> = BTreeMap::new();
            for number in 0_u64.. {
                loop {
                    tokio::select! {
                        interval = coming.recv() => match interval {
                            Some(interval) => interval.join(&mut pending),
                            None => return,
                        },
                        _ = due.tick() => break,
                    }
                }
                let intervals: Vec<_> = pending.values().cloned().collect();
                let outcome = Outcome { run: run.clone(), intervals, ..Outcome::default() };
                let file = ResultFile::new(tool.clone(), vec![outcome]);
                let Ok(text) = file.to_json() else { continue };
                // If the store is away, the intervals are written at the next time; the end decides.
                if store.put(&format!("{folder}/{number:06}.json"), text).await.is_ok() {
                    pending.clear();
                }
            }
        });
        Self { intervals, writing }
    }

    pub(super) fn interval(&self, interval: &Interval) {
        // It only ends with its sender.
        let _ = self.intervals.send(interval.clone());
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.writing.abort();
    }
}

/// Writes the result of a shard into the store; if that fails, into a file of this machine, which the
/// error names.
pub(super) async fn keep(store: &Store, part: Part, file: &ResultFile) -> Result<(), Blame> {
    let text = file.to_json().context("write the result as JSON")?;
    let name = format!("{RESULTS}/{}.json", name(part));
    let error = match store.create(&name, text.clone()).await {
        Ok(true) => return Ok(()),
        Ok(false) => {
            anyhow!("{}/{name} is there already: another process played this shard", store.place)
        }
        Err(error) => error,
    };
    let saved = rescue(&format!("sseproof-{}", name.replace('/', "-")), &text);
    Err(match saved {
        Some(path) => error.context(format!(
            "the result is not in the store, but in {}: put it there as {}/{name}",
            path.display(),
            store.place
        )),
        None => {
            // The last place that is left.
            screen::print_json(&text)?;
            error.context("the result is not in the store, and no file could be written: it is on standard output")
        }
    })
    .unreachable()
}

/// Writes it into the current folder, or into the one for temporary files; never over another file.
fn rescue(name: &str, text: &str) -> Option<PathBuf> {
    let folders = [PathBuf::from("."), std::env::temp_dir()];
    folders.iter().map(|folder| folder.join(name)).find(|path| is_new(path, text))
}

fn is_new(path: &Path, text: &str) -> bool {
    use std::io::Write as _;
    let file = std::fs::OpenOptions::new().write(true).create_new(true).open(path);
    let written = file.and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    match written {
        Ok(()) => true,
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => false,
        Err(_) => {
            // A part of a result is of no use; if it was not even created, there is nothing to remove.
            let _ = std::fs::remove_file(path);
            false
        }
    }
}

/// The run without its secrets, as intervals that are kept say it.
pub(super) fn unfinished(run: Run) -> Run {
    let mut outcome = Outcome { run, ..Outcome::default() };
    for shard in &mut outcome.run.shards {
        shard.complete = false;
    }
    secrets::redact(std::slice::from_mut(&mut outcome));
    outcome.run
}
