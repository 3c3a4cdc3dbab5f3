//! An open stream, built to take little memory while idle.

use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};

use super::event::{Batch, COMMENT, Framing, Message};
use super::packer::Packer;
use super::query::Settings;
use super::socket::Socket;
use super::ticker::Due;
use super::websocket::{Reader, Reply};

/// Which connection. A key is used again for a later one, a life is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Handle {
    pub(super) key: u32,
    pub(super) life: u32,
}

/// An open stream. Rare state is in a box.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) socket: Socket,
    pub(super) settings: Rc<Settings>,
    pub(super) framing: Framing,
    pub(super) state: State,
    pub(super) life: u32,
    /// The second of the last write, or of the end.
    pub(super) quiet_since: u32,
    /// Its index among the subscribers of the topic.
    pub(super) member: u32,
    /// The numbers of the events that it carries.
    pub(super) stream: Range<u64>,
    pub(super) next: u64,
    /// Bytes that did not fit into the socket.
    queue: Option<Box<Queue>>,
    reader: Option<Box<Reader>>,
    packer: Option<Box<Packer>>,
}

/// How far a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Open,
    Ending,
    Cut,
}

#[derive(Debug, Default)]
struct Queue {
    pieces: VecDeque<Bytes>,
    bytes: usize,
    /// The events that became due meanwhile: they are made when all of this is sent.
    parked: Option<Due>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// All of it was written, or waits after the bytes that are being drained.
    Well,
    /// A part waits, and is to be drained.
    Drain,
    /// The client does not read, and too much would wait for it.
    Full,
    Gone,
}

impl Connection {
    pub(super) fn new(
        socket: Socket,
        settings: Rc<Settings>,
        framing: Framing,
        packer: Option<Box<Packer>>,
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
            packer,
        }
    }

    /// Sends it, or queues the rest after the bytes that wait already.
    ///
    /// `shared` is the same as `bytes`, if other clients get it too.
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

    /// Sends the content of the batch, compressed if that was agreed on.
    pub(super) fn send_batch(&mut self, batch: &mut Batch, limit: usize) -> Sent {
        if let Some(packer) = &mut self.packer {
            packer.pack(batch);
        }
        match batch.framed(self.framing) {
            // An empty chunk would end the stream.
            [] => Sent::Well,
            bytes => self.send(bytes, None, limit),
        }
    }

    pub(super) fn send_message(
        &mut self,
        message: &Message,
        batch: &mut Batch,
        limit: usize,
    ) -> Sent {
        if self.packer.is_some() {
            message.write(self.framing, batch.fill());
            return self.send_batch(batch, limit);
        }
        let bytes = message.framed(self.framing);
        self.send(bytes, Some(bytes), limit)
    }

    pub(super) fn send_heartbeat(&mut self, batch: &mut Batch, limit: usize) -> Sent {
        if self.packer.is_some() && self.framing != Framing::Frames {
            batch.fill().extend_from_slice(COMMENT);
            return self.send_batch(batch, limit);
        }
        self.send(self.framing.heartbeat(), None, limit)
    }

    /// Sends the proper end of the stream.
    pub(super) fn send_end(&mut self, batch: &mut Batch) -> Sent {
        let mut end = Vec::new();
        if let Some(packer) = &mut self.packer {
            packer.finish(batch);
            end.extend_from_slice(batch.framed(self.framing));
        }
        end.extend_from_slice(self.framing.end());
        self.send(&end, None, usize::MAX)
    }

    pub(super) fn waits(&self) -> bool {
        self.queue.is_some()
    }

    pub(super) fn park(&mut self, due: Due) {
        if let Some(queue) = &mut self.queue {
            queue.parked = Some(due);
        }
    }

    /// Sends the waiting bytes, and returns the delayed events.
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

    /// Handles the bytes of a client: only a WebSocket sends any.
    pub(super) fn hear(&mut self, bytes: &[u8]) -> Vec<Reply> {
        if self.framing != Framing::Frames || self.state != State::Open {
            return Vec::new();
        }
        let mut reader = self.reader.take().unwrap_or_default();
        let replies = reader.read(bytes, self.packer.is_some());
        if !reader.is_idle() {
            self.reader = Some(reader);
        }
        replies
    }
}
