//! A round in other processes: each has its own limit of open files, and memory that no earlier
//! round has grown.
//!
//! A worker is this program with the same arguments and a [`Task`]; it gets the arguments by its
//! environment, since every user of the machine can read a command line. It writes intervals as lines of
//! JSON, and exits when its standard input closes, so that it never outlives its parent.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::process::Stdio;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use sseproof_load::{Found, Played, Update};
use sseproof_load_model::schedule::Part;
use sseproof_load_model::{Interval, Sample, Sequencing, Stamping};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

use super::meeting::{Begin, instant, since_epoch};
use crate::screen;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Task {
    pub(super) side: usize,
    /// The part, from 0, and the number of parts.
    pub(super) index: u64,
    pub(super) of: u64,
    /// The origin of the embedded server; empty if there is none.
    pub(super) origin: String,
    /// The start of all workers: milliseconds since the Unix epoch.
    pub(super) start_ms: u64,
    /// Where events have their stamp and number, if it was looked for.
    pub(super) found: Option<(String, String)>,
}

impl Task {
    pub(super) fn part(&self) -> Part {
        Part { index: self.index, of: self.of }
    }

    pub(super) fn found(&self) -> Option<Found> {
        let (stamp, sequence) = self.found.as_ref()?;
        Some(Found {
            stamping: Stamping::parse(stamp)?,
            sequencing: Sequencing::parse(sequence)?,
            notes: Vec::new(),
        })
    }

    pub(super) fn start(&self) -> Instant {
        instant(UNIX_EPOCH + Duration::from_millis(self.start_ms))
    }
}

pub(super) fn task(text: &str) -> Result<Task, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Line {
    Interval(Interval),
    Count { open: u64, events: u64 },
    Broken(String),
    Done,
}

/// The variable of an argument ends in its number.
const ARGUMENT: &str = "SSEPROOF_ARGUMENT_";

/// The arguments of this process, for a worker with those of its parent.
pub(crate) fn handed_over() -> Vec<OsString> {
    let mut own = std::env::args_os();
    let program = own.next();
    let of_parent = (0..).map_while(|index| std::env::var_os(format!("{ARGUMENT}{index}")));
    program.into_iter().chain(of_parent).chain(own).collect()
}

const BEGINNING: Duration = Duration::from_millis(700);
const ENDING: Duration = Duration::from_secs(15);

fn now_ms() -> u64 {
    u64::try_from(since_epoch(SystemTime::now()).as_millis()).unwrap_or(u64::MAX)
}

fn write(line: &Line) {
    let mut text = serde_json::to_string(line).unwrap_or_default();
    text.push('\n');
    // A parent that no longer reads has also closed standard input, which ends this process.
    let _ = screen::print_json(&text);
}

pub(super) fn write_news(news: &Update<'_>) {
    write(&match news {
        Update::Interval(interval) => Line::Interval((*interval).clone()),
        Update::Look { open, events, .. } => Line::Count { open: *open, events: *events },
    });
}

pub(super) fn write_end(played: &Played) {
    for broken in &played.broken {
        write(&Line::Broken(broken.clone()));
    }
    write(&Line::Done);
}

pub(super) async fn input_ended() {
    let (sender, ended) = tokio::sync::oneshot::channel();
    // Its own thread: a read of standard input cannot be cancelled.
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        let _ = sender.send(());
    });
    let _ = ended.await;
}

pub(super) struct Workers {
    pub(super) count: u64,
    pub(super) side: usize,
    pub(super) origin: String,
    pub(super) found: Option<Found>,
    pub(super) part: Part,
    pub(super) sampling: Duration,
    pub(super) settling: Duration,
}

#[derive(Default)]
struct WorkerState {
    open: u64,
    events: u64,
    is_done: bool,
}

impl Workers {
    fn start(&self, start_ms: u64) -> anyhow::Result<Vec<Child>> {
        let program = std::env::current_exe().context("find this program")?;
        (0..self.count)
            .map(|worker| {
                let task = Task {
                    side: self.side,
                    index: self.part.index + self.part.of * worker,
                    of: self.part.of * self.count,
                    origin: self.origin.clone(),
                    start_ms,
                    found: self
                        .found
                        .as_ref()
                        .map(|found| (found.stamping.to_string(), found.sequencing.to_string())),
                };
                let task = serde_json::to_string(&task).context("write a task")?;
                let given = std::env::args_os().skip(1).enumerate();
                Command::new(&program)
                    .envs(given.map(|(index, given)| (format!("{ARGUMENT}{index}"), given)))
                    .args(["--task", &task])
                    .stdin(Stdio::piped())
                    .stdout(Stdio::piped())
                    .kill_on_drop(true)
                    .spawn()
                    .context("start a worker")
            })
            .collect()
    }

    /// Plays the round; `each` gets intervals, and takes readings.
    pub(super) async fn run(
        &self,
        begin: Begin,
        stop: watch::Receiver<bool>,
        mut each: impl FnMut(Update<'_>, &[u32]) -> Option<Sample>,
    ) -> anyhow::Result<(Played, Vec<bool>)> {
        let lead = BEGINNING + Duration::from_millis(100) * u32::try_from(self.count)?;
        let start = begin.at.unwrap_or_else(|| SystemTime::now() + lead);
        let start_ms = u64::try_from(since_epoch(start).as_millis())?;
        let mut children = self.start(start_ms)?;
        let ids: Vec<u32> = children.iter().filter_map(Child::id).collect();
        let (send, mut lines) = mpsc::unbounded_channel();
        for (worker, child) in children.iter_mut().enumerate() {
            let output = child.stdout.take().context("read the output of a worker")?;
            let send = send.clone();
            tokio::spawn(async move {
                let mut read = BufReader::new(output).lines();
                while let Ok(Some(line)) = read.next_line().await {
                    if send.send((worker, line)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(send);
        let mut progress: Vec<WorkerState> =
            children.iter().map(|_| WorkerState::default()).collect();
        let mut played = Played::default();
        let mut intervals: BTreeMap<u64, Interval> = BTreeMap::new();
        let mut looking = interval(self.sampling);
        looking.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut stopping = stop.clone();
        let mut is_stopped = false;
        let look = |progress: &[WorkerState],
                    played: &mut Played,
                    each: &mut dyn FnMut(Update<'_>, &[u32]) -> Option<Sample>| {
            let at = Duration::from_millis(now_ms().saturating_sub(start_ms));
            let open = progress.iter().map(|progress| progress.open).sum();
            let events = progress.iter().map(|progress| progress.events).sum();
            played.samples.extend(each(Update::Look { at, open, events }, &ids));
        };
        loop {
            tokio::select! {
                line = lines.recv() => {
                    let Some((worker, line)) = line else { break };
                    match serde_json::from_str(&line) {
                        Ok(Line::Interval(interval)) => {
                            each(Update::Interval(&interval), &[]);
                            interval.join(&mut intervals);
                        }
                        Ok(Line::Count { open, events }) => {
                            (progress[worker].open, progress[worker].events) = (open, events);
                        }
                        Ok(Line::Broken(why)) => played.broken.push(why),
                        Ok(Line::Done) => {
                            progress[worker] = WorkerState { open: 0, is_done: true, ..progress[worker] };
                        }
                        Err(error) => played.broken.push(format!("worker {worker} wrote an invalid line: {error}")),
                    }
                }
                _ = looking.tick() => look(&progress, &mut played, &mut each),
                _ = stopping.wait_for(|stop| *stop), if !is_stopped => {
                    is_stopped = true;
                    for child in &mut children {
                        drop(child.stdin.take());
                    }
                }
            }
        }
        for (worker, child) in children.iter_mut().enumerate() {
            drop(child.stdin.take());
            let ended = timeout(ENDING, child.wait()).await;
            if progress[worker].is_done {
                continue;
            }
            let how = match ended {
                Ok(Ok(status)) => status.to_string(),
                Ok(Err(error)) => error.to_string(),
                Err(_) => "it did not exit".to_owned(),
            };
            played.broken.push(format!("worker {} of {} died: {how}", worker + 1, self.count));
        }
        let settled = Instant::now() + self.settling;
        while Instant::now() < settled {
            sleep(self.sampling.min(self.settling)).await;
            let events = progress.iter().map(|progress| progress.events).sum();
            let at = Duration::from_millis(now_ms().saturating_sub(start_ms));
            played.samples.extend(each(Update::Look { at, open: 0, events }, &[]));
        }
        played.intervals = intervals.into_values().collect();
        Ok((played, progress.iter().map(|progress| progress.is_done).collect()))
    }
}
