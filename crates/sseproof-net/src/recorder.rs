//! Records the bytes of a connection in both directions, below HTTP and above TLS: HTTP/1 or frames
//! of HTTP/2, and never ciphertext.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use sseproof_record::{Chunk, Close, Closed, SharedConnection};
use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};

use crate::limits::{Budget, CHUNK};
use crate::progress::{Clock, Shared};
use crate::{Limits, Socket};

/// How much of what is sent is kept for each exchange, in bytes: all headers, and bodies
/// that one can read.
const SENT: u64 = 256 << 10;
/// How much is read at a time.
const PIECE: usize = 16 << 10;

pub(crate) struct Recorder {
    /// `None` only while it is dropped.
    socket: Option<Box<dyn Socket>>,
    /// Whether dropping it resets the connection instead of closing it.
    reset: Arc<AtomicBool>,
    clock: Clock,
    pub(crate) connection: SharedConnection,
    sent_room: u64,
    received_room: u64,
    budget: Budget,
    piece: Vec<u8>,
}

pub(crate) enum Traffic {
    /// So many bytes were sent; the chunk has those that are kept.
    Sent(usize, Option<Chunk>),
    Received(Chunk),
    Closed(Closed),
    /// An error of TLS after the handshake.
    Refused(io::Error),
    /// The server accepts no more bytes. Those that it sent before may still arrive.
    Mute,
}

impl Recorder {
    /// A connection whose first exchange is that of `first`.
    pub(crate) fn new(socket: Box<dyn Socket>, reset: Arc<AtomicBool>, first: &Shared) -> Self {
        Self {
            socket: Some(socket),
            reset,
            clock: first.clock,
            budget: first.budget.clone(),
            connection: SharedConnection::default(),
            sent_room: 0,
            received_room: 0,
            piece: vec![0; PIECE],
        }
    }

    /// The same connection for another exchange, which knows nothing of the earlier one.
    pub(crate) fn again(mut self, reset: Arc<AtomicBool>) -> Self {
        self.reset = reset;
        self.connection = SharedConnection::default();
        self
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.connection.lock().closed.is_some()
    }

    /// Raises the limit by that of one exchange.
    pub(crate) fn make_room(&mut self, limits: &Limits) {
        self.sent_room += SENT;
        self.received_room += limits.wire_bytes();
    }

    pub(crate) fn is_full(&self) -> bool {
        self.received_room == 0 || self.budget.is_spent()
    }

    /// The next event; writing comes first, so that the request is under way.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, out: &[u8], reads: bool) -> Poll<Traffic> {
        let Some(socket) = &mut self.socket else { return Poll::Pending };
        let mut socket = Pin::new(socket);
        if !out.is_empty()
            && let Poll::Ready(written) = socket.as_mut().poll_write(cx, out)
        {
            return Poll::Ready(match written {
                Ok(count) => Traffic::Sent(count, self.sent(&out[..count])),
                Err(_) => Traffic::Mute,
            });
        }
        // The bytes that TLS still holds are sent here; an error shows in the next read, too.
        let _ = socket.as_mut().poll_flush(cx);
        // This task is woken again when the client disconnects, and needs no other reason.
        if !reads {
            return Poll::Pending;
        }
        let mut buffer = ReadBuf::new(&mut self.piece);
        let Poll::Ready(read) = socket.poll_read(cx, &mut buffer) else { return Poll::Pending };
        let read = read.map(|()| buffer.filled().len());
        Poll::Ready(match read {
            Ok(0) => self.closed(Close::Fin),
            Ok(count) => self.received(count),
            Err(error) if is_of_tls(&error) => Traffic::Refused(error),
            Err(error) => self.closed(match error.kind() {
                io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => Close::Reset,
                _ => Close::Torn,
            }),
        })
    }

    fn sent(&mut self, bytes: &[u8]) -> Option<Chunk> {
        let kept = bytes.len().min(usize::try_from(self.sent_room).unwrap_or(usize::MAX));
        self.sent_room -= kept as u64;
        let chunk = Chunk::of(self.clock.now(), &bytes[..kept])?;
        self.connection.lock().sent.push(chunk.clone());
        Some(chunk)
    }

    fn received(&mut self, count: usize) -> Traffic {
        self.received_room = self.received_room.saturating_sub(count as u64);
        self.budget.take(count as u64 + CHUNK);
        let chunk = Chunk { at: self.clock.now(), bytes: (&self.piece[..count]).into() };
        self.connection.lock().received.push(chunk.clone());
        Traffic::Received(chunk)
    }

    fn closed(&mut self, how: Close) -> Traffic {
        let closed = Closed { at: self.clock.now(), how };
        self.connection.lock().closed = Some(closed);
        Traffic::Closed(closed)
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        if let Some(socket) = self.socket.take()
            && self.reset.load(Ordering::SeqCst)
        {
            socket.reset();
        }
    }
}

/// With TLS 1.3 a server rejects a client certificate after the handshake.
fn is_of_tls(error: &io::Error) -> bool {
    error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<rustls::Error>)
}
