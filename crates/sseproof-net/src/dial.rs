//! Connects to a host and a port.
//!
//! A client that should block the server gets a small receive buffer and segments of Ethernet's
//! size, both negotiated in the handshake, so that a server meets a full socket after a few hundred
//! KiB and not after many MiB.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;

use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio::time::Instant;

use crate::Socket;

/// The receive buffer of a [`ReceiveBuffer::Small`] connection, in bytes; Linux doubles it.
const NARROW_BUFFER: u32 = 16 << 10;
/// Its largest segment, in bytes: that of Ethernet. Linux makes the sender's buffer as large as
/// twenty segments, which on the loopback are of 64 KiB each.
#[cfg(unix)]
const NARROW_SEGMENT: u32 = 1_460;

pub trait Dial: Send + Sync + 'static {
    /// Connects to the host and port.
    ///
    /// # Errors
    /// [`DialError`] if the host name has no address, or none of its addresses accepts.
    fn dial<'a>(&'a self, host: &'a str, port: u16, receive_buffer: ReceiveBuffer) -> Dialling<'a>;
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReceiveBuffer {
    /// As much as the system gives: several MiB on most.
    #[default]
    Usual,
    /// Some hundred KiB, on both sides together, so that a sender soon has to wait.
    Small,
}

/// The place of bytes that were sent and not read yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnreadIn {
    /// In the buffers of the kernel, at both ends of a TCP connection.
    Kernel { ours: SocketAddr, theirs: SocketAddr },
    /// In a pipe that takes this many bytes.
    Pipe(usize),
    /// Somewhere unknown, and why.
    Unknown(&'static str),
}

pub type Dialling<'a> = Pin<Box<dyn Future<Output = Result<Dialled, DialError>> + Send + 'a>>;

pub struct Dialled {
    /// When the name was resolved, if that is a separate step.
    pub resolved: Option<Instant>,
    /// The place of bytes that were sent and not read yet.
    pub unread_in: UnreadIn,
    pub socket: Box<dyn Socket>,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DialError {
    #[error("resolve the host: {0}")]
    Unresolved(String),
    /// Refused, unreachable, or out of ports.
    #[error("connect: {0}")]
    Unconnected(String),
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Direct;

impl Dial for Direct {
    fn dial<'a>(&'a self, host: &'a str, port: u16, receive_buffer: ReceiveBuffer) -> Dialling<'a> {
        Box::pin(async move {
            let host = host.trim_start_matches('[').trim_end_matches(']');
            let addresses: Vec<_> = lookup_host((host, port))
                .await
                .map_err(|error| DialError::Unresolved(error.to_string()))?
                .collect();
            let resolved = Some(Instant::now());
            let mut last = "the host name has no address".to_owned();
            for address in addresses {
                match connected(address, receive_buffer).await {
                    Ok(stream) => {
                        // If it cannot be set, small requests may wait for an acknowledgement.
                        let _ = stream.set_nodelay(true);
                        let unread_in = unread_in(&stream);
                        return Ok(Dialled { resolved, unread_in, socket: Box::new(stream) });
                    }
                    Err(error) => last = format!("{address}: {error}"),
                }
            }
            Err(DialError::Unconnected(last))
        })
    }
}

async fn connected(address: SocketAddr, receive_buffer: ReceiveBuffer) -> io::Result<TcpStream> {
    if receive_buffer == ReceiveBuffer::Usual {
        return TcpStream::connect(address).await;
    }
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    make_small(&socket);
    socket.connect(address).await
}

/// Gives a socket that is not connected yet a small receive buffer and small segments, as
/// [`ReceiveBuffer::Small`] does.
pub fn make_small(socket: &TcpSocket) {
    // If one cannot be set, the measured bytes in the buffers show that they were too many.
    let _ = socket.set_recv_buffer_size(NARROW_BUFFER);
    #[cfg(unix)]
    let _ = socket2::SockRef::from(socket).set_tcp_mss(NARROW_SEGMENT);
}

fn unread_in(stream: &TcpStream) -> UnreadIn {
    match (stream.local_addr(), stream.peer_addr()) {
        (Ok(ours), Ok(theirs)) => UnreadIn::Kernel { ours, theirs },
        _ => UnreadIn::Unknown("the connection was closed at once"),
    }
}
