//! Where the servers of the cases listen: on this machine, or in memory with a paused clock.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sseproof_client_rules::{Origins, Transport};
use sseproof_net::{Dial, DialError, Dialling, Lab, ReceiveBuffer};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

use crate::{BoxFuture, Certificates};

pub trait Ground: Send + Sync {
    /// A place of its own for this server.
    ///
    /// # Errors
    /// If no port can be had, or no certificate can be made.
    fn place(&self, lab: Lab, over: Transport) -> BoxFuture<'_, io::Result<Box<dyn Place>>>;
}

/// The addresses of a server on that port.
fn origins(over: Transport, port: u16) -> Origins {
    let scheme = if over == Transport::Http1 { "http" } else { "https" };
    Origins {
        own: format!("{scheme}://127.0.0.1:{port}"),
        other: format!("{scheme}://localhost:{port}"),
        plain: format!("http://127.0.0.1:{port}"),
    }
}

/// Where one server listens, until it is dropped.
pub trait Place: Send {
    fn origins(&self) -> &Origins;

    /// New connections are refused from now on.
    fn away(&mut self);

    /// The server listens again, at the same address.
    ///
    /// # Errors
    /// If the port was taken by another program.
    fn back(&mut self) -> BoxFuture<'_, io::Result<()>>;
}

/// Ports of the loopback interface.
#[derive(Clone, Default)]
pub struct Tcp {
    pub certificates: Certificates,
}

struct Port {
    lab: Lab,
    origins: Origins,
    number: u16,
    listening: Option<AbortHandle>,
}

impl Ground for Tcp {
    fn place(&self, lab: Lab, over: Transport) -> BoxFuture<'_, io::Result<Box<dyn Place>>> {
        Box::pin(async move {
            let lab = self.certificates.over(&lab, over)?;
            let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
            let number = listener.local_addr()?.port();
            let origins = origins(over, number);
            let mut port = Port { lab, origins, number, listening: None };
            port.listen(listener);
            Ok(Box::new(port) as Box<dyn Place>)
        })
    }
}

impl Port {
    fn listen(&mut self, listener: TcpListener) {
        let lab = self.lab.clone();
        let task = tokio::spawn(async move { lab.listen(listener).await });
        self.listening = Some(task.abort_handle());
    }
}

impl Place for Port {
    fn origins(&self) -> &Origins {
        &self.origins
    }

    fn away(&mut self) {
        if let Some(task) = self.listening.take() {
            task.abort();
        }
    }

    fn back(&mut self) -> BoxFuture<'_, io::Result<()>> {
        Box::pin(async move {
            let listener = TcpListener::bind(("127.0.0.1", self.number)).await?;
            self.listen(listener);
            Ok(())
        })
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        self.away();
        self.lab.cut();
    }
}

/// Ports in memory, for the embedded client.
#[derive(Clone, Default)]
pub struct Memory {
    pub certificates: Certificates,
    ports: Arc<Mutex<Ports>>,
}

#[derive(Default)]
struct Ports {
    last: u16,
    labs: HashMap<u16, Lab>,
}

impl Memory {
    fn ports(&self) -> MutexGuard<'_, Ports> {
        self.ports.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct InMemory {
    memory: Memory,
    lab: Lab,
    number: u16,
    origins: Origins,
}

impl Ground for Memory {
    fn place(&self, lab: Lab, over: Transport) -> BoxFuture<'_, io::Result<Box<dyn Place>>> {
        Box::pin(async move {
            let lab = self.certificates.over(&lab, over)?;
            let number = {
                let mut ports = self.ports();
                ports.last += 1;
                ports.last
            };
            let origins = origins(over, number);
            let port = InMemory { memory: self.clone(), lab, number, origins };
            port.listen();
            Ok(Box::new(port) as Box<dyn Place>)
        })
    }
}

impl InMemory {
    fn listen(&self) {
        self.memory.ports().labs.insert(self.number, self.lab.clone());
    }
}

impl Place for InMemory {
    fn origins(&self) -> &Origins {
        &self.origins
    }

    fn away(&mut self) {
        self.memory.ports().labs.remove(&self.number);
    }

    fn back(&mut self) -> BoxFuture<'_, io::Result<()>> {
        self.listen();
        Box::pin(async { Ok(()) })
    }
}

impl Drop for InMemory {
    fn drop(&mut self) {
        self.away();
        self.lab.cut();
    }
}

impl Dial for Memory {
    fn dial<'a>(&'a self, host: &'a str, port: u16, buffer: ReceiveBuffer) -> Dialling<'a> {
        Box::pin(async move {
            let lab = self.ports().labs.get(&port).cloned();
            let Some(lab) = lab else {
                return Err(DialError::Unconnected(format!("{host}: connection refused")));
            };
            lab.in_process().dial(host, port, buffer).await
        })
    }
}
