//! A client that subscribes: it opens its stream, reads it, and comes back as clients do.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use sseproof_codec::Decoder;
use sseproof_measure::{
    Counter, Metric, Pace, Seen, Sequence, Sequencing, Subscribe, Transport, schedule,
};
use tokio::io::{AsyncRead as _, AsyncWriteExt as _, ReadBuf};
use tokio::time::{Instant, sleep};
use tungstenite::protocol::frame::coding::Control;

use super::dial::{Dialled, dial, wait};
use super::socket::Socket;
use super::worker::{Order, Slot, Worker};
use crate::clock::nanoseconds;
use crate::stamp;
use crate::wire::body::{Body, Piece};
use crate::wire::websocket::{Frame, Reader, control};

/// How a stream ended.
enum End {
    /// The client was told to.
    Ordered(Order),
    /// The server, or the network, ended it.
    Theirs,
}

/// What a client knows over all its connections.
struct Client {
    worker: Rc<Worker>,
    /// What it has read of the stream; over WebSocket it only holds the last id.
    decoder: Decoder,
    track: Track,
}

/// What is told from one event after the other.
struct Track {
    sequence: Sequence,
    /// What was published before the client had its first stream; nothing of it is owed to it.
    owed_from: u64,
    /// When the request of the stream was written, and when the last event came, if one has:
    /// nanoseconds since the start of the run.
    asked: u64,
    last: Option<std::num::NonZeroU64>,
}

/// What takes the bytes of a stream apart.
enum Reading {
    Events(Body),
    Messages(Reader),
}

/// Plays a client of that number until it is told to leave, or cannot come back.
pub(crate) async fn subscribe(
    worker: Rc<Worker>,
    slot: Rc<Slot>,
    number: u64,
    life: u64,
    intended: Instant,
) {
    let sequence = Sequence::default();
    let track = Track { sequence, owed_from: 0, asked: 0, last: None };
    let mut client = Client { worker, decoder: Decoder::new(), track };
    live(&mut client, &slot, number, life, intended).await;
    client.account();
}

async fn live(client: &mut Client, slot: &Slot, number: u64, life: u64, intended: Instant) {
    let mut intended = intended;
    let mut ended: Option<Instant> = None;
    let mut tries = 0_u64;
    loop {
        let worker = Rc::clone(&client.worker);
        let Some(plan) = subscribing(&worker) else { return };
        let last_event_id = client.last_event_id(plan.reconnecting.last_event_id);
        // In a box, so that its room is free while the stream runs.
        let dialled = {
            let dialling = dial(&worker, number, &last_event_id, intended);
            let mut dialling = Box::pin(dialling);
            poll_fn(|context| match slot.poll(context) {
                Some(Order::Leave) => Poll::Ready(None),
                _ => dialling.as_mut().poll(context).map(Some),
            })
            .await
        };
        match dialled {
            None => return,
            Some(Err(failure)) => {
                worker.recorder.borrow_mut().error(&failure.kind);
                if !failure.again {
                    return;
                }
            }
            Some(Ok(dialled)) => {
                client.begun(&dialled, ended);
                let pace = pace(&worker, plan, number);
                let end = client.read(dialled, slot, pace).await;
                worker.recorder.borrow_mut().open -= 1;
                match end {
                    End::Ordered(Order::Leave) => {
                        worker.recorder.borrow_mut().count(Counter::Closed);
                        return;
                    }
                    End::Ordered(Order::Cut) => {
                        worker.recorder.borrow_mut().count(Counter::Closed);
                    }
                    End::Theirs => worker.recorder.borrow_mut().count(Counter::Ended),
                }
                ended = Some(Instant::now());
            }
        }
        if !plan.reconnecting.back {
            return;
        }
        let base = client.decoder.reconnection_time().map(Duration::from_millis);
        let seed = worker.job.plan.seed ^ life;
        let chance = schedule::share(seed, number, tries.wrapping_add(1) << 32);
        let pause = wait(base.unwrap_or(plan.reconnecting.wait), plan.reconnecting.jitter, chance);
        tries += 1;
        if waited(slot, pause).await {
            return;
        }
        intended = Instant::now();
    }
}

/// Waits; whether the client was told to leave meanwhile.
async fn waited(slot: &Slot, pause: Duration) -> bool {
    let mut pausing = Box::pin(sleep(pause));
    poll_fn(|context| match slot.poll(context) {
        Some(Order::Leave) => Poll::Ready(true),
        _ => pausing.as_mut().poll(context).map(|()| false),
    })
    .await
}

/// What the plan says of clients that subscribe.
fn subscribing(worker: &Worker) -> Option<&Subscribe> {
    match &worker.job.plan.workload {
        sseproof_measure::Workload::Subscribe(plan) => Some(plan),
        sseproof_measure::Workload::Request(_) => None,
    }
}

/// How fast the client of that number reads, where it is one of the slow ones.
fn pace(worker: &Worker, plan: &Subscribe, number: u64) -> Option<Pace> {
    let slow = plan.slow?;
    (schedule::share(worker.job.plan.seed, number, u64::MAX) < slow.share).then_some(slow.pace)
}

impl Client {
    /// What it asks to resume behind.
    fn last_event_id(&self, wanted: bool) -> String {
        if wanted { self.decoder.last_event_id().to_owned() } else { String::new() }
    }

    /// A stream has begun.
    fn begun(&mut self, dialled: &Dialled, ended: Option<Instant>) {
        let job = &self.worker.job;
        self.track.asked = nanoseconds(dialled.asked - job.start);
        self.track.last = None;
        // What was left of a message, or of an event, is gone with its connection.
        self.decoder.reconnect();
        let mut recorder = self.worker.recorder.borrow_mut();
        recorder.open += 1;
        match ended {
            None => self.track.owed_from = job.shared.begun.load(Ordering::Relaxed),
            Some(ended) => {
                recorder.count(Counter::Reconnects);
                recorder.time(Metric::Reconnect, nanoseconds(dialled.answered - ended));
            }
        }
    }

    /// Reads the stream to its end.
    async fn read(&mut self, dialled: Dialled, slot: &Slot, pace: Option<Pace>) -> End {
        let Dialled { mut socket, head, rest, answered, .. } = dialled;
        let mut reading = match self.worker.job.target.transport {
            Transport::Sse => Reading::Events(head.body),
            Transport::WebSocket => Reading::Messages(Reader::default()),
        };
        drop(head.media);
        let mut answer = Vec::new();
        let mut ended = self.take(&mut reading, &rest, &mut answer);
        drop(rest);
        loop {
            if !answer.is_empty() {
                // A server that does not read its pongs is one that ends.
                ended |= socket.write_all(&answer).await.is_err();
                answer = Vec::new();
            }
            if ended {
                self.worker.time(Metric::Stream, answered.elapsed());
                return End::Theirs;
            }
            let order = match pace {
                None => {
                    poll_fn(|context| {
                        self.poll(context, slot, &mut socket, &mut reading, &mut answer, &mut ended)
                    })
                    .await
                }
                Some(pace) => {
                    let slowly = self.read_slowly(
                        pace,
                        slot,
                        &mut socket,
                        &mut reading,
                        &mut answer,
                        &mut ended,
                    );
                    Box::pin(slowly).await
                }
            };
            if let Some(order) = order {
                return End::Ordered(order);
            }
        }
    }

    /// Reads what is there; ready when something else is to be done than reading.
    fn poll(
        &mut self,
        context: &mut Context<'_>,
        slot: &Slot,
        socket: &mut Socket,
        reading: &mut Reading,
        answer: &mut Vec<u8>,
        ended: &mut bool,
    ) -> Poll<Option<Order>> {
        if let Some(order) = slot.poll(context) {
            return Poll::Ready(Some(order));
        }
        let worker = Rc::clone(&self.worker);
        let mut buffer = worker.buffer.borrow_mut();
        loop {
            let mut read = ReadBuf::new(&mut buffer);
            match ready!(Pin::new(&mut *socket).poll_read(context, &mut read)) {
                Ok(()) if read.filled().is_empty() => {
                    *ended = true;
                    self.closed(reading);
                }
                Ok(()) => *ended = self.take(reading, read.filled(), answer),
                Err(error) => {
                    *ended = true;
                    self.worker.recorder.borrow_mut().error(&reading_failed(&error));
                }
            }
            if *ended || !answer.is_empty() {
                return Poll::Ready(None);
            }
        }
    }

    /// Reads at that pace, or not at all.
    async fn read_slowly(
        &mut self,
        pace: Pace,
        slot: &Slot,
        socket: &mut Socket,
        reading: &mut Reading,
        answer: &mut Vec<u8>,
        ended: &mut bool,
    ) -> Option<Order> {
        use tokio::io::AsyncReadExt as _;

        /// How many times a second it reads.
        const TIMES: u64 = 10;
        let Pace::BytesPerSecond(rate) = pace else { return Some(slot.ordered().await) };
        let at_once = usize::try_from((rate / TIMES).max(1)).unwrap_or(usize::MAX);
        let mut buffer = vec![0; at_once.min(64 * 1024)];
        loop {
            let order = tokio::select! {
                order = slot.ordered() => Some(order),
                () = sleep(Duration::from_millis(1000 / TIMES)) => None,
            };
            if order.is_some() {
                return order;
            }
            let read = tokio::select! {
                order = slot.ordered() => return Some(order),
                read = socket.read(&mut buffer) => read,
            };
            match read {
                Ok(0) => {
                    *ended = true;
                    self.closed(reading);
                }
                Ok(length) => *ended = self.take(reading, &buffer[..length], answer),
                Err(error) => {
                    *ended = true;
                    self.worker.recorder.borrow_mut().error(&reading_failed(&error));
                }
            }
            if *ended || !answer.is_empty() {
                return None;
            }
        }
    }

    /// Takes bytes that were read; whether the stream is over.
    fn take(&mut self, reading: &mut Reading, bytes: &[u8], answer: &mut Vec<u8>) -> bool {
        if bytes.is_empty() {
            return false;
        }
        let worker = Rc::clone(&self.worker);
        worker.recorder.borrow_mut().add(Counter::Bytes, bytes.len() as u64);
        match reading {
            Reading::Events(body) => self.events(&worker, body, bytes),
            Reading::Messages(reader) => {
                let mut clock = Ticks::new(&worker);
                let mut over = false;
                let fed = reader.feed(bytes, |frame| match frame {
                    Frame::Message(data) => {
                        // What is no text has no stamp either.
                        let text = std::str::from_utf8(data).unwrap_or_default();
                        self.track.event(&worker, clock.now(), "", text);
                    }
                    Frame::Ping(payload) => answer.extend(control(Control::Pong, payload, MASK)),
                    Frame::Pong => {}
                    Frame::Close(_) => over = true,
                });
                if over {
                    answer.extend(control(Control::Close, &1000_u16.to_be_bytes(), MASK));
                }
                if let Err(message) = fed {
                    worker.recorder.borrow_mut().error(&format!("websocket: {message}"));
                    over = true;
                }
                over
            }
        }
    }

    fn events(&mut self, worker: &Worker, body: &mut Body, mut bytes: &[u8]) -> bool {
        let mut clock = Ticks::new(worker);
        loop {
            match body.next(&mut bytes) {
                Ok(Piece::Payload(payload)) => {
                    let mut events = self.decoder.feed(payload);
                    while let Some(event) = events.next() {
                        // An id that is inherited says nothing of this event.
                        let id = if event.sets_id { event.last_event_id.as_ref() } else { "" };
                        self.track.event(worker, clock.now(), id, event.data.as_ref());
                    }
                }
                Ok(Piece::More) => return false,
                Ok(Piece::End) => return true,
                Err(_) => {
                    worker.recorder.borrow_mut().error("framing: no chunks of HTTP/1.1");
                    return true;
                }
            }
        }
    }

    /// The connection was closed; before the proper end of the body it is an error.
    fn closed(&self, reading: &Reading) {
        let kind = match reading {
            Reading::Events(Body::UntilClose) => return,
            Reading::Events(_) => "closed within the body",
            Reading::Messages(_) => "websocket: closed without a close frame",
        };
        self.worker.recorder.borrow_mut().error(kind);
    }

    /// What was never received is lost, now that nothing more comes.
    fn account(&self) {
        let job = &self.worker.job;
        let track = &self.track;
        let lost = if job.publisher.is_some() && job.plan.sequencing == Sequencing::Own {
            let end = job.shared.published.load(Ordering::Relaxed);
            match track.sequence.next() {
                // Where nothing was received, all that was published since is missing.
                None => end.saturating_sub(track.owed_from),
                Some(_) => track.sequence.lost_before(end),
            }
        } else {
            track.sequence.lost()
        };
        self.worker.recorder.borrow_mut().add(Counter::Lost, lost);
    }
}

/// The mask of frames that a client sends. Chance would protect proxies from pages, not servers
/// from us.
const MASK: [u8; 4] = [0x53, 0x53, 0x45, 0x21];

/// The time, asked for anew with every few events: each asking costs as much as decoding one.
struct Ticks {
    at: Instant,
    left: u8,
}

/// How many events share one reading of the clock.
const TOGETHER: u8 = 16;

impl Ticks {
    fn new(_: &Worker) -> Self {
        Self { at: Instant::now(), left: TOGETHER }
    }

    fn now(&mut self) -> Instant {
        if self.left == 0 {
            *self = Self { at: Instant::now(), left: TOGETHER };
        }
        self.left -= 1;
        self.at
    }
}

impl Track {
    /// An event has arrived.
    fn event(&mut self, worker: &Worker, now: Instant, id: &str, data: &str) {
        let job = &worker.job;
        let at = nanoseconds(now.saturating_duration_since(job.start)).max(1);
        let mut recorder = worker.recorder.borrow_mut();
        recorder.count(Counter::Events);
        recorder.events += 1;
        match self.last {
            None => recorder.time(Metric::FirstEvent, at.saturating_sub(self.asked)),
            Some(last) => recorder.time(Metric::Gap, at.saturating_sub(last.get())),
        }
        self.last = std::num::NonZeroU64::new(at);
        let plan = &job.plan;
        let read = stamp::read(&plan.stamping, &plan.sequencing, id, data);
        match read.stamp {
            Some(stamp) => match job.clock.wall(now).checked_sub(stamp) {
                Some(latency) => {
                    recorder.time(Metric::Delivery, latency);
                    if let Some(held) = read.held {
                        recorder.time(Metric::Overhead, latency.saturating_sub(held));
                    }
                }
                None => recorder.count(Counter::Negative),
            },
            None if plan.stamping != sseproof_measure::Stamping::None => {
                recorder.count(Counter::Unstamped);
            }
            None => {}
        }
        match read.number {
            Some(number) if number < self.owed_from => {}
            Some(number) => match self.sequence.see(number) {
                Seen::InOrder | Seen::Ahead(_) => {}
                Seen::Late => recorder.count(Counter::Reordered),
                Seen::Again => recorder.count(Counter::Duplicated),
            },
            // Also where the plan looks for none: a result must show that nobody could miss any.
            None => recorder.count(Counter::Unsequenced),
        }
    }
}

/// What went wrong with reading, in words that are few enough to count.
pub(super) fn reading_failed(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionReset => "reset".to_owned(),
        io::ErrorKind::UnexpectedEof => "tls: closed without close_notify".to_owned(),
        _ => format!("read: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What an idle client owns beside its socket; a bound, so that it does not grow unseen.
    #[test]
    fn a_client_is_small() {
        assert!(size_of::<Client>() <= 320, "{}", size_of::<Client>());
    }
}
