//! Listens in on a connection: every byte that goes out or comes in is recorded below HTTP.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::Socket;
use crate::progress::Shared;

/// A socket whose bytes are recorded, in both directions.
pub(crate) struct Tap {
    /// Taken only when it is dropped.
    socket: Option<Box<dyn Socket>>,
    /// Where it is recorded; `None` where somebody else records.
    shared: Option<Shared>,
    /// Whether dropping it resets the connection instead of closing it.
    reset: Arc<AtomicBool>,
}

impl Tap {
    pub(crate) fn new(socket: Box<dyn Socket>, shared: Shared, reset: Arc<AtomicBool>) -> Self {
        Self { socket: Some(socket), shared: Some(shared), reset }
    }

    /// A socket that is only left as it should be.
    pub(crate) fn silent(socket: Box<dyn Socket>, reset: Arc<AtomicBool>) -> Self {
        Self { socket: Some(socket), shared: None, reset }
    }

    fn socket(&mut self) -> io::Result<Pin<&mut Box<dyn Socket>>> {
        self.socket.as_mut().map(Pin::new).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        if let Some(socket) = self.socket.take()
            && self.reset.load(Ordering::SeqCst)
        {
            socket.reset();
        }
    }
}

impl AsyncRead for Tap {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // Nobody wakes this task again, and nobody has to: it ends when the client leaves.
        if self.shared.as_ref().is_some_and(|shared| shared.lock().stalled) {
            return Poll::Pending;
        }
        let before = buf.filled().len();
        let read = self.socket()?.poll_read(cx, buf);
        let Some(shared) = &self.shared else { return read };
        match &read {
            Poll::Ready(Ok(())) if buf.filled().len() > before => {
                shared.saw_wire(&buf.filled()[before..]);
            }
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::ConnectionReset => {
                shared.lock().was_reset = true;
            }
            // With TLS 1.3 a server refuses the certificate of a client behind the handshake.
            Poll::Ready(Err(error))
                if error
                    .get_ref()
                    .is_some_and(<dyn std::error::Error + Send + Sync>::is::<rustls::Error>) =>
            {
                shared.lock().tls_fault = Some(crate::tls::words(error, &[], &[]));
            }
            _ => {}
        }
        read
    }
}

impl AsyncWrite for Tap {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = self.socket()?.poll_write(cx, bytes);
        if let (Poll::Ready(Ok(count)), Some(shared)) = (&written, &self.shared) {
            shared.change(|progress, now| {
                progress.add_sent(now, &bytes[..*count]);
                progress.exchange.phases.sent = Some(now);
            });
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket()?.poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket()?.poll_shutdown(cx)
    }
}
