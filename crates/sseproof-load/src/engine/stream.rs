//! A stream that runs: its bytes taken apart, and what they tell.

use std::io;
use std::num::NonZeroU64;
use std::sync::atomic::Ordering;

use sseproof_codec::{Decoder, Resume};
use sseproof_http::http1::{Body, Piece};
use sseproof_load_model::{Counter, ErrorKind, LoadError, Metric, Seen, Sequence, Sequencing};
use tokio::time::Instant;
use tungstenite::protocol::frame::coding::Control;

use super::socket::Socket;
use super::worker::Worker;
use crate::stamp;
use crate::wire::websocket::{Frame, Reader, control};

/// A stream that runs.
pub(super) struct Stream {
    pub(super) socket: Socket,
    pub(super) reading: Reading,
    /// When its head had been read.
    pub(super) answered: u64,
    /// What is to be written.
    pub(super) answer: Vec<u8>,
    pub(super) is_over: bool,
    /// Whether it is one of those that read slowly.
    pub(super) is_slow: bool,
}

/// What is told from one event after the other, over all streams of a client.
#[derive(Default)]
pub(super) struct Track {
    sequence: Sequence,
    /// What the client asks for when it comes back.
    pub(super) resume: Resume,
    /// What was published before the client had its first stream; nothing of it is owed to it.
    pub(super) owed_from: u64,
    /// When the request of the stream was written, and when the last event came, if one has.
    pub(super) asked: u64,
    pub(super) last: Option<NonZeroU64>,
}

/// What takes the bytes of a stream apart.
pub(super) enum Reading {
    Events { body: Body, decoding: Decoding },
    Messages(Reader),
}

/// Where the decoding of a stream stands.
pub(super) enum Decoding {
    /// Nothing has come.
    Start,
    /// Nothing is under way, so that any decoder that rests can go on.
    Rest,
    /// An event or a line is cut.
    Within(Box<Decoder>),
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
    /// Takes what a read gave.
    pub(super) fn took(&mut self, worker: &Worker, stream: &mut Stream, read: io::Result<&[u8]>) {
        match read {
            Ok([]) => {
                stream.is_over = true;
                cut(worker, &stream.reading);
            }
            Ok(bytes) => {
                let wire = stream.socket.on_wire(bytes.len());
                worker.recorder.borrow_mut().add(Counter::Bytes, wire);
                self.take(worker, stream, bytes);
            }
            Err(error) => {
                stream.is_over = true;
                worker.recorder.borrow_mut().error(&reading_failed(&error));
            }
        }
    }

    /// Takes bytes that were read.
    pub(super) fn take(&mut self, worker: &Worker, stream: &mut Stream, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let answer = &mut stream.answer;
        stream.is_over = match &mut stream.reading {
            Reading::Events { body, decoding } => {
                let mut decoder = match std::mem::replace(decoding, Decoding::Rest) {
                    Decoding::Start => worker.decoder_at_start(),
                    Decoding::Rest => worker.decoder_at_rest(),
                    Decoding::Within(decoder) => decoder,
                };
                decoder.exchange(&mut self.resume);
                let is_over = self.events(worker, body, &mut decoder, bytes);
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
                        self.event(worker, clock.now(), "", text);
                    }
                    Frame::Ping(payload) => answer.extend(control(Control::Pong, payload, MASK)),
                    Frame::Pong => {}
                    Frame::Close(_) => over = true,
                });
                if over {
                    answer.extend(control(Control::Close, &1000_u16.to_be_bytes(), MASK));
                }
                if let Err(message) = fed {
                    let error =
                        LoadError::new(ErrorKind::Protocol, format!("websocket: {message}"));
                    worker.recorder.borrow_mut().error(&error);
                    over = true;
                }
                over
            }
        };
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
                        self.event(worker, clock.now(), id, event.data.as_ref());
                    }
                }
                Ok(Piece::More) => return false,
                Err(flaw) if !flaw.is_fatal() => {}
                Ok(Piece::End) => return true,
                Err(_) => {
                    let error =
                        LoadError::new(ErrorKind::Protocol, "framing: no chunks of HTTP/1.1");
                    worker.recorder.borrow_mut().error(&error);
                    return true;
                }
            }
        }
    }

    /// What was never received is lost, now that nothing more comes.
    pub(super) fn account(&self, worker: &Worker) {
        let job = &worker.job;
        let lost = if job.publisher.is_some() && job.plan.sequencing == Sequencing::Own {
            let end = job.shared.published.load(Ordering::Relaxed);
            match self.sequence.next() {
                // Where nothing was received, all that was published since is missing.
                None => end.saturating_sub(self.owed_from),
                Some(_) => self.sequence.lost_before(end),
            }
        } else {
            self.sequence.lost()
        };
        worker.recorder.borrow_mut().add(Counter::Lost, lost);
    }

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
            None if plan.stamping != sseproof_load_model::Stamping::None => {
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

/// The connection was closed; before the proper end of the body it is an error.
fn cut(worker: &Worker, reading: &Reading) {
    let text = match reading {
        Reading::Events { body: Body::UntilClose, .. } => return,
        Reading::Events { .. } => "closed within the body",
        Reading::Messages(_) => "websocket: closed without a close frame",
    };
    worker.recorder.borrow_mut().error(&LoadError::new(ErrorKind::Truncated, text));
}

/// What went wrong with reading, in words that are few enough to count.
pub(super) fn reading_failed(error: &io::Error) -> LoadError {
    // A stream of HTTP/2 gives its own.
    if let Some(error) = error.get_ref().and_then(|error| error.downcast_ref::<LoadError>()) {
        return error.clone();
    }
    match error.kind() {
        io::ErrorKind::ConnectionReset => LoadError::new(ErrorKind::Reset, "reset"),
        io::ErrorKind::UnexpectedEof => {
            LoadError::new(ErrorKind::Truncated, "tls: closed without close_notify")
        }
        _ => LoadError::new(ErrorKind::Other, format!("read: {error}")),
    }
}
