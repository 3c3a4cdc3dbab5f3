//! What all clients of one thread share.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Waker};
use std::time::Duration;

use sseproof_codec::Decoder;
use sseproof_load_model::Metric;
use tokio::time::Instant;

use super::Job;
use super::http2::Pool;
use super::socket::Socket;
use crate::clock::nanoseconds;
use crate::recorder::Recorder;

/// How much is read at once.
const BUFFER: usize = 64 * 1024;
/// How many decoders are kept for whoever comes; the rest is given back to the system.
const SPARE: usize = 16;

/// What all clients of one thread share.
pub(crate) struct Worker {
    pub(crate) job: Arc<Job>,
    pub(crate) recorder: RefCell<Recorder>,
    /// What is read, by whoever reads.
    pub(crate) buffer: RefCell<Box<[u8]>>,
    /// Decoders that rest, for whoever has something to decode.
    #[expect(
        clippy::vec_box,
        reason = "a client that keeps one keeps a pointer, and nobody moves it"
    )]
    decoders: RefCell<Vec<Box<Decoder>>>,
    /// Connections that may be used again.
    pub(crate) idle: RefCell<Vec<Socket>>,
    /// Connections that are shared, over HTTP/2.
    pub(crate) http2: Pool,
    /// How many orders were left for any of them.
    pub(crate) orders: Cell<u32>,
    /// Clients that have not gone yet.
    pub(crate) clients: Cell<u64>,
    /// Whether the run is over, and all clients go.
    pub(crate) is_ending: Cell<bool>,
    /// What was open and counted when others were last told.
    told: Cell<(u64, u64)>,
}

impl Worker {
    pub(crate) fn new(job: Arc<Job>) -> Rc<Self> {
        Rc::new(Self {
            job,
            recorder: RefCell::new(Recorder::new()),
            buffer: RefCell::new(vec![0; BUFFER].into_boxed_slice()),
            decoders: RefCell::default(),
            idle: RefCell::default(),
            http2: Pool::default(),
            orders: Cell::new(0),
            clients: Cell::new(0),
            is_ending: Cell::new(false),
            told: Cell::default(),
        })
    }

    /// A decoder at the start of a stream.
    pub(crate) fn decoder_at_start(&self) -> Box<Decoder> {
        let mut decoder = self.decoders.borrow_mut().pop().unwrap_or_default();
        decoder.reconnect();
        decoder
    }

    /// A decoder in a stream of which nothing is under way.
    pub(crate) fn decoder_at_rest(&self) -> Box<Decoder> {
        let decoder = self.decoders.borrow_mut().pop();
        decoder.unwrap_or_else(|| {
            let mut decoder = Box::<Decoder>::default();
            // A blank line leads past the start, where a BOM would be none of the stream.
            drop(decoder.feed(b"\n"));
            decoder
        })
    }

    /// Takes a decoder back if it rests.
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

    /// Records a time.
    pub(crate) fn time(&self, metric: Metric, time: Duration) {
        self.recorder.borrow_mut().time(metric, nanoseconds(time));
    }

    /// Tells the other parts what is open and has arrived here.
    pub(crate) fn tell(&self) {
        let recorder = self.recorder.borrow();
        let now = (recorder.open, recorder.events);
        let told = self.told.replace(now);
        let shared = &self.job.shared;
        // Wraps where it shrinks, which is right for a sum.
        shared.open.fetch_add(now.0.wrapping_sub(told.0), Ordering::Relaxed);
        shared.events.fetch_add(now.1.wrapping_sub(told.1), Ordering::Relaxed);
    }
}

/// What a client is told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// To lose its connection, and to come back as it would.
    Cut,
    /// To go.
    Leave,
}

/// Where orders for a client are left.
#[derive(Default)]
pub(crate) struct Slot {
    order: Cell<Option<Order>>,
    waker: RefCell<Option<Waker>>,
}

impl Slot {
    /// Leaves an order, and wakes the client.
    pub(crate) fn order(&self, worker: &Worker, order: Order) {
        worker.orders.update(|orders| orders.wrapping_add(1));
        // Who is to go need not come back first.
        if self.order.get() != Some(Order::Leave) {
            self.order.set(Some(order));
        }
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// The order that was left, or nothing, and then the client is woken by the next one.
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

    /// Waits for an order.
    pub(crate) async fn ordered(&self) -> Order {
        std::future::poll_fn(|context| match self.poll(context) {
            Some(order) => std::task::Poll::Ready(order),
            None => std::task::Poll::Pending,
        })
        .await
    }
}
