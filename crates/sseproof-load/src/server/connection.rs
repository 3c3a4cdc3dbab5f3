//! An open stream: what it costs while nothing happens is the point of its shape.

use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};

use super::event::Framing;
use super::query::Settings;
use super::socket::Socket;
use super::ticker::Due;
use super::websocket::{Reader, Reply};

/// Which connection. A key is used again for a later one, a life is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Handle {
    /// Where it is kept.
    pub(super) key: u32,
    /// Which of those that were kept there.
    pub(super) life: u32,
}

/// An open stream. What is rare hangs behind a pointer.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) socket: Socket,
    pub(super) settings: Rc<Settings>,
    pub(super) framing: Framing,
    pub(super) state: State,
    pub(super) life: u32,
    /// In which second something was sent, or the end began.
    pub(super) quiet_since: u32,
    /// Its place among those that listen to the topic.
    pub(super) member: u32,
    /// The numbers of the events that it carries.
    pub(super) stream: Range<u64>,
    /// The number of its next own event.
    pub(super) next: u64,
    /// What did not fit into the socket.
    queue: Option<Box<Queue>>,
    /// What is unfinished of a client's frames.
    reader: Option<Box<Reader>>,
}

/// How far a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It carries a stream.
    Open,
    /// The stream has ended, and the client is to close.
    Ending,
    /// It is about to be dropped.
    Cut,
}

/// What waits for a client to read.
#[derive(Debug, Default)]
struct Queue {
    pieces: VecDeque<Bytes>,
    bytes: usize,
    /// The events whose turn it was meanwhile: they are made when all of this is sent.
    parked: Option<Due>,
}

/// What became of what was to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// All of it was written, or waits behind what is being drained.
    Well,
    /// A part waits, and is to be drained.
    Drain,
    /// The client does not read, and too much would wait for it.
    Full,
    /// There is nobody any more.
    Gone,
}

impl Connection {
    pub(super) fn new(
        socket: Socket,
        settings: Rc<Settings>,
        framing: Framing,
        life: u32,
        now: u32,
    ) -> Self {
        Self {
            socket,
            settings,
            framing,
            state: State::Open,
            life,
            quiet_since: now,
            member: 0,
            stream: 0..u64::MAX,
            next: 0,
            queue: None,
            reader: None,
        }
    }

    /// Sends it, or puts what does not fit at once behind what waits already.
    ///
    /// `shared` is the same as `bytes`, where others are sent it too.
    pub(super) fn send(&mut self, bytes: &[u8], shared: Option<&Bytes>, limit: usize) -> Sent {
        let keep = |from: usize| match shared {
            Some(shared) => shared.slice(from..),
            None => Bytes::copy_from_slice(&bytes[from..]),
        };
        if let Some(queue) = &mut self.queue {
            if queue.bytes + bytes.len() > limit {
                return Sent::Full;
            }
            queue.bytes += bytes.len();
            queue.pieces.push_back(keep(0));
            return Sent::Well;
        }
        let written = match self.socket.try_write(bytes) {
            Ok(written) => written,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            Err(_) => return Sent::Gone,
        };
        if written == bytes.len() && !self.socket.keeps_back() {
            return Sent::Well;
        }
        let piece = keep(written);
        self.queue =
            Some(Box::new(Queue { bytes: piece.len(), pieces: [piece].into(), parked: None }));
        Sent::Drain
    }

    /// Whether something waits for the client to read.
    pub(super) fn waits(&self) -> bool {
        self.queue.is_some()
    }

    /// Puts events off until what waits is sent.
    pub(super) fn park(&mut self, due: Due) {
        if let Some(queue) = &mut self.queue {
            queue.parked = Some(due);
        }
    }

    /// Sends what waits, and gives what was put off meanwhile.
    pub(super) fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Due>>> {
        let Some(queue) = &mut self.queue else { return Poll::Ready(Ok(None)) };
        while let Some(piece) = queue.pieces.front_mut() {
            if piece.is_empty() {
                queue.pieces.pop_front();
                continue;
            }
            ready!(self.socket.poll_writable(cx))?;
            match self.socket.try_write(piece) {
                Ok(written) => {
                    queue.bytes -= written;
                    piece.advance(written);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        ready!(self.socket.poll_flush(cx))?;
        let parked = queue.parked;
        self.queue = None;
        if self.state == State::Ending {
            self.socket.finish();
        }
        Poll::Ready(Ok(parked))
    }

    /// What to do about what the client sent: only a WebSocket has anything to say.
    pub(super) fn hear(&mut self, bytes: &[u8]) -> Vec<Reply> {
        if self.framing != Framing::Frames || self.state != State::Open {
            return Vec::new();
        }
        let mut reader = self.reader.take().unwrap_or_default();
        let replies = reader.read(bytes);
        if !reader.is_idle() {
            self.reader = Some(reader);
        }
        replies
    }
}
