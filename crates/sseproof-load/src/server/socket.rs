//! A client's connection, read and written without waiting.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use rustls::{ServerConfig, ServerConnection};
use socket2::SockRef;
use tokio::net::TcpStream;

#[derive(Debug)]
pub(super) struct Socket {
    tcp: TcpStream,
    tls: Option<Box<ServerConnection>>,
}

impl Socket {
    /// # Errors
    /// If the TLS configuration is invalid.
    pub(super) fn new(tcp: TcpStream, tls: Option<&Arc<ServerConfig>>) -> io::Result<Self> {
        let tls = match tls {
            None => None,
            Some(config) => {
                let connection = ServerConnection::new(Arc::clone(config));
                Some(Box::new(connection.map_err(io::Error::other)?))
            }
        };
        Ok(Self { tcp, tls })
    }

    pub(super) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.tcp.poll_read_ready(cx)
    }

    pub(super) fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.tcp.poll_write_ready(cx)
    }

    /// Reads the bytes that have arrived; no bytes are the end.
    pub(super) fn try_read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(tls) = &mut self.tls else { return self.tcp.try_read(buffer) };
        loop {
            match tls.reader().read(buffer) {
                // Many clients close without the `close_notify` of TLS.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(0),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => return read,
            }
            if tls.read_tls(&mut Through(&self.tcp))? == 0 {
                return Ok(0);
            }
            let processed = tls.process_new_packets();
            // The handshake, or an alert, may have bytes to write.
            flush(tls, &self.tcp)?;
            processed.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        }
    }

    /// Writes as many bytes as the socket takes. TLS may keep some back ([`Self::keeps_back`]).
    pub(super) fn try_write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(tls) = &mut self.tls else { return self.tcp.try_write(bytes) };
        let mut written = 0;
        loop {
            flush(tls, &self.tcp)?;
            let room = tls.writer().write(&bytes[written..])?;
            written += room;
            if room == 0 && written < bytes.len() {
                return if written > 0 {
                    Ok(written)
                } else {
                    Err(io::ErrorKind::WouldBlock.into())
                };
            }
            if written == bytes.len() {
                flush(tls, &self.tcp)?;
                return Ok(written);
            }
        }
    }

    pub(super) fn keeps_back(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.wants_write())
    }

    /// Writes what was kept back.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(tls) = &mut self.tls else { return Poll::Ready(Ok(())) };
        while tls.wants_write() {
            ready!(self.tcp.poll_write_ready(cx))?;
            flush(tls, &self.tcp)?;
        }
        Poll::Ready(Ok(()))
    }

    pub(super) fn finish(&mut self) {
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify();
            let _ = flush(tls, &self.tcp);
        }
        let _ = SockRef::from(&self.tcp).shutdown(Shutdown::Write);
    }

    /// Wakes the task that waits for the client, as if it had closed the connection.
    pub(super) fn hang_up(&mut self) {
        let _ = SockRef::from(&self.tcp).shutdown(Shutdown::Read);
    }

    /// Makes the coming close a reset, and wakes the task that waits for the client.
    pub(super) fn reset(&mut self) {
        let _ = self.tcp.set_zero_linger();
        self.hang_up();
    }
}

fn flush(tls: &mut ServerConnection, tcp: &TcpStream) -> io::Result<()> {
    while tls.wants_write() {
        match tls.write_tls(&mut Through(tcp)) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            written => written?,
        };
    }
    Ok(())
}

struct Through<'a>(&'a TcpStream);

impl Read for Through<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.try_read(buffer)
    }
}

impl Write for Through<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
