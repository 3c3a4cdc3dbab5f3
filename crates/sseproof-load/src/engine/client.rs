//! A client that subscribes: it opens its stream, reads it, and comes back as clients do.

use std::future::poll_fn;
use std::io;
use std::num::NonZeroU64;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use sseproof_codec::{Decoder, Resume};
use sseproof_measure::{
    Counter, Metric, Pace, Seen, Sequence, Sequencing, Subscribe, Transport, schedule,
};
use tokio::io::{AsyncRead as _, AsyncWriteExt as _, ReadBuf};
use tokio::time::{Instant, sleep};
use tungstenite::protocol::frame::coding::Control;

use super::dial::{Dialled, dial, wait};
use super::socket::Socket;
use super::worker::{Order, Slot, Worker};
use crate::stamp;
use crate::wire::body::{Body, Piece};
use crate::wire::websocket::{Frame, Reader, control};

/// How a stream ended.
#[derive(Clone, Copy)]
enum End {
    /// The client was told to.
    Ordered(Order),
    /// The server, or the network, ended it.
    Theirs,
}

/// What is to be done besides reading; all of it is rare, and done in a box.
enum Todo {
    /// The stream is over.
    End(End),
    /// Something is to be written.
    Answer,
    /// The client is a slow one.
    Slow,
}

/// What a client knows over all its connections, and the stream that it has now.
///
/// It is all that its task holds while the stream runs, so times are in nanoseconds since the start
/// of the run, which is half as long as an instant.
struct Client {
    worker: Rc<Worker>,
    slot: Rc<Slot>,
    number: u64,
    life: u64,
    /// How often it has come back.
    tries: u64,
    /// When it was to come.
    intended: u64,
    /// When its last stream ended.
    ended: Option<NonZeroU64>,
    /// What it asks for when it comes back.
    resume: Resume,
    track: Track,
    stream: Option<Stream>,
}

/// A stream that runs.
struct Stream {
    socket: Socket,
    reading: Reading,
    /// When its head had been read.
    answered: u64,
    /// What is to be written.
    answer: Vec<u8>,
    is_over: bool,
    /// Whether it is one of those that read slowly.
    is_slow: bool,
}

/// What is told from one event after the other.
struct Track {
    sequence: Sequence,
    /// What was published before the client had its first stream; nothing of it is owed to it.
    owed_from: u64,
    /// When the request of the stream was written, and when the last event came, if one has.
    asked: u64,
    last: Option<NonZeroU64>,
}

/// What takes the bytes of a stream apart.
enum Reading {
    Events { body: Body, decoding: Decoding },
    Messages(Reader),
}

/// Where the decoding of a stream stands.
enum Decoding {
    /// Nothing has come.
    Start,
    /// Nothing is under way, so that any decoder that rests can go on.
    Rest,
    /// An event or a line is cut.
    Within(Box<Decoder>),
}

/// Plays a client of that number until it is told to leave, or cannot come back.
pub(crate) fn subscribe(
    worker: Rc<Worker>,
    slot: Rc<Slot>,
    number: u64,
    life: u64,
    intended: Instant,
) -> impl Future<Output = ()> {
    let track = Track { sequence: Sequence::default(), owed_from: 0, asked: 0, last: None };
    let intended = worker.since_start(intended);
    // What an asynchronous function is given has its room twice in a task; what a block takes along
    // has not.
    let mut client = Client {
        worker,
        slot,
        number,
        life,
        tries: 0,
        intended,
        ended: None,
        resume: Resume::default(),
        track,
        stream: None,
    };
    async move {
        while Box::pin(client.open()).await {
            let end = loop {
                match poll_fn(|context| client.poll(context)).await {
                    Todo::End(end) => break end,
                    Todo::Answer => Box::pin(client.answer()).await,
                    Todo::Slow => {
                        if let Some(order) = Box::pin(client.read_slowly()).await {
                            break End::Ordered(order);
                        }
                    }
                }
            };
            if !client.closed(end) {
                break;
            }
        }
        client.account();
        client.worker.clients.update(|clients| clients - 1);
    }
}

/// What the plan says of clients that subscribe.
fn subscribing(worker: &Worker) -> Option<&Subscribe> {
    match &worker.job.plan.workload {
        sseproof_measure::Workload::Subscribe(plan) => Some(plan),
        sseproof_measure::Workload::Request(_) => None,
    }
}

/// Whether the client of that number is one of the slow ones.
fn is_slow(worker: &Worker, plan: &Subscribe, number: u64) -> bool {
    let share = plan.slow.map_or(0.0, |slow| slow.share);
    schedule::share(worker.job.plan.seed, number, u64::MAX) < share
}

impl Client {
    /// Opens a stream, however often it takes; `false` where the client has gone, or cannot have one.
    async fn open(&mut self) -> bool {
        let worker = Rc::clone(&self.worker);
        let Some(plan) = subscribing(&worker) else { return false };
        loop {
            let is_back = self.tries > 0;
            if is_back && !self.waited(plan).await {
                return false;
            }
            self.tries += 1;
            let id = match plan.reconnecting.last_event_id {
                true => &*self.resume.last_event_id,
                false => "",
            };
            let intended = worker.job.start + Duration::from_nanos(self.intended);
            let mut dialling = Box::pin(dial(&worker, self.number, id, intended));
            let dialled = poll_fn(|context| match self.slot.poll(context) {
                Some(Order::Leave) => Poll::Ready(None),
                _ => dialling.as_mut().poll(context).map(Some),
            })
            .await;
            drop(dialling);
            match dialled {
                None => return false,
                Some(Ok(dialled)) => {
                    self.begin(dialled, plan);
                    return true;
                }
                Some(Err(failure)) => {
                    worker.recorder.borrow_mut().error(&failure.kind);
                    if !failure.again || !plan.reconnecting.back {
                        return false;
                    }
                }
            }
        }
    }

    /// Waits as long as a client does before it comes back; `false` where it was told to leave.
    async fn waited(&mut self, plan: &Subscribe) -> bool {
        let base = self.resume.reconnection_time.map(Duration::from_millis);
        let seed = self.worker.job.plan.seed ^ self.life;
        let chance = schedule::share(seed, self.number, self.tries << 32);
        let pause = wait(base.unwrap_or(plan.reconnecting.wait), plan.reconnecting.jitter, chance);
        let mut pausing = Box::pin(sleep(pause));
        let waited = poll_fn(|context| match self.slot.poll(context) {
            Some(Order::Leave) => Poll::Ready(false),
            _ => pausing.as_mut().poll(context).map(|()| true),
        })
        .await;
        self.intended = self.worker.since_start(Instant::now());
        waited
    }

    /// A stream has begun.
    fn begin(&mut self, dialled: Dialled, plan: &Subscribe) {
        let Dialled { socket, head, rest, asked, answered } = dialled;
        let job = &self.worker.job;
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
        let reading = match job.target.transport {
            Transport::Sse => Reading::Events { body: head.body, decoding: Decoding::Start },
            Transport::WebSocket => Reading::Messages(Reader::default()),
        };
        let is_slow = is_slow(&self.worker, plan, self.number);
        let mut stream =
            Stream { socket, reading, answered, answer: Vec::new(), is_over: false, is_slow };
        stream.is_over = self.take(&mut stream.reading, &rest, &mut stream.answer);
        self.stream = Some(stream);
    }

    /// The stream is over; whether the client comes back.
    fn closed(&mut self, end: End) -> bool {
        let now = self.worker.since_start(Instant::now());
        let mut recorder = self.worker.recorder.borrow_mut();
        recorder.open -= 1;
        match end {
            End::Ordered(_) => recorder.count(Counter::Closed),
            End::Theirs => recorder.count(Counter::Ended),
        }
        // What still runs at the end of a run has no length.
        if let Some(stream) = self.stream.take()
            && !self.worker.is_ending.get()
        {
            recorder.time(Metric::Stream, now.saturating_sub(stream.answered));
        }
        self.ended = NonZeroU64::new(now);
        let comes_back = subscribing(&self.worker).is_some_and(|plan| plan.reconnecting.back);
        comes_back && !matches!(end, End::Ordered(Order::Leave))
    }

    /// Reads what is there; ready when something else is to be done.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Todo> {
        if let Some(order) = self.slot.poll(context) {
            return Poll::Ready(Todo::End(End::Ordered(order)));
        }
        // It is always there while a stream runs; taken, so that what it reads can be told to us.
        let Some(mut stream) = self.stream.take() else {
            return Poll::Ready(Todo::End(End::Theirs));
        };
        let worker = Rc::clone(&self.worker);
        let mut buffer = worker.buffer.borrow_mut();
        let todo = loop {
            if !stream.answer.is_empty() {
                break Poll::Ready(Todo::Answer);
            }
            if stream.is_over {
                break Poll::Ready(Todo::End(End::Theirs));
            }
            if stream.is_slow {
                break Poll::Ready(Todo::Slow);
            }
            let mut read = ReadBuf::new(&mut buffer);
            match Pin::new(&mut stream.socket).poll_read(context, &mut read) {
                Poll::Pending => break Poll::Pending,
                Poll::Ready(read_to) => {
                    let read = read_to.map(|()| read.filled());
                    self.took(&mut stream, read);
                }
            }
        };
        self.stream = Some(stream);
        todo
    }

    /// Takes what a read gave.
    fn took(&mut self, stream: &mut Stream, read: io::Result<&[u8]>) {
        match read {
            Ok([]) => {
                stream.is_over = true;
                self.cut(&stream.reading);
            }
            Ok(bytes) => {
                let wire = stream.socket.on_wire(bytes.len());
                self.worker.recorder.borrow_mut().add(Counter::Bytes, wire);
                stream.is_over = self.take(&mut stream.reading, bytes, &mut stream.answer);
            }
            Err(error) => {
                stream.is_over = true;
                self.worker.recorder.borrow_mut().error(&reading_failed(&error));
            }
        }
    }

    /// Writes what is to be written.
    async fn answer(&mut self) {
        let Some(stream) = &mut self.stream else { return };
        let answer = std::mem::take(&mut stream.answer);
        // A server that does not read its pongs is one that ends.
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
        let mut stream = self.stream.take()?;
        let order = loop {
            tokio::select! {
                order = slot.ordered() => break Some(order),
                () = sleep(Duration::from_millis(1000 / TIMES)) => {}
            }
            let read = tokio::select! {
                order = slot.ordered() => break Some(order),
                read = stream.socket.read(&mut buffer) => read,
            };
            self.took(&mut stream, read.map(|length| &buffer[..length]));
            if stream.is_over || !stream.answer.is_empty() {
                break None;
            }
        };
        self.stream = Some(stream);
        order
    }

    /// Takes bytes that were read; whether the stream is over.
    fn take(&mut self, reading: &mut Reading, bytes: &[u8], answer: &mut Vec<u8>) -> bool {
        if bytes.is_empty() {
            return false;
        }
        let worker = Rc::clone(&self.worker);
        match reading {
            Reading::Events { body, decoding } => {
                let mut decoder = match std::mem::replace(decoding, Decoding::Rest) {
                    Decoding::Start => worker.decoder_at_start(),
                    Decoding::Rest => worker.decoder_at_rest(),
                    Decoding::Within(decoder) => decoder,
                };
                decoder.exchange(&mut self.resume);
                let is_over = self.events(&worker, body, &mut decoder, bytes);
                decoder.exchange(&mut self.resume);
                if let Some(decoder) = worker.give_back(decoder) {
                    *decoding = Decoding::Within(decoder);
                }
                is_over
            }
            Reading::Messages(reader) => {
                let mut clock = Ticks::new();
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

    fn events(
        &mut self,
        worker: &Worker,
        body: &mut Body,
        decoder: &mut Decoder,
        mut bytes: &[u8],
    ) -> bool {
        let mut clock = Ticks::new();
        loop {
            match body.next(&mut bytes) {
                Ok(Piece::Payload(payload)) => {
                    let mut events = decoder.feed(payload);
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
    fn cut(&self, reading: &Reading) {
        let kind = match reading {
            Reading::Events { body: Body::UntilClose, .. } => return,
            Reading::Events { .. } => "closed within the body",
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
    fn new() -> Self {
        Self { at: Instant::now(), left: TOGETHER }
    }

    fn now(&mut self) -> Instant {
        if self.left == 0 {
            *self = Self::new();
        }
        self.left -= 1;
        self.at
    }
}

impl Track {
    /// An event has arrived.
    fn event(&mut self, worker: &Worker, now: Instant, id: &str, data: &str) {
        let job = &worker.job;
        let at = worker.since_start(now).max(1);
        let mut recorder = worker.recorder.borrow_mut();
        recorder.count(Counter::Events);
        recorder.events += 1;
        match self.last {
            None => recorder.time(Metric::FirstEvent, at.saturating_sub(self.asked)),
            Some(last) => recorder.time(Metric::Gap, at.saturating_sub(last.get())),
        }
        self.last = NonZeroU64::new(at);
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
        // What was said of a stream of HTTP/2.
        io::ErrorKind::Other if error.get_ref().is_some() => error.to_string(),
        _ => format!("read: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What an idle client owns beside its socket; a bound, so that it does not grow unseen.
    #[tokio::test]
    async fn a_client_is_small() {
        let target =
            crate::Target::new("http://127.0.0.1:1/".parse().unwrap(), None).await.unwrap();
        let plan = sseproof_measure::Plan {
            name: String::new(),
            seed: 0,
            workload: sseproof_measure::Workload::Subscribe(Subscribe {
                stages: Vec::new(),
                arrivals: sseproof_measure::Arrivals::Constant,
                lifetime: None,
                slow: None,
                reconnecting: sseproof_measure::Reconnecting::default(),
            }),
            http: sseproof_measure::Http::One,
            publishing: None,
            stamping: sseproof_measure::Stamping::None,
            sequencing: Sequencing::None,
            interval: Duration::from_secs(1),
            patience: Duration::from_secs(1),
            drain: Duration::ZERO,
            thresholds: Vec::new(),
        };
        let job = super::super::Job {
            plan,
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
