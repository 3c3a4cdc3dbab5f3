//! A client that subscribes: it opens its stream, reads it, and reconnects like an `EventSource`.

use std::future::poll_fn;
use std::num::NonZeroU64;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use sseproof_load_model::{Counter, Metric, Pace, Subscribe, schedule};
use tokio::io::{AsyncRead as _, AsyncWriteExt as _, ReadBuf};
use tokio::time::{Instant, sleep};

use super::dial::{Dialled, Sent, dial, never_opened, wait};
use super::stream::{ReadPace, Reading, Stream, Track};
use super::worker::{Order, Slot, Worker};
use crate::clock::nanoseconds;

#[derive(Clone, Copy)]
enum End {
    Ordered(Order),
    /// The server or the network ended it.
    Theirs,
}

/// The tasks besides reading; all of them are rare, and done in a box.
enum Todo {
    End(End),
    Answer,
    Slow,
}

/// The state of a client over all its connections, and the stream that it has now.
///
/// It is all that its task holds while the stream runs, so times are in nanoseconds since the start
/// of the run, which take half as many bytes as an `Instant`.
struct Client {
    worker: Rc<Worker>,
    slot: Rc<Slot>,
    number: u64,
    life: u64,
    tries: u32,
    intended: u64,
    ended: Option<NonZeroU64>,
    /// The number of orders when it last looked for its own.
    orders: Option<u32>,
    track: Track,
    stream: Option<Stream>,
}

pub(crate) fn subscribe(
    worker: Rc<Worker>,
    slot: Rc<Slot>,
    number: u64,
    life: u64,
    intended: Instant,
) -> impl Future<Output = ()> {
    let intended = worker.since_start(intended);
    // A parameter of an asynchronous function takes its memory twice in a task; a captured variable
    // does not.
    let mut client = Client {
        worker,
        slot,
        number,
        life,
        tries: 0,
        intended,
        ended: None,
        orders: None,
        track: Track::default(),
        stream: None,
    };
    async move {
        let was_open = loop {
            if !Box::pin(client.open()).await {
                break false;
            }
            let end = loop {
                match poll_fn(|context| client.poll(context)).await {
                    Todo::End(end) => break end,
                    Todo::Answer => Box::pin(client.answer()).await,
                    Todo::Slow => match Box::pin(client.read_slowly()).await {
                        None => {}
                        Some(Order::ReadOn) => client.read_on(),
                        Some(order) => break End::Ordered(order),
                    },
                }
            };
            if !client.closed(end) {
                break matches!(end, End::Ordered(_));
            }
        };
        // Nothing is owed to a client that never had a stream; it is counted as such.
        if client.ended.is_some() {
            client.track.account(&client.worker, client.may_get_more(was_open));
        }
        client.worker.clients.update(|clients| clients - 1);
    }
}

fn subscribing(worker: &Worker) -> Option<&Subscribe> {
    match &worker.job.plan.workload {
        sseproof_load_model::Workload::Subscribe(plan) => Some(plan),
        sseproof_load_model::Workload::Request(_) => None,
    }
}

/// Whether the plan makes that client read slowly.
pub(super) fn is_slow(worker: &Worker, number: u64) -> bool {
    let slow = subscribing(worker).and_then(|plan| plan.slow);
    let share = slow.map_or(0.0, |slow| slow.share);
    schedule::share(worker.job.plan.seed, number, u64::MAX) < share
}

/// A client that the plan disconnects counts as unanswered after so long without response headers.
const SOON: Duration = Duration::from_secs(1);

impl Client {
    /// Opens a stream, with as many attempts as needed; `false` if the client was ordered to disconnect, or cannot have one.
    async fn open(&mut self) -> bool {
        let worker = Rc::clone(&self.worker);
        let Some(plan) = subscribing(&worker) else { return false };
        let is_first = self.ended.is_none();
        let (mut first_sent, mut last) = (None, None);
        let never = |kind, sent, first_sent| {
            if is_first {
                never_opened(&worker, kind, sent, first_sent);
            }
        };
        loop {
            let is_back = self.tries > 0;
            if is_back && !self.waited(plan).await {
                if let Some((kind, sent)) = last {
                    never(Some(kind), sent, first_sent);
                }
                return false;
            }
            self.tries += 1;
            let id = match plan.reconnecting.last_event_id {
                true => &*self.track.resume.last_event_id,
                false => "",
            };
            let intended = worker.job.start + Duration::from_nanos(self.intended);
            let sent = Sent::default();
            let mut dialling = Box::pin(dial(&worker, self.number, id, intended, &sent));
            let dialled = poll_fn(|context| match self.slot.leaves(context) {
                true => Poll::Ready(None),
                false => dialling.as_mut().poll(context).map(Some),
            })
            .await;
            drop(dialling);
            let sent = sent.get();
            first_sent = first_sent.or(sent);
            match dialled {
                None => {
                    match last {
                        Some((kind, at)) if sent.is_none() => never(Some(kind), at, first_sent),
                        _ if worker.is_ending.get() || intended.elapsed() >= SOON => {
                            never(None, sent, first_sent);
                        }
                        _ => {}
                    }
                    return false;
                }
                Some(Ok(dialled)) => {
                    self.begin(dialled);
                    return true;
                }
                Some(Err(failure)) => {
                    worker.recorder.borrow_mut().error(&failure.error);
                    let kind = failure.error.kind();
                    if !failure.again || !plan.reconnecting.back {
                        never(Some(kind), sent, first_sent);
                        return false;
                    }
                    last = Some((kind, sent));
                }
            }
        }
    }

    async fn waited(&mut self, plan: &Subscribe) -> bool {
        let base = self.track.resume.reconnection_time.map(Duration::from_millis);
        let seed = self.worker.job.plan.seed ^ self.life;
        let chance = schedule::share(seed, self.number, u64::from(self.tries) << 32);
        let pause = wait(base.unwrap_or(plan.reconnecting.wait), plan.reconnecting.jitter, chance);
        let mut pausing = Box::pin(sleep(pause));
        let waited = poll_fn(|context| match self.slot.leaves(context) {
            true => Poll::Ready(false),
            false => pausing.as_mut().poll(context).map(|()| true),
        })
        .await;
        self.intended = self.worker.since_start(Instant::now());
        waited
    }

    fn begin(&mut self, dialled: Dialled) {
        let job = &self.worker.job;
        let reading = Reading::of(job.target.transport, &dialled);
        let Dialled { socket, rest, asked, answered, .. } = dialled;
        self.track.asked = self.worker.since_start(asked);
        let answered = self.worker.since_start(answered);
        self.track.last = None;
        let mut recorder = self.worker.recorder.borrow_mut();
        recorder.open += 1;
        match self.ended.take() {
            None => self.track.owed_from = job.shared.begun.load(Ordering::Relaxed),
            Some(ended) => {
                recorder.count(Counter::Reconnects);
                recorder.time(Metric::Reconnect, answered.saturating_sub(ended.get()));
            }
        }
        drop(recorder);
        self.track.reconnected(&self.worker);
        let pace = match is_slow(&self.worker, self.number) {
            false => ReadPace::Usual,
            true if self.worker.draining.get().is_some() => ReadPace::CatchingUp,
            true => ReadPace::Slow,
        };
        let mut stream =
            Stream { socket, reading, answered, answer: Vec::new(), is_over: false, pace };
        self.track.take(&self.worker, &mut stream, &rest);
        self.stream = Some(stream);
    }

    /// The stream is over; whether the client reconnects.
    fn closed(&mut self, end: End) -> bool {
        let now = self.worker.since_start(Instant::now());
        let mut recorder = self.worker.recorder.borrow_mut();
        recorder.open -= 1;
        match end {
            End::Ordered(_) => recorder.count(Counter::Closed),
            End::Theirs => recorder.count(Counter::Ended),
        }
        // A stream that is still open at the end of a run has no length.
        if let Some(stream) = self.stream.take()
            && !self.worker.is_ending.get()
        {
            recorder.time(Metric::Stream, now.saturating_sub(stream.answered));
        }
        self.ended = NonZeroU64::new(now);
        let comes_back = subscribing(&self.worker).is_some_and(|plan| plan.reconnecting.back);
        comes_back && !matches!(end, End::Ordered(Order::Leave))
    }

    fn read_on(&mut self) {
        if let Some(stream) = &mut self.stream {
            stream.pace = ReadPace::CatchingUp;
        }
    }

    /// Whether the client may still get events that it has not read: a slow one, unless its stream
    /// was open from before the end of the run, and brought nothing more at full speed.
    fn may_get_more(&self, was_open: bool) -> bool {
        if !is_slow(&self.worker, self.number) {
            return false;
        }
        let Some(from) = self.worker.draining.get().filter(|_| was_open) else { return true };
        let last = self.track.last.map_or(from, |last| last.get().max(from));
        let silent = self.worker.since_start(Instant::now()).saturating_sub(last);
        self.track.asked > from || silent < nanoseconds(self.worker.job.plan.drain / 2)
    }

    /// Reads what is there; ready when something else is to be done.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Todo> {
        // Its own slot is elsewhere in memory, and stays untouched until a client gets an order.
        let orders = Some(self.worker.orders.get());
        if self.orders != orders {
            while let Some(order) = self.slot.poll(context) {
                match order {
                    Order::ReadOn => self.read_on(),
                    order => return Poll::Ready(Todo::End(End::Ordered(order))),
                }
            }
            self.orders = orders;
        }
        let Some(stream) = &mut self.stream else { return Poll::Ready(Todo::End(End::Theirs)) };
        let mut buffer = self.worker.buffer.borrow_mut();
        loop {
            if !stream.answer.is_empty() {
                return Poll::Ready(Todo::Answer);
            }
            if stream.is_over {
                return Poll::Ready(Todo::End(End::Theirs));
            }
            if stream.pace == ReadPace::Slow {
                return Poll::Ready(Todo::Slow);
            }
            let mut read = ReadBuf::new(&mut buffer);
            match Pin::new(&mut stream.socket).poll_read(context, &mut read) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(read_to) => {
                    let read = read_to.map(|()| read.filled());
                    self.track.took(&self.worker, stream, read);
                }
            }
        }
    }

    async fn answer(&mut self) {
        let Some(stream) = &mut self.stream else { return };
        let answer = std::mem::take(&mut stream.answer);
        // A server that does not read pongs counts as ended.
        stream.is_over |= stream.socket.write_all(&answer).await.is_err();
    }

    /// Reads at the plan's slow pace, or not at all, until something else is to be done.
    async fn read_slowly(&mut self) -> Option<Order> {
        use tokio::io::AsyncReadExt as _;

        /// How many times a second it reads.
        const TIMES: u64 = 10;
        let slot = Rc::clone(&self.slot);
        let slow = subscribing(&self.worker).and_then(|plan| plan.slow);
        let Some(Pace::BytesPerSecond(rate)) = slow.map(|slow| slow.pace) else {
            return Some(slot.ordered().await);
        };
        let at_once = usize::try_from((rate / TIMES).max(1)).unwrap_or(usize::MAX);
        let mut buffer = vec![0; at_once.min(64 * 1024)];
        let stream = self.stream.as_mut()?;
        loop {
            tokio::select! {
                order = slot.ordered() => return Some(order),
                () = sleep(Duration::from_millis(1000 / TIMES)) => {}
            }
            let read = tokio::select! {
                order = slot.ordered() => return Some(order),
                read = stream.socket.read(&mut buffer) => read,
            };
            self.track.took(&self.worker, stream, read.map(|length| &buffer[..length]));
            if stream.is_over || !stream.answer.is_empty() {
                return None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The memory of an idle client beside its socket; a bound, so that it does not grow unseen.
    #[tokio::test]
    async fn a_client_is_small() {
        let target =
            crate::Target::new("http://127.0.0.1:1/".parse().unwrap(), None).await.unwrap();
        let workload = sseproof_load_model::Workload::Subscribe(Subscribe::default());
        let job = super::super::Job {
            plan: sseproof_load_model::Plan::new("", workload),
            target,
            publisher: None,
            clock: crate::Clock::now(),
            start: Instant::now(),
            shared: std::sync::Arc::default(),
        };
        let worker = Worker::new(std::sync::Arc::new(job));
        let task = subscribe(worker, Rc::default(), 0, 0, Instant::now());
        // tokio adds 104 bytes, and rounds up to 128: one byte more costs 128.
        assert!(size_of_val(&task) <= 280, "{} bytes", size_of_val(&task));
    }
}
