//! Plays the schedule of one part: connects and disconnects clients at their intended times, and
//! reports each interval.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use sseproof_load_model::schedule::{self, Action, Part, Timed};
use sseproof_load_model::{Counter, Interval, Metric, Subscribe, Workload};
use tokio::sync::{mpsc, watch};
use tokio::task::spawn_local;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::worker::{Order, Slot, Worker};
use super::{Job, client, publish, request};
use crate::clock::nanoseconds;

/// How often the loop measures its own lag, and reports how many streams are open.
const LOOK: Duration = Duration::from_millis(100);
const LEAVING: Duration = Duration::from_secs(5);

pub(crate) async fn drive(
    job: Arc<Job>,
    part: Part,
    reports: mpsc::UnboundedSender<Interval>,
    mut stop: watch::Receiver<bool>,
) {
    let worker = Worker::new(job);
    let looking = spawn_local(look(Rc::clone(&worker)));
    let reporting = spawn_local(report(Rc::clone(&worker), reports.clone()));
    sleep_until(worker.job.start).await;
    let publishing = (part.index == 0).then(|| spawn_local(publish::publish(Rc::clone(&worker))));
    let slots = RefCell::default();
    let playing = async {
        match &worker.job.plan.workload {
            Workload::Subscribe(plan) => subscribe(&worker, plan, part, &slots).await,
            Workload::Request(plan) => request::play(&worker, plan, part).await,
        }
    };
    let is_stopped = tokio::select! {
        () = playing => false,
        _ = stop.wait_for(|stop| *stop) => true,
    };
    if let Some(publishing) = publishing {
        publishing.abort();
    }
    // Each request has been waited for, until its answer ended.
    if let Workload::Subscribe(plan) = &worker.job.plan.workload
        && !is_stopped
    {
        read_on(&worker, plan, &slots);
        tokio::select! {
            () = sleep(worker.job.plan.drain) => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
    }
    // Thousands of sockets that close together block the loop, but nothing is measured any more.
    looking.abort();
    worker.is_ending.set(true);
    for slot in slots.take().into_values() {
        slot.order(&worker, Order::Leave);
    }
    let gone = async {
        while worker.clients.get() > 0 {
            sleep(Duration::from_millis(1)).await;
        }
    };
    // A client that hangs ends with the runtime.
    let _ = timeout(LEAVING, gone).await;
    reporting.abort();
    worker.report();
    let index = index(&worker.job, Instant::now());
    let last = worker.recorder.borrow_mut().interval(index);
    // The receiver is gone if the run was given up.
    let _ = reports.send(last);
}

type Slots = RefCell<BTreeMap<u64, Rc<Slot>>>;

/// Actions whose time was not known before: a client disconnects, and another takes its place.
type Departures = BinaryHeap<Reverse<(Duration, u64, u64)>>;

async fn subscribe(worker: &Rc<Worker>, plan: &Subscribe, part: Part, slots: &Slots) {
    let (start, seed) = (worker.job.start, worker.job.plan.seed);
    let mut actions = schedule::actions(&plan.stages, plan.arrivals, seed, part).peekable();
    let mut departures = Departures::new();
    let end = schedule::length(&plan.stages);
    loop {
        let planned = actions.peek().map(|timed| timed.at);
        let departing = departures.peek().map(|Reverse((at, ..))| *at);
        let Some(at) = planned.into_iter().chain(departing).min().filter(|at| *at < end) else {
            break;
        };
        let due = start + at;
        // Actions of the same time are done without another timer.
        if due > Instant::now() {
            sleep_until(due).await;
        }
        let (number, life) = if planned == Some(at) {
            let Some(Timed { action, .. }) = actions.next() else { break };
            match action {
                Action::Arrive(number) => (number, 0),
                Action::Disconnect(number) => {
                    if let Some(slot) = slots.borrow_mut().remove(&number) {
                        slot.order(worker, Order::Leave);
                    }
                    continue;
                }
                Action::Storm(share) => {
                    storm(worker, slots, share, seed);
                    continue;
                }
            }
        } else {
            let Some(Reverse((_, number, life))) = departures.pop() else { break };
            // The plan may have disconnected it before.
            let Some(slot) = slots.borrow_mut().remove(&number) else { continue };
            slot.order(worker, Order::Leave);
            (number, life + 1)
        };
        if let Some(lifetime) = plan.lifetime {
            let lasting = schedule::lifetime(lifetime, seed, number, life);
            departures.push(Reverse((at + lasting, number, life)));
        }
        arrive(worker, slots, number, life, due);
    }
    sleep_until(start + end).await;
}

fn arrive(worker: &Rc<Worker>, slots: &Slots, number: u64, life: u64, due: Instant) {
    let slot = Rc::new(Slot::default());
    slots.borrow_mut().insert(number, Rc::clone(&slot));
    begin(worker, due);
    worker.clients.update(|clients| clients + 1);
    // Not in a block of its own, which would take its memory twice in the task.
    spawn_local(client::subscribe(Rc::clone(worker), slot, number, life, due));
}

pub(super) fn begin(worker: &Worker, due: Instant) {
    let mut recorder = worker.recorder.borrow_mut();
    recorder.count(Counter::Arrivals);
    recorder.time(Metric::Lateness, nanoseconds(due.elapsed()));
}

fn storm(worker: &Worker, slots: &Slots, share: f64, seed: u64) {
    for (number, slot) in &*slots.borrow() {
        if schedule::share(seed, *number, u64::MAX - 1) < share {
            slot.order(worker, Order::Cut);
        }
    }
}

/// Slow clients read at full speed from now on, so that the rest in the buffers before them is not
/// taken for lost.
fn read_on(worker: &Worker, plan: &Subscribe, slots: &Slots) {
    if plan.slow.is_none() || worker.job.plan.drain.is_zero() {
        return;
    }
    worker.draining.set(Some(worker.since_start(Instant::now())));
    for (number, slot) in &*slots.borrow() {
        if client::is_slow(worker, *number) {
            slot.order(worker, Order::ReadOn);
        }
    }
}

/// Records how late the loop wakes, again and again, and reports how many streams are open.
async fn look(worker: Rc<Worker>) {
    let mut due = Instant::now() + LOOK;
    loop {
        sleep_until(due).await;
        worker.time(Metric::LoopLag, due.elapsed());
        worker.report();
        due = (due + LOOK).max(Instant::now());
    }
}

fn index(job: &Job, at: Instant) -> u64 {
    let since = at.saturating_duration_since(job.start).as_nanos();
    u64::try_from(since / job.plan.interval.as_nanos().max(1)).unwrap_or(u64::MAX)
}

async fn report(worker: Rc<Worker>, reports: mpsc::UnboundedSender<Interval>) {
    let (start, length) = (worker.job.start, worker.job.plan.interval);
    let mut end = start + length;
    loop {
        sleep_until(end).await;
        // A late report still belongs to the interval that ends.
        let index = index(&worker.job, end - length / 2);
        let interval = worker.recorder.borrow_mut().interval(index);
        if reports.send(interval).is_err() {
            return;
        }
        end += length;
    }
}
