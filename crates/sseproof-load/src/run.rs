//! Runs all threads of one process, and gathers what they report.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use sseproof_load_model::schedule::Part;
use sseproof_load_model::{Interval, Plan, Sample};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep};

use crate::engine::{Job, Publisher, Shared, play};
use crate::{Clock, Target};

/// What one process plays.
pub struct Generator {
    /// What is done.
    pub plan: Plan,
    /// To whom.
    pub target: Target,
    /// How events are published, where the plan publishes.
    pub publisher: Option<Publisher>,
    /// Which part of the plan this process plays.
    pub part: Part,
    /// On how many threads.
    pub threads: u64,
    /// How long before the first act, so that all threads, and processes, begin together.
    pub lead: Duration,
    /// How often what it costs is read.
    pub sampling: Duration,
    /// How long it is read when all clients have gone.
    pub settling: Duration,
}

/// What is told while it runs.
#[derive(Clone, Debug)]
pub enum Told<'a> {
    /// A thread has reported an interval.
    Interval(&'a Interval),
    /// It is time to look at what it costs.
    Look {
        /// Since the start of the run.
        at: Duration,
        /// Streams that are open.
        open: u64,
        /// Events that have arrived.
        events: u64,
    },
}

/// What one process saw.
#[derive(Clone, Debug, Default)]
pub struct Played {
    /// Interval by interval, those of all threads together.
    pub intervals: Vec<Interval>,
    /// What it cost.
    pub samples: Vec<Sample>,
    /// Threads that did not come to their end, with why.
    pub broken: Vec<String>,
}

/// Plays, and tells `each` what happens; what it returns where it is to look at the cost is kept.
pub async fn run(
    generator: Generator,
    stop: watch::Receiver<bool>,
    mut each: impl FnMut(Told<'_>) -> Option<Sample>,
) -> Played {
    let Generator { plan, target, publisher, part, threads, lead, sampling, settling } = generator;
    let shared = Arc::new(Shared::default());
    let start = Instant::now() + lead;
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
    // The first look is before anything is done.
    let mut looking = interval_at(Instant::now(), sampling);
    looking.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let look = |played: &mut Played, each: &mut dyn FnMut(Told<'_>) -> Option<Sample>| {
        let at = start.elapsed();
        let (open, events) = (job.shared.open(), job.shared.events());
        played.samples.extend(each(Told::Look { at, open, events }));
    };
    loop {
        tokio::select! {
            report = reported.recv() => {
                let Some(interval) = report else { break };
                each(Told::Interval(&interval));
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
    // What the server has not given back when its clients have gone is a leak.
    let settled = Instant::now() + settling;
    while Instant::now() < settled {
        sleep(sampling.min(settling)).await;
        look(&mut played, &mut each);
    }
    played.intervals = intervals.into_values().collect();
    played
}
