//! An open stream: reads its bytes and records its events.
//!
//! A client has no decoder between two events: an idle decoder goes to the next client that reads,
//! and a stream keeps only its last event ID and its reconnection time. The task is small because one
//! more byte would cost 128, to which tokio rounds up.

use std::io;
use std::num::NonZeroU64;
use std::sync::atomic::Ordering;

use sseproof_codec::{Decoder, Resume};
use sseproof_http::http1::Body;
use sseproof_load_model::{
    Counter, ErrorKind, LoadError, Metric, Sequence, SequenceCheck, Sequencing, Stamping, Transport,
};
use tokio::time::Instant;
use tungstenite::protocol::frame::coding::Control;

use super::dial::Dialled;
use super::socket::Socket;
use super::worker::Worker;
use crate::stamp;
use crate::wire::content;
use crate::wire::head::LIMIT;
use crate::wire::inflate::Gzip;
use crate::wire::websocket::{Frame, Reader, control};

pub(super) struct Stream {
    pub(super) socket: Socket,
    pub(super) reading: Reading,
    pub(super) answered: u64,
    pub(super) answer: Vec<u8>,
    pub(super) is_over: bool,
    pub(super) pace: ReadPace,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ReadPace {
    Usual,
    /// Its events have no times: they would be those of the plan, and not of the server.
    Slow,
    /// A slow client reads the rest at full speed; its events have no times either.
    CatchingUp,
}

/// The state from one event to the next, over all streams of a client.
#[derive(Default)]
pub(super) struct Track {
    sequence: Sequence,
    /// Sent when the client reconnects.
    pub(super) resume: Resume,
    /// Events published before the client had its first stream are not expected.
    pub(super) owed_from: u64,
    /// When the request of the stream was written, and when the last event arrived, if any.
    pub(super) asked: u64,
    pub(super) last: Option<NonZeroU64>,
}

pub(super) enum Reading {
    Events {
        body: Body,
        decoding: Decoding,
    },
    /// In a box, so that a stream without compression needs no memory for it.
    Compressed(Box<Compressed>),
    Messages(Reader),
}

pub(super) struct Compressed {
    body: Body,
    decoding: Decoding,
    gzip: Gzip,
}

impl Reading {
    pub(super) fn of(transport: Transport, dialled: &Dialled) -> Self {
        let (body, decoding) = (dialled.head.body, Decoding::Start);
        match transport {
            Transport::WebSocket => Self::Messages(Reader::new(dialled.agreed)),
            Transport::Sse if dialled.head.is_gzip() => {
                let gzip = Gzip::default();
                Self::Compressed(Box::new(Compressed { body, decoding, gzip }))
            }
            Transport::Sse => Self::Events { body, decoding },
        }
    }
}

/// The state of decoding of a stream.
pub(super) enum Decoding {
    Start,
    /// Between two events: any idle decoder can go on.
    Rest,
    /// Within an event or a line.
    Within(Box<Decoder>),
}

/// The mask of frames that a client sends.
const MASK: [u8; 4] = [0x53, 0x53, 0x45, 0x21];

/// The time, read once per sixteen events: reading the clock costs as much as decoding an event, and
/// events that arrive together have one time.
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

    pub(super) fn take(&mut self, worker: &Worker, stream: &mut Stream, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let timed = stream.pace == ReadPace::Usual;
        let answer = &mut stream.answer;
        stream.is_over = match &mut stream.reading {
            Reading::Events { body, decoding } => {
                self.events(worker, timed, body, None, decoding, bytes)
            }
            Reading::Compressed(compressed) => {
                let Compressed { body, decoding, gzip } = &mut **compressed;
                self.events(worker, timed, body, Some(gzip), decoding, bytes)
            }
            Reading::Messages(reader) => {
                let mut clock = Ticks::new();
                let mut over = false;
                let fed = reader.feed(bytes, |frame| match frame {
                    Frame::Message(data) => {
                        // Without valid text there is no stamp either.
                        let text = std::str::from_utf8(data).unwrap_or_default();
                        self.event(worker, timed, clock.now(), "", text);
                    }
                    Frame::Ping(payload) => answer.extend(control(Control::Pong, payload, MASK)),
                    Frame::Pong => {}
                    Frame::Close(_) => over = true,
                });
                if over {
                    answer.extend(control(Control::Close, &1000_u16.to_be_bytes(), MASK));
                }
                if let Err(error) = fed {
                    worker.recorder.borrow_mut().error(&error);
                    over = true;
                }
                over
            }
        };
    }

    /// Records the events in these bytes; whether the stream is over.
    fn events(
        &mut self,
        worker: &Worker,
        timed: bool,
        body: &mut Body,
        gzip: Option<&mut Gzip>,
        decoding: &mut Decoding,
        bytes: &[u8],
    ) -> bool {
        let mut decoder = match std::mem::replace(decoding, Decoding::Rest) {
            Decoding::Start => worker.decoder_at_start(),
            Decoding::Rest => worker.decoder_at_rest(),
            Decoding::Within(decoder) => decoder,
        };
        decoder.exchange(&mut self.resume);
        let mut clock = Ticks::new();
        let read = content::events(body, gzip, &mut decoder, bytes, |event| {
            // An inherited id is not of this event.
            let id = if event.sets_id { event.last_event_id.as_ref() } else { "" };
            self.event(worker, timed, clock.now(), id, event.data.as_ref());
        });
        decoder.exchange(&mut self.resume);
        if self.resume.last_event_id.len() > LIMIT {
            self.resume.last_event_id = String::new();
        }
        if let Some(decoder) = worker.give_back(decoder) {
            *decoding = Decoding::Within(decoder);
        }
        read.unwrap_or_else(|error| {
            worker.recorder.borrow_mut().error(&error);
            true
        })
    }

    /// No more events come, so missing ones count as lost, or as unread if the client may still get
    /// those that were published after its last one.
    pub(super) fn account(&self, worker: &Worker, may_get_more: bool) {
        let job = &worker.job;
        self.count_lost(worker);
        let tail = if job.publisher.is_some() && job.plan.sequencing == Sequencing::Own {
            let end = job.shared.published.load(Ordering::Relaxed);
            // If nothing was received, everything published since is missing.
            end.saturating_sub(self.sequence.next().unwrap_or(self.owed_from))
        } else {
            0
        };
        let mut recorder = worker.recorder.borrow_mut();
        recorder.add(if may_get_more { Counter::Unread } else { Counter::Lost }, tail);
    }

    fn count_lost(&self, worker: &Worker) {
        worker.recorder.borrow_mut().add(Counter::Lost, self.sequence.lost());
    }

    /// The next stream begins; its numbers may begin anew.
    pub(super) fn reconnected(&mut self, worker: &Worker) {
        if worker.job.plan.restarts_numbers {
            self.count_lost(worker);
            self.sequence = Sequence::default();
        }
    }

    fn event(&mut self, worker: &Worker, timed: bool, now: Instant, id: &str, data: &str) {
        let job = &worker.job;
        let at = worker.since_start(now).max(1);
        let mut recorder = worker.recorder.borrow_mut();
        recorder.count(Counter::Events);
        recorder.events += 1;
        match self.last {
            _ if !timed => {}
            None => recorder.time(Metric::FirstEvent, at.saturating_sub(self.asked)),
            Some(last) => recorder.time(Metric::Gap, at.saturating_sub(last.get())),
        }
        self.last = NonZeroU64::new(at);
        let plan = &job.plan;
        let read = stamp::read(&plan.stamping, &plan.sequencing, id, data);
        match read.stamp {
            Some(_) if !timed => {}
            Some(stamp) => match job.clock.wall(now).checked_sub(stamp) {
                Some(latency) => {
                    recorder.time(Metric::Delivery, latency);
                    if let Some(held) = read.held {
                        recorder.time(Metric::Overhead, latency.saturating_sub(held));
                    }
                }
                None => recorder.count(Counter::Negative),
            },
            None if matches!(plan.stamping, Stamping::None | Stamping::Auto) => {}
            None => recorder.count(Counter::Unstamped),
        }
        match read.number {
            Some(number) if number < self.owed_from => {}
            Some(number) => match self.sequence.see(number) {
                SequenceCheck::InOrder | SequenceCheck::Ahead(_) => {}
                SequenceCheck::Late => recorder.count(Counter::Reordered),
                SequenceCheck::Again => recorder.count(Counter::Duplicated),
            },
            // Also if the plan has none: a result must show that a loss was not detectable.
            None => recorder.count(Counter::Unsequenced),
        }
    }
}

/// The connection was closed; before the proper end of the body it is an error.
fn cut(worker: &Worker, reading: &Reading) {
    let truncated = |text| Err(LoadError::new(ErrorKind::Truncated, text));
    let end = match reading {
        Reading::Messages(_) => truncated("websocket: closed without a close frame"),
        Reading::Events { body, .. } if *body == Body::UntilClose => Ok(()),
        Reading::Compressed(compressed) if compressed.body == Body::UntilClose => {
            compressed.gzip.end()
        }
        Reading::Events { .. } | Reading::Compressed(_) => {
            truncated("closed before the end of the body")
        }
    };
    if let Err(error) = end {
        worker.recorder.borrow_mut().error(&error);
    }
}

/// An error of reading, in few enough texts to count them.
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
