//! The bytes of connections, and which of them belong to an exchange.
//!
//! Only these are recorded: headers, body, faults of a coding and the end of an exchange are
//! derived from them, in a run and on replay by the same code (`response.rs`). So a recording has
//! each byte once, and its secrets are in one place.
//! [`Exchange`](crate::Exchange) keeps the derived values, which rules read; the pieces
//! of its body and its wire are slices that share the memory of these chunks.
//! An exchange without a connection (of a file of curl, of version 1, of a test) has all of it
//! itself.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Chunk;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connection {
    pub sent: Vec<Chunk>,
    pub received: Vec<Chunk>,
    pub closed: Option<Closed>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed {
    pub at: Duration,
    pub how: Close,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Close {
    /// An orderly end (FIN).
    Fin,
    Reset,
    /// TLS without its own end (`close_notify`), or an error on the way.
    Torn,
}

/// A connection that is still recorded, or that several exchanges point to. Clones share it.
#[derive(Clone, Default)]
pub struct SharedConnection(Arc<Mutex<Connection>>);

/// The part of a connection that belongs to an exchange, in numbers of chunks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnConnection {
    pub connection: SharedConnection,
    pub sent: Range<usize>,
    /// Over HTTP/2 also the frames before it: they are needed to decode its fields.
    pub received: usize,
}

impl SharedConnection {
    pub fn new(connection: Connection) -> Self {
        Self(Arc::new(Mutex::new(connection)))
    }

    /// After a panic of another owner the chunks are still complete.
    pub fn lock(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl PartialEq for SharedConnection {
    fn eq(&self, other: &Self) -> bool {
        self.is(other) || *self.lock() == other.lock().clone()
    }
}

impl Eq for SharedConnection {}

impl fmt::Debug for SharedConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lock().fmt(f)
    }
}

impl OnConnection {
    pub fn alone(connection: Connection) -> Self {
        let (sent, received) = (0..connection.sent.len(), connection.received.len());
        Self { connection: SharedConnection::new(connection), sent, received }
    }
}
