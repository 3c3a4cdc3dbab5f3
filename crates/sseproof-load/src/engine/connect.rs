//! A connection to the server: TCP from a chosen source address and port, or a unix socket; through
//! a proxy, if one is on the way; and TLS.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use sseproof_load_model::{ErrorKind, LoadError, schedule};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::socket::Socket;
use crate::target::{Route, Target};

/// The local end of a connection; what it leaves open is chosen by the system.
#[derive(Clone, Copy, Default)]
pub(super) struct Local {
    /// The number of the client: the source addresses of the target are taken in turn.
    pub(super) client: u64,
    pub(super) has_small_buffers: bool,
    /// The ports to choose from, if the system would search long for a free one.
    pub(super) ports: Option<Ports>,
}

/// Connects to the server itself or to the proxy on the way, which opens a tunnel if one is needed.
///
/// # Errors
/// Those of the connection; a [`LoadError`] in one of them is that of a proxy.
pub(super) async fn connect(target: &Target, is_http2: bool, local: Local) -> io::Result<Socket> {
    if let Route::Unix(path) = &target.route {
        return unix(path).await;
    }
    let stream = tcp(target, local).await?;
    // If it cannot be set, a small request may wait for an acknowledgement.
    let _ = stream.set_nodelay(true);
    let mut socket = Socket::Tcp(stream);
    if let Some((host, port, proxy)) = target.tunnel(is_http2) {
        let said = |text| io::Error::other(LoadError::new(ErrorKind::Unreachable, text));
        proxy.tunnel(&mut socket, host, port).await.map_err(said)?;
    }
    Ok(socket)
}

/// A TLS session with the server of the target, which has a configuration for it.
///
/// # Errors
/// Those of the handshake.
pub(super) async fn secure(target: &Target, socket: Socket) -> io::Result<TlsStream<Socket>> {
    let lacks = |what| io::Error::new(io::ErrorKind::InvalidInput, what);
    let config = target.tls.as_ref().ok_or_else(|| lacks("the target has no configuration"))?;
    let name = target.name().ok_or_else(|| lacks("the target has no server name"))?;
    TlsConnector::from(Arc::clone(config)).connect(name, socket).await
}

#[cfg(unix)]
async fn unix(path: &std::path::Path) -> io::Result<Socket> {
    /// The time between two attempts if the queue of the listening socket is full: the system
    /// refuses immediately then, and does not wait as it does over TCP.
    const ATTEMPT: std::time::Duration = std::time::Duration::from_millis(5);
    loop {
        match tokio::net::UnixStream::connect(path).await {
            Ok(stream) => return Ok(Socket::Unix(Box::new(stream))),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                tokio::time::sleep(ATTEMPT).await;
            }
            Err(error) => return Err(error),
        }
    }
}

#[cfg(not(unix))]
async fn unix(_: &std::path::Path) -> io::Result<Socket> {
    Err(io::ErrorKind::Unsupported.into())
}

async fn tcp(target: &Target, local: Local) -> io::Result<TcpStream> {
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in &target.addresses {
        match to(target, *address, local).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

async fn to(target: &Target, address: SocketAddr, local: Local) -> io::Result<TcpStream> {
    let sources: Vec<IpAddr> =
        target.bind.iter().copied().filter(|bind| bind.is_ipv4() == address.is_ipv4()).collect();
    let source = (!sources.is_empty()).then(|| {
        let at = local.client % sources.len() as u64;
        sources[usize::try_from(at).unwrap_or_default()]
    });
    let turn = local.client / sources.len().max(1) as u64;
    for attempt in 0..Ports::ATTEMPTS {
        let Some(ports) = local.ports else { break };
        let any = match address {
            SocketAddr::V4(_) => IpAddr::from([0; 4]),
            SocketAddr::V6(_) => IpAddr::from([0; 16]),
        };
        let socket = socket(address, local)?;
        socket.set_reuseaddr(true)?;
        let from = SocketAddr::new(source.unwrap_or(any), ports.port(turn, attempt));
        let connected = match socket.bind(from) {
            Ok(()) => socket.connect(address).await,
            Err(error) => Err(error),
        };
        match connected {
            // The port is in use, perhaps by a connection that was closed a moment ago.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::AddrInUse | io::ErrorKind::AddrNotAvailable
                ) => {}
            connected => return connected,
        }
    }
    let socket = socket(address, local)?;
    if let Some(source) = source {
        choose_port_late(&socket);
        socket.bind(SocketAddr::new(source, 0))?;
    }
    socket.connect(address).await
}

fn socket(address: SocketAddr, local: Local) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    if local.has_small_buffers {
        sseproof_net::make_small(&socket);
    }
    Ok(socket)
}

/// Lets the system choose the port of a bound address when the destination is known: before that,
/// it takes one that no socket uses towards any destination, and soon finds none.
#[cfg(target_os = "linux")]
fn choose_port_late(socket: &TcpSocket) {
    use nix::sys::socket::{setsockopt, sockopt::IpBindAddressNoPort};

    // If it cannot be set, there are fewer ports.
    let _ = setsockopt(socket, IpBindAddressNoPort, &true);
}

#[cfg(not(target_os = "linux"))]
fn choose_port_late(_: &TcpSocket) {}

/// The ports that the system gives to outgoing connections.
///
/// Linux looks for a free one among every second of them first, from a random one on: as soon as
/// all of these are in use, it asks for each of 14,000 whether it is free, which takes a millisecond
/// for each connection. It also passes over ports that a program has chosen, for a minute after
/// their connections were closed. So, if a source address gets many clients, each takes the port of
/// its own number, and a run does not depend on the run before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    first: u16,
    count: u16,
}

impl Ports {
    /// How many are tried before the system is asked: if 70% are in use, one of 16 is free in more
    /// than 99% of all cases.
    const ATTEMPTS: u64 = 16;

    /// The number of clients from one source address for which the system still finds ports soon.
    const FEW: u64 = 1_000;

    /// The ports, if so many clients from one source address may need a long search.
    pub(super) fn for_crowd(clients: u64) -> Option<Self> {
        if clients > Self::FEW { Self::of_system() } else { None }
    }

    /// As this machine has it set, if that can be read.
    pub fn of_system() -> Option<Self> {
        Self::parse(&std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok()?)
    }

    /// The ports of a range as Linux writes it, with the first and the last one.
    pub fn parse(range: &str) -> Option<Self> {
        let mut words = range.split_whitespace().map(str::parse::<u16>);
        let (first, last) = (words.next()?.ok()?, words.next()?.ok()?);
        let count = last.checked_sub(first)?.checked_add(1)?;
        Some(Self { first, count })
    }

    pub fn count(self) -> u16 {
        self.count
    }

    /// The port of the client with this turn at its address: its own, and then others at random.
    fn port(self, turn: u64, attempt: u64) -> u16 {
        let count = u64::from(self.count);
        let at = match attempt {
            0 => turn % count,
            _ => (schedule::share(attempt, turn, u64::MAX - 2) * count as f64) as u64 % count,
        };
        self.first + u16::try_from(at).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_has_its_own_port_and_others_to_try() {
        let ports = Ports::parse("32768\t60999\n").unwrap();
        assert_eq!(ports, Ports { first: 32_768, count: 28_232 });
        assert_eq!(
            [0, 1, 28_231, 28_232].map(|turn| ports.port(turn, 0)),
            [32_768, 32_769, 60_999, 32_768]
        );
        let tried: std::collections::BTreeSet<_> =
            (0..Ports::ATTEMPTS).map(|attempt| ports.port(7, attempt)).collect();
        assert!(tried.len() > 14 && tried.iter().all(|port| (32_768..=60_999).contains(port)));
        for wrong in ["", "32768", "60999 32768", "a b", "1 70000"] {
            assert_eq!(Ports::parse(wrong), None, "{wrong}");
        }
    }

    #[tokio::test]
    async fn ports_in_use_are_passed_over() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        let mut target = Target::new(url, None).await.unwrap();
        target.bind = vec!["127.0.0.7".parse().unwrap()];
        let system = Ports::for_crowd(u64::MAX).unwrap_or(Ports { first: 40_000, count: 20_000 });
        let ports = Ports { count: 32, ..system };
        let mut open = Vec::new();
        // Two clients with the same number want the same port.
        for client in [0, 1, 0, 0] {
            let local = Local { client, ports: Some(ports), ..Local::default() };
            let stream = to(&target, target.addresses[0], local).await.unwrap();
            open.push(stream);
        }
        let from: Vec<_> = open.iter().map(|stream| stream.local_addr().unwrap()).collect();
        assert!(from.iter().all(|from| from.ip() == target.bind[0]), "{from:?}");
        let own = ports.first..ports.first + ports.count;
        assert!(from.iter().any(|from| own.contains(&from.port())), "{from:?}");
    }
}
