//! Where the servers of the cases listen: on this machine, or in memory with a paused clock.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sseproof_client_rules::Origins;
use sseproof_net::{Dial, DialError, Dialling, Lab, ReceiveBuffer};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

use crate::BoxFuture;

pub trait Ground: Send + Sync {
    /// A place of its own for this server; `secure` if it speaks TLS.
    ///
    /// # Errors
    /// If no port can be had.
    fn place(&self, lab: Lab, secure: bool) -> BoxFuture<'_, io::Result<Box<dyn Place>>>;
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
#[derive(Clone, Copy, Debug, Default)]
pub struct Tcp;

struct Port {
    lab: Lab,
    origins: Origins,
    number: u16,
    listening: Option<AbortHandle>,
}

impl Ground for Tcp {
    fn place(&self, lab: Lab, secure: bool) -> BoxFuture<'_, io::Result<Box<dyn Place>>> {
        Box::pin(async move {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
            let number = listener.local_addr()?.port();
            let scheme = if secure { "https" } else { "http" };
            let origins = Origins {
                own: format!("{scheme}://127.0.0.1:{number}"),
                other: format!("{scheme}://localhost:{number}"),
            };
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

/// Hosts in memory, for the embedded client.
#[derive(Clone, Default)]
pub struct Memory {
    hosts: Arc<Mutex<Hosts>>,
}

#[derive(Default)]
struct Hosts {
    count: usize,
    labs: HashMap<String, Lab>,
}

impl Memory {
    fn hosts(&self) -> MutexGuard<'_, Hosts> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Name {
    memory: Memory,
    lab: Lab,
    names: [String; 2],
    origins: Origins,
}

impl Ground for Memory {
    fn place(&self, lab: Lab, _secure: bool) -> BoxFuture<'_, io::Result<Box<dyn Place>>> {
        let number = {
            let mut hosts = self.hosts();
            hosts.count += 1;
            hosts.count
        };
        let names = [format!("case-{number}.test"), format!("case-{number}.other")];
        let [own, other] = names.each_ref().map(|name| format!("http://{name}"));
        let name = Name { memory: self.clone(), lab, names, origins: Origins { own, other } };
        name.listen();
        Box::pin(async move { Ok(Box::new(name) as Box<dyn Place>) })
    }
}

impl Name {
    fn listen(&self) {
        let mut hosts = self.memory.hosts();
        for name in &self.names {
            hosts.labs.insert(name.clone(), self.lab.clone());
        }
    }
}

impl Place for Name {
    fn origins(&self) -> &Origins {
        &self.origins
    }

    fn away(&mut self) {
        let mut hosts = self.memory.hosts();
        for name in &self.names {
            hosts.labs.remove(name);
        }
    }

    fn back(&mut self) -> BoxFuture<'_, io::Result<()>> {
        self.listen();
        Box::pin(async { Ok(()) })
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        self.away();
        self.lab.cut();
    }
}

impl Dial for Memory {
    fn dial<'a>(&'a self, host: &'a str, port: u16, buffer: ReceiveBuffer) -> Dialling<'a> {
        Box::pin(async move {
            let lab = self.hosts().labs.get(host).cloned();
            let Some(lab) = lab else {
                return Err(DialError::Unconnected(format!("{host}: connection refused")));
            };
            lab.in_process().dial(host, port, buffer).await
        })
    }
}
