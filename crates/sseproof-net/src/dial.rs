//! From a host and a port to a connection.

use std::future::Future;
use std::pin::Pin;

use tokio::net::{TcpStream, lookup_host};
use tokio::time::Instant;

use crate::Socket;

/// Makes connections.
pub trait Dial: Send + Sync + 'static {
    /// Connects to the host and port.
    ///
    /// # Errors
    /// [`DialError`] where the name has no address, or none of its addresses accepts.
    fn dial<'a>(&'a self, host: &'a str, port: u16) -> Dialling<'a>;
}

/// A connection in the making.
pub type Dialling<'a> = Pin<Box<dyn Future<Output = Result<Dialled, DialError>> + Send + 'a>>;

/// A fresh connection.
pub struct Dialled {
    /// When the name was resolved, where that is a step of its own.
    pub resolved: Option<Instant>,
    /// The connection.
    pub socket: Box<dyn Socket>,
}

/// Why there is no connection.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DialError {
    /// The name has no address.
    #[error("resolve the host: {0}")]
    Unresolved(String),
    /// Refused, unreachable, or out of ports.
    #[error("connect: {0}")]
    Unconnected(String),
}

/// Dials over TCP, straight to the host.
#[derive(Clone, Copy, Debug, Default)]
pub struct Direct;

impl Dial for Direct {
    fn dial<'a>(&'a self, host: &'a str, port: u16) -> Dialling<'a> {
        Box::pin(async move {
            let host = host.trim_start_matches('[').trim_end_matches(']');
            let addresses: Vec<_> = lookup_host((host, port))
                .await
                .map_err(|error| DialError::Unresolved(error.to_string()))?
                .collect();
            let resolved = Some(Instant::now());
            let mut last = "the name has no address".to_owned();
            for address in addresses {
                match TcpStream::connect(address).await {
                    Ok(stream) => {
                        // Where it cannot be set, small requests may wait for an acknowledgement.
                        let _ = stream.set_nodelay(true);
                        return Ok(Dialled { resolved, socket: Box::new(stream) });
                    }
                    Err(error) => last = format!("{address}: {error}"),
                }
            }
            Err(DialError::Unconnected(last))
        })
    }
}
