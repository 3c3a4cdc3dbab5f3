//! A pipe in memory that can be closed and reset like a TCP connection; tokio's `duplex` has no
//! reset.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, DuplexStream, ReadBuf, duplex};

use crate::Socket;
use crate::socket::writes_to;

/// How many bytes fit into one direction before the writer has to wait.
pub(crate) const CAPACITY: usize = 64 << 10;

pub struct InMemory {
    stream: DuplexStream,
    /// Set by the end that resets, read by both.
    reset: Arc<AtomicBool>,
}

pub fn pipe() -> (InMemory, InMemory) {
    let (left, right) = duplex(CAPACITY);
    let reset = Arc::new(AtomicBool::new(false));
    (InMemory { stream: left, reset: Arc::clone(&reset) }, InMemory { stream: right, reset })
}

impl Socket for InMemory {
    fn reset(self: Box<Self>) {
        self.reset.store(true, Ordering::SeqCst);
    }
}

impl AsyncRead for InMemory {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        let is_end = matches!(read, Poll::Ready(Ok(()))) && buf.filled().len() == before;
        if is_end && self.reset.load(Ordering::SeqCst) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        read
    }
}

writes_to!(InMemory, stream);
