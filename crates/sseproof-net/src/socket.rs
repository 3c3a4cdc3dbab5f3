//! A byte pipe in both directions.

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// A transport for HTTP: a TCP connection, or a pipe in memory.
pub trait Socket: AsyncRead + AsyncWrite + Unpin + Send + 'static {
    /// Ends the connection at once, so that the other end sees a reset.
    fn reset(self: Box<Self>);
}

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
