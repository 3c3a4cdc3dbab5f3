//! A byte pipe in both directions.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

pub trait Socket: AsyncRead + AsyncWrite + Unpin + Send + 'static {
    /// Ends the connection at once, so that the other end sees a reset.
    fn reset(self: Box<Self>);
}

/// Writing to the type is writing to this field of it.
macro_rules! writes_to {
    ($type:ty, $field:ident) => {
        impl tokio::io::AsyncWrite for $type {
            fn poll_write(
                mut self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bytes: &[u8],
            ) -> Poll<io::Result<usize>> {
                Pin::new(&mut self.$field).poll_write(cx, bytes)
            }

            fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                Pin::new(&mut self.$field).poll_flush(cx)
            }

            fn poll_shutdown(
                mut self: Pin<&mut Self>,
                cx: &mut Context<'_>,
            ) -> Poll<io::Result<()>> {
                Pin::new(&mut self.$field).poll_shutdown(cx)
            }
        }
    };
}
pub(crate) use writes_to;

impl Socket for Box<dyn Socket> {
    fn reset(self: Box<Self>) {
        (*self).reset();
    }
}

#[cfg(unix)]
impl Socket for tokio::net::UnixStream {
    fn reset(self: Box<Self>) {
        // A unix socket knows no reset: to close it is all that can be done.
    }
}

impl Socket for TcpStream {
    fn reset(self: Box<Self>) {
        // A linger time of zero makes the close a reset; if it cannot be set, the close is an
        // ordinary one, and the other end sees that instead.
        let _ = socket2::SockRef::from(&*self).set_linger(Some(std::time::Duration::ZERO));
    }
}

/// A socket whose first bytes were read before, to see which protocol it is.
pub(crate) struct Peeked {
    pub(crate) first: Vec<u8>,
    pub(crate) socket: Box<dyn Socket>,
}

impl Socket for Peeked {
    fn reset(self: Box<Self>) {
        self.socket.reset();
    }
}

impl AsyncRead for Peeked {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.first.is_empty() {
            return Pin::new(&mut self.socket).poll_read(cx, buf);
        }
        let count = self.first.len().min(buf.remaining());
        buf.put_slice(&self.first[..count]);
        self.first.drain(..count);
        Poll::Ready(Ok(()))
    }
}

writes_to!(Peeked, socket);
