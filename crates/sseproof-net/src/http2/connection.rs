//! An HTTP/2 connection that several exchanges may share.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::JoinHandle;

use super::client::{Driver, Handle};
use crate::progress::Shared;
use crate::recorder::Recorder;
use crate::{Leave, Socket};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) secure: bool,
}

pub(crate) struct Connection {
    handle: Handle,
    driver: JoinHandle<()>,
    reset: Arc<AtomicBool>,
    origin: Origin,
}

impl Connection {
    /// A connection over this socket, which exists for the exchange of `first`.
    pub(crate) fn begin(socket: Box<dyn Socket>, origin: Origin, first: &Shared) -> Arc<Self> {
        let reset = Arc::new(AtomicBool::new(false));
        let recorder = Recorder::new(socket, Arc::clone(&reset), first);
        let (handle, driver) = Driver::new(recorder, first);
        let driver = tokio::spawn(driver.run());
        Arc::new(Self { handle, driver, reset, origin })
    }

    pub(crate) fn handle(&self) -> Handle {
        self.handle.clone()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// The connection of an exchange: empty before there is one, and over HTTP/1.
#[derive(Clone, Default)]
pub(crate) struct Link(Arc<Mutex<Option<Arc<Connection>>>>);

impl Link {
    pub(crate) fn holding(connection: Option<Arc<Connection>>) -> Self {
        Self(Arc::new(Mutex::new(connection)))
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<Connection>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn hold(&self, connection: Arc<Connection>) {
        *self.lock() = Some(connection);
    }

    /// The handle for requests on the connection, if there is one; it keeps no connection open.
    pub(crate) fn handle(&self) -> Option<Handle> {
        self.lock().as_ref().map(|connection| connection.handle())
    }

    /// The connection, if it leads there and takes new streams.
    pub(crate) fn to(&self, origin: &Origin) -> Option<Arc<Connection>> {
        let connection = self.lock().clone();
        connection.filter(|open| open.origin == *origin && !open.handle.is_draining())
    }

    /// Closes the connection, unless another exchange is on it.
    pub(crate) fn release(&self) {
        drop(self.lock().take());
    }

    /// The same, and waits until it is closed.
    pub(crate) async fn leave(&self, how: Leave) {
        let held = self.lock().take();
        let Some(mut connection) = held.and_then(Arc::into_inner) else { return };
        connection.reset.store(how == Leave::Reset, Ordering::SeqCst);
        connection.driver.abort();
        let _ = (&mut connection.driver).await;
    }
}
