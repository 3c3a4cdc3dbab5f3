//! Plays the schedule of one part: lets clients arrive and leave at their intended times, and
//! reports each interval.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use sseproof_load_model::schedule::{self, Act, Part, Timed};
use sseproof_load_model::{Counter, Interval, Metric, Subscribe, Workload};
use tokio::sync::{mpsc, watch};
use tokio::task::spawn_local;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::worker::{Order, Slot, Worker};
use super::{Job, client, publish, request};
use crate::clock::nanoseconds;

/// How often the loop looks at its own lag, and tells what is open.
const LOOK: Duration = Duration::from_millis(100);
/// How long clients may take to go.
const LEAVING: Duration = Duration::from_secs(5);

/// Plays the part until the plan is over, or `stop` says so.
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
    // Requests have been waited for, each until its answer had ended.
    let is_draining = matches!(worker.job.plan.workload, Workload::Subscribe(_));
    if is_draining && !is_stopped {
        tokio::select! {
            () = sleep(worker.job.plan.drain) => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
    }
    // Thousands of sockets that close at once hold up the loop, and nothing that is measured.
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
    // Who hangs is ended with the runtime.
    let _ = timeout(LEAVING, gone).await;
    reporting.abort();
    worker.tell();
    let index = index(&worker.job, Instant::now());
    let last = worker.recorder.borrow_mut().interval(index);
    // Nobody listens any more where the run was given up.
    let _ = reports.send(last);
}

/// The clients that are there, by their numbers.
type Slots = RefCell<BTreeMap<u64, Rc<Slot>>>;

/// What is due at a time that was not known before: a client leaves, and another takes its place.
type Departures = BinaryHeap<Reverse<(Duration, u64, u64)>>;

async fn subscribe(worker: &Rc<Worker>, plan: &Subscribe, part: Part, slots: &Slots) {
    let (start, seed) = (worker.job.start, worker.job.plan.seed);
    let mut acts = schedule::acts(&plan.stages, plan.arrivals, seed, part).peekable();
    let mut departures = Departures::new();
    let end = schedule::length(&plan.stages);
    loop {
        let planned = acts.peek().map(|timed| timed.at);
        let departing = departures.peek().map(|Reverse((at, ..))| *at);
        let Some(at) = planned.into_iter().chain(departing).min().filter(|at| *at < end) else {
            break;
        };
        let due = start + at;
        // Those that are due at once are done without going back to the timer.
        if due > Instant::now() {
            sleep_until(due).await;
        }
        let (number, life) = if planned == Some(at) {
            let Some(Timed { act, .. }) = acts.next() else { break };
            match act {
                Act::Arrive(number) => (number, 0),
                Act::Leave(number) => {
                    if let Some(slot) = slots.borrow_mut().remove(&number) {
                        slot.order(worker, Order::Leave);
                    }
                    continue;
                }
                Act::Storm(share) => {
                    storm(worker, slots, share, seed);
                    continue;
                }
            }
        } else {
            let Some(Reverse((_, number, life))) = departures.pop() else { break };
            // It may have been sent away by the plan.
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

/// The client of that number begins its life of that number.
fn arrive(worker: &Rc<Worker>, slots: &Slots, number: u64, life: u64, due: Instant) {
    let slot = Rc::new(Slot::default());
    slots.borrow_mut().insert(number, Rc::clone(&slot));
    begin(worker, due);
    worker.clients.update(|clients| clients + 1);
    // As it is: in a block of its own, a task would have room for it twice.
    spawn_local(client::subscribe(Rc::clone(worker), slot, number, life, due));
}

/// An arrival begins, perhaps late.
pub(super) fn begin(worker: &Worker, due: Instant) {
    let mut recorder = worker.recorder.borrow_mut();
    recorder.count(Counter::Arrivals);
    recorder.time(Metric::Lateness, nanoseconds(due.elapsed()));
}

/// Cuts that share of all clients, which ones the seed says.
fn storm(worker: &Worker, slots: &Slots, share: f64, seed: u64) {
    for (number, slot) in &*slots.borrow() {
        if schedule::share(seed, *number, u64::MAX - 1) < share {
            slot.order(worker, Order::Cut);
        }
    }
}

/// Records how late the loop wakes, again and again, and tells what is open.
async fn look(worker: Rc<Worker>) {
    let mut due = Instant::now() + LOOK;
    loop {
        sleep_until(due).await;
        worker.time(Metric::LoopLag, due.elapsed());
        worker.tell();
        due = (due + LOOK).max(Instant::now());
    }
}

/// Which interval an instant is in.
fn index(job: &Job, at: Instant) -> u64 {
    let since = at.saturating_duration_since(job.start).as_nanos();
    u64::try_from(since / job.plan.interval.as_nanos().max(1)).unwrap_or(u64::MAX)
}

/// Reports each interval as it ends.
async fn report(worker: Rc<Worker>, reports: mpsc::UnboundedSender<Interval>) {
    let (start, length) = (worker.job.start, worker.job.plan.interval);
    let mut end = start + length;
    loop {
        sleep_until(end).await;
        // What was seen by now belongs to the interval that ends, also where the loop is late.
        let index = index(&worker.job, end - length / 2);
        let interval = worker.recorder.borrow_mut().interval(index);
        if reports.send(interval).is_err() {
            return;
        }
        end += length;
    }
}
