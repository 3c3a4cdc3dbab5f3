//! Runs all threads of one process, and collects their reports.
//!
//! Each round runs in a new process: memory that an earlier round left would hide the need of a
//! later one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use sseproof_load_model::schedule::Part;
use sseproof_load_model::{Interval, Plan, Sample};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep};

use crate::engine::{Job, Publisher, Shared, play};
use crate::{Clock, Target};

pub struct Generator {
    pub plan: Plan,
    pub target: Target,
    pub publisher: Option<Publisher>,
    pub part: Part,
    pub threads: u64,
    /// When the schedule begins, so that all threads and processes begin together. If it is past, what
    /// was due since then is late.
    pub start: Instant,
    /// How often the cost is read.
    pub sampling: Duration,
    /// How long it is read after all clients have disconnected.
    pub settling: Duration,
}

#[derive(Clone, Debug)]
pub enum Update<'a> {
    Interval(&'a Interval),
    Look {
        /// Since the start of the run.
        at: Duration,
        open: u64,
        events: u64,
    },
}

#[derive(Clone, Debug, Default)]
pub struct Played {
    /// Interval by interval, those of all threads together.
    pub intervals: Vec<Interval>,
    pub samples: Vec<Sample>,
    /// Threads that failed, with the reason.
    pub broken: Vec<String>,
}

pub async fn run(
    generator: Generator,
    stop: watch::Receiver<bool>,
    mut each: impl FnMut(Update<'_>) -> Option<Sample>,
) -> Played {
    let Generator { plan, target, publisher, part, threads, start, sampling, settling } = generator;
    let shared = Arc::new(Shared::default());
    let job = Job { plan, target, publisher, clock: Clock::now(), start, shared };
    let job = Arc::new(job);
    let (reports, mut reported) = mpsc::unbounded_channel();
    let playing: Vec<_> = (0..threads)
        .map(|thread| {
            let (job, reports, stop) = (Arc::clone(&job), reports.clone(), stop.clone());
            let part = Part { index: part.index + part.of * thread, of: part.of * threads };
            std::thread::Builder::new()
                .name(format!("load-{thread}"))
                .spawn(move || play(job, part, reports, stop))
        })
        .collect();
    drop(reports);
    let mut played = Played::default();
    let mut intervals: BTreeMap<u64, Interval> = BTreeMap::new();
    // The first reading is before any load.
    let mut looking = interval_at(Instant::now(), sampling);
    looking.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let look = |played: &mut Played, each: &mut dyn FnMut(Update<'_>) -> Option<Sample>| {
        let at = start.elapsed();
        let (open, events) = (job.shared.open(), job.shared.events());
        played.samples.extend(each(Update::Look { at, open, events }));
    };
    loop {
        tokio::select! {
            report = reported.recv() => {
                let Some(interval) = report else { break };
                each(Update::Interval(&interval));
                interval.join(&mut intervals);
            }
            _ = looking.tick() => look(&mut played, &mut each),
        }
    }
    for thread in playing {
        let ended = thread.map(std::thread::JoinHandle::join);
        match ended {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(error))) | Err(error) => played.broken.push(format!("a thread: {error}")),
            Ok(Err(_)) => played.broken.push("a thread of the generator panicked".to_owned()),
        }
    }
    // Memory that the server has not released after its clients disconnected is a leak.
    let settled = Instant::now() + settling;
    while Instant::now() < settled {
        sleep(sampling.min(settling)).await;
        look(&mut played, &mut each);
    }
    played.intervals = intervals.into_values().collect();
    played
}
