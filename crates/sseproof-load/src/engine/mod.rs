//! The engine: plays one part of a plan on one thread, and reports what happened in each interval.
//!
//! A client is a small task: its socket, the reader of its bytes and its state. All clients of a
//! thread read into one buffer, and the memory of dialling is freed when the stream is open.

mod client;
mod connect;
mod dial;
mod drive;
mod first;
mod http2;
mod publish;
mod request;
mod socket;
mod stream;
mod tokens;
mod worker;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sseproof_load_model::schedule::Part;
use sseproof_load_model::{Interval, LoadError, Plan};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

pub use connect::Ports;
pub use first::first_events;
pub use publish::{Emission, Publisher};

use self::worker::Worker;
use crate::{Clock, Target};

pub struct Job {
    pub plan: Plan,
    pub target: Target,
    pub publisher: Option<Publisher>,
    pub clock: Clock,
    pub start: Instant,
    pub shared: Arc<Shared>,
}

#[derive(Debug, Default)]
pub struct Shared {
    open: AtomicU64,
    events: AtomicU64,
    begun: AtomicU64,
    /// How many were published; a rejected publish is not a loss.
    published: AtomicU64,
}

impl Shared {
    pub fn open(&self) -> u64 {
        self.open.load(Ordering::Relaxed)
    }

    pub fn events(&self) -> u64 {
        self.events.load(Ordering::Relaxed)
    }
}

/// Whether a client gets a connection to the target and, if the plan needs HTTP/2, an answer in
/// it; the connection is closed again.
///
/// # Errors
/// The error, as it is counted in a run.
pub async fn reach(plan: &Plan, target: Target) -> Result<(), LoadError> {
    let (start, shared) = (Instant::now(), Arc::default());
    let (plan, clock) = (plan.clone(), Clock::now());
    let worker = Worker::new(Arc::new(Job { plan, target, publisher: None, clock, start, shared }));
    let reaching = async {
        let (socket, _) = dial::connect(&worker, 0, start).await?;
        if dial::speaks_http2(&worker) {
            let settled = http2::settle(&worker, socket).await;
            drop(settled.map_err(|dial::Failure { error, again }| {
                let text = format!("{error} (HTTP/2 was requested; the server may not support it)");
                dial::Failure { error: LoadError::new(error.kind(), text), again }
            })?);
        }
        Ok(())
    };
    reaching.await.map_err(|failure: dial::Failure| failure.error)
}

/// Plays the part on this thread, until the plan or the run is over.
///
/// Intervals go to `reports` as they end, the last one when all clients have ended.
///
/// # Errors
/// If the system gives no runtime.
pub fn play(
    job: Arc<Job>,
    part: Part,
    reports: mpsc::UnboundedSender<Interval>,
    stop: watch::Receiver<bool>,
) -> std::io::Result<()> {
    local()?.block_on(drive::drive(job, part, reports, stop));
    Ok(())
}

fn local() -> std::io::Result<tokio::runtime::LocalRuntime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        // The kernel is polled often enough even when tasks wake each other.
        .event_interval(31)
        .build_local(tokio::runtime::LocalOptions::default())
}
