//! The state that all clients of one thread share.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Waker};
use std::time::Duration;

use sseproof_codec::{Decoder, Limits};
use sseproof_load_model::{Metric, Workload};
use tokio::time::Instant;

use super::Job;
use super::connect::Ports;
use super::http2::Pool;
use super::socket::Socket;
use crate::clock::nanoseconds;
use crate::recorder::Recorder;
use crate::wire::EVENT;

/// How much is read at once.
const BUFFER: usize = 64 * 1024;
/// How many idle decoders are kept; the rest is given back to the system.
const SPARE: usize = 16;

pub(super) fn decoder() -> Box<Decoder> {
    let limits = Limits::default().with_line_bytes(EVENT).with_event_bytes(EVENT);
    Box::new(Decoder::with_limits(limits))
}

pub(crate) struct Worker {
    pub(crate) job: Arc<Job>,
    pub(crate) recorder: RefCell<Recorder>,
    pub(crate) buffer: RefCell<Box<[u8]>>,
    #[expect(
        clippy::vec_box,
        reason = "a client that keeps one keeps a pointer, and it must not move"
    )]
    decoders: RefCell<Vec<Box<Decoder>>>,
    pub(crate) idle: RefCell<Vec<Socket>>,
    pub(crate) http2: Pool,
    pub(crate) orders: Cell<u32>,
    pub(crate) clients: Cell<u64>,
    pub(crate) is_ending: Cell<bool>,
    /// Since when slow clients read at full speed, in nanoseconds since the start.
    pub(crate) draining: Cell<Option<u64>>,
    reported: Cell<(u64, u64)>,
    pub(super) ports: Option<Ports>,
    /// Whether the server has the clock of this machine.
    pub(crate) is_local: bool,
}

impl Worker {
    pub(crate) fn new(job: Arc<Job>) -> Rc<Self> {
        let is_local = job.target.is_local();
        let most = match &job.plan.workload {
            Workload::Subscribe(plan) => plan.most_clients(),
            Workload::Request(_) => 0,
        };
        Rc::new(Self {
            is_local,
            ports: Ports::for_crowd(most / job.target.bind.len().max(1) as u64),
            job,
            recorder: RefCell::new(Recorder::new()),
            buffer: RefCell::new(vec![0; BUFFER].into_boxed_slice()),
            decoders: RefCell::default(),
            idle: RefCell::default(),
            http2: Pool::default(),
            orders: Cell::new(0),
            clients: Cell::new(0),
            is_ending: Cell::new(false),
            draining: Cell::default(),
            reported: Cell::default(),
        })
    }

    pub(crate) fn decoder_at_start(&self) -> Box<Decoder> {
        let mut decoder = self.decoders.borrow_mut().pop().unwrap_or_else(decoder);
        decoder.reconnect();
        decoder
    }

    /// A decoder between two events of a stream.
    pub(crate) fn decoder_at_rest(&self) -> Box<Decoder> {
        let idle = self.decoders.borrow_mut().pop();
        idle.unwrap_or_else(|| {
            let mut decoder = decoder();
            // A blank line leads past the start, after which a BOM is data.
            drop(decoder.feed(b"\n"));
            decoder
        })
    }

    /// Keeps a decoder if it is idle.
    pub(crate) fn give_back(&self, decoder: Box<Decoder>) -> Option<Box<Decoder>> {
        if !decoder.is_at_rest() {
            return Some(decoder);
        }
        let mut decoders = self.decoders.borrow_mut();
        if decoders.len() < SPARE {
            decoders.push(decoder);
        }
        None
    }

    /// Nanoseconds since the start of the run.
    pub(crate) fn since_start(&self, at: Instant) -> u64 {
        nanoseconds(at.saturating_duration_since(self.job.start))
    }

    pub(crate) fn time(&self, metric: Metric, time: Duration) {
        self.recorder.borrow_mut().time(metric, nanoseconds(time));
    }

    /// Reports to the other parts how many streams are open and events have arrived here.
    pub(crate) fn report(&self) {
        let recorder = self.recorder.borrow();
        let now = (recorder.open, recorder.events);
        let before = self.reported.replace(now);
        let shared = &self.job.shared;
        // Wraps if it shrinks, which is right for a sum.
        shared.open.fetch_add(now.0.wrapping_sub(before.0), Ordering::Relaxed);
        shared.events.fetch_add(now.1.wrapping_sub(before.1), Ordering::Relaxed);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// To lose its connection, and to reconnect as usual.
    Cut,
    Leave,
    /// To read at full speed from now on.
    ReadOn,
}

/// The order for a client, if one waits.
#[derive(Default)]
pub(crate) struct Slot {
    order: Cell<Option<Order>>,
    waker: RefCell<Option<Waker>>,
}

impl Slot {
    pub(crate) fn order(&self, worker: &Worker, order: Order) {
        worker.orders.update(|orders| orders.wrapping_add(1));
        // A client that is to disconnect need not reconnect first.
        if self.order.get() != Some(Order::Leave) {
            self.order.set(Some(order));
        }
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// The waiting order; without one, the next order wakes the client.
    pub(crate) fn poll(&self, context: &Context<'_>) -> Option<Order> {
        let order = self.order.take();
        if order.is_none() {
            let mut waker = self.waker.borrow_mut();
            match &mut *waker {
                Some(waker) => waker.clone_from(context.waker()),
                none => *none = Some(context.waker().clone()),
            }
        }
        order
    }

    /// Whether the client is to disconnect; other orders mean nothing without a stream.
    pub(crate) fn leaves(&self, context: &Context<'_>) -> bool {
        while let Some(order) = self.poll(context) {
            if order == Order::Leave {
                return true;
            }
        }
        false
    }

    pub(crate) async fn ordered(&self) -> Order {
        std::future::poll_fn(|context| match self.poll(context) {
            Some(order) => std::task::Poll::Ready(order),
            None => std::task::Poll::Pending,
        })
        .await
    }
}
