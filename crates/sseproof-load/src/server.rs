//! The server that a generator measures itself against, and that users can put load on.
//!
//! One thread serves Server-Sent Events and WebSockets with the same content; they differ only in
//! framing, so that a comparison compares nothing else. An open stream is an entry in a table and a
//! task that waits for the client to disconnect: the memory of the request is freed, all clients
//! share a read buffer, and one heap has the times of all.

mod chat;
mod connection;
mod descriptors;
mod event;
mod fault;
mod hub;
mod packer;
mod published;
mod query;
mod request;
mod route;
mod socket;
mod ticker;
mod timed;
mod topic;
mod websocket;

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::oneshot;
use tokio::task::spawn_local;

pub use self::descriptors::{OpenFiles, raise_open_files};
use self::hub::Hub;
use self::route::Client;
use self::socket::Socket;

#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// Where to listen; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// Whether other servers with this option may listen there: the system then spreads connections
    /// over all of them.
    pub shares_port: bool,
    /// How many bytes may wait for a client that does not read, before it is cut off.
    pub queue: usize,
    /// `None` serves without TLS.
    pub tls: Option<Arc<ServerConfig>>,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            shares_port: false,
            queue: 1 << 20,
            tls: None,
        }
    }
}

/// How many connections may wait to be accepted. The kernel has a limit of its own
/// (`net.core.somaxconn`).
const BACKLOG: u32 = 4096;

/// A server in a thread of its own; it ends when this is dropped.
///
/// ```
/// use sseproof_load::server::{Server, ServerOptions};
///
/// let server = Server::start(&ServerOptions::default())?;
/// println!("http://{}/events?every=100ms", server.address());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens, raises the limit of open files as far as it goes, and serves.
    ///
    /// # Errors
    /// If the address is in use or not local, or the system gives no thread.
    pub fn start(options: &ServerOptions) -> io::Result<Self> {
        // A lower limit is not a reason to stop.
        let _ = raise_open_files();
        let options = options.clone();
        let (stop, stopped) = oneshot::channel();
        let (ready, listening) = std::sync::mpsc::channel();
        let thread =
            std::thread::Builder::new().name("load-server".to_owned()).spawn(move || {
                let runtime =
                    Builder::new_current_thread().enable_all().build_local(LocalOptions::default());
                let runtime = match runtime {
                    Ok(runtime) => runtime,
                    Err(error) => return drop(ready.send(Err(error))),
                };
                runtime.block_on(async {
                    let (listener, address) = match listen(&options) {
                        Ok(listener) => listener,
                        Err(error) => return drop(ready.send(Err(error))),
                    };
                    let _ = ready.send(Ok(address));
                    tokio::select! {
                        () = accept(listener, &options) => {}
                        _ = stopped => {}
                    }
                });
            })?;
        let address =
            listening.recv().unwrap_or_else(|_| Err(io::Error::other("the server has ended")))?;
        Ok(Self { address, stop: Some(stop), thread: Some(thread) })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic has already been printed.
            let _ = thread.join();
        }
    }
}

fn listen(options: &ServerOptions) -> io::Result<(TcpListener, SocketAddr)> {
    let address = options.listen;
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    if options.shares_port {
        share_port(&socket)?;
    }
    socket.bind(address)?;
    let listener = socket.listen(BACKLOG)?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

#[cfg(unix)]
fn share_port(socket: &TcpSocket) -> io::Result<()> {
    socket.set_reuseport(true)
}

#[cfg(not(unix))]
fn share_port(_: &TcpSocket) -> io::Result<()> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "no port can be shared on this system"))
}

async fn accept(listener: TcpListener, options: &ServerOptions) {
    let hub = Rc::new(Hub::new(options.queue));
    spawn_local(ticker::tick(Rc::clone(&hub)));
    spawn_local(ticker::sweep(Rc::clone(&hub)));
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let _ = stream.set_nodelay(true);
                if let Ok(socket) = Socket::new(stream, options.tls.as_ref()) {
                    spawn_local(Client::new(&hub, socket));
                }
            }
            // Most likely no descriptor is left: others must close first, and to try again at once would
            // only take their time.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}
