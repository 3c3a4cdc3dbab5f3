//! A client's connection, read and written without waiting.

use std::io;
use std::net::Shutdown;
use std::task::{Context, Poll};

use socket2::SockRef;
use tokio::net::TcpStream;

/// A client's connection.
#[derive(Debug)]
pub(super) struct Socket {
    tcp: TcpStream,
}

impl Socket {
    pub(super) fn new(tcp: TcpStream) -> Self {
        Self { tcp }
    }

    /// Whether something has come, or the end.
    pub(super) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.tcp.poll_read_ready(cx)
    }

    /// Whether there is room again.
    pub(super) fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.tcp.poll_write_ready(cx)
    }

    /// Reads what has come; nothing is the end.
    pub(super) fn try_read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.tcp.try_read(buffer)
    }

    /// Writes as much as there is room for.
    pub(super) fn try_write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.tcp.try_write(bytes)
    }

    /// Says that nothing more comes.
    pub(super) fn finish(&mut self) {
        let _ = SockRef::from(&self.tcp).shutdown(Shutdown::Write);
    }

    /// Makes the coming close a reset, and wakes who waits for the client.
    pub(super) fn reset(&mut self) {
        let _ = self.tcp.set_zero_linger();
        let _ = SockRef::from(&self.tcp).shutdown(Shutdown::Read);
    }
}
