//! One exchange from the connection to its end, recorded as it happens.

use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use sseproof_record::{Ending, Phase};
use tokio::time::{sleep, timeout};

use crate::http1::KeptConnection;
use crate::http2::{Asked, Connection, Handle, Link};
use crate::prepared::Prepared;
use crate::progress::Shared;
use crate::proxy::Proxy;
use crate::recorder::Recorder;
use crate::{ConnectionOptions, Dial, DialError, Limits, ReceiveBuffer, Socket, UnreadIn, http1};

/// How long a client waits after a complete response for bytes that do not belong there.
pub(crate) const AFTERMATH: Duration = Duration::from_millis(20);

const SILENT_HANDSHAKE: &str = "the server did not answer in the TLS handshake; if this port uses plain HTTP, write the URL with http://";

/// The message about a server that does not agree to HTTP/2.
const NO_HTTP2: &str = "the server does not agree to HTTP/2 in the TLS handshake (ALPN); remove --http 2, or enable HTTP/2 in the server";

pub(crate) struct ExchangeContext {
    pub(crate) options: ConnectionOptions,
    pub(crate) limits: Limits,
    pub(crate) receive_buffer: ReceiveBuffer,
    pub(crate) shared: Shared,
    pub(crate) reset: Arc<AtomicBool>,
    pub(crate) link: Link,
    /// Where its connection is kept after a complete response over HTTP/1, if it is.
    pub(crate) keeps: Option<KeptConnection>,
}

/// The exchange on the connection of an earlier one, or on one of its own.
pub(crate) async fn drive(
    prepared: Prepared,
    dial: Arc<dyn Dial>,
    context: ExchangeContext,
    earlier: Option<Recorder>,
) {
    let ended = match earlier {
        Some(recorder) => http1::exchange(&prepared, recorder, &context).await,
        None => run(prepared, &*dial, &context).await,
    };
    if let Err(how) = ended {
        context.shared.change(|progress, now| progress.end(now, how));
    }
}

/// An error is an end that the server's bytes do not show.
async fn run(prepared: Prepared, dial: &dyn Dial, context: &ExchangeContext) -> Result<(), Ending> {
    let ExchangeContext { options, limits, shared, .. } = context;
    let limits = *limits;
    if let Some(handle) = context.link.handle() {
        return over_http2(&prepared, handle, context).await;
    }
    let dialled = timeout(limits.connect, dialled(&prepared, dial, context)).await;
    let (mut socket, proxy) = dialled.map_err(|_| Ending::TimedOut(Phase::Connect))??;
    let offered = options.offered(prepared.version);
    let mut is_http2 = offered == ["h2"];
    let mut prepared = prepared;
    if let Some(proxy) = proxy {
        if prepared.secure || is_http2 {
            let tunnel = proxy.tunnel(&mut socket, &prepared.host, prepared.port);
            let tunnelled = timeout(limits.connect, tunnel).await;
            tunnelled
                .map_err(|_| Ending::TimedOut(Phase::Connect))?
                .map_err(Ending::Unconnected)?;
        } else {
            prepared.ask_proxy(&proxy);
        }
    }
    if prepared.secure {
        let shaken = options.tls.handshake(&prepared.host, socket, offered);
        let shaken = timeout(limits.connect, shaken).await;
        let secured = shaken
            .map_err(|_| Ending::Handshake(SILENT_HANDSHAKE.to_owned()))?
            .map_err(Ending::Handshake)?;
        let agreed = secured.alpn();
        let agrees = agreed.as_deref() == Some("h2");
        shared.change(|progress, _| {
            progress.exchange.transport.tls = secured.version();
            progress.exchange.transport.without_http2 = offered.contains(&"h2") && !agrees;
            progress.exchange.transport.alpn = agreed;
        });
        if is_http2 && !agrees {
            return Err(Ending::Handshake(NO_HTTP2.to_owned()));
        }
        is_http2 = agrees;
        socket = Box::new(secured);
    }
    if is_http2 {
        let connection = Connection::begin(socket, prepared.origin(), shared);
        let handle = connection.handle();
        context.link.hold(connection);
        return over_http2(&prepared, handle, context).await;
    }
    let recorder = Recorder::new(socket, Arc::clone(&context.reset), shared);
    http1::exchange(&prepared, recorder, context).await
}

async fn dialled(
    prepared: &Prepared,
    dial: &dyn Dial,
    context: &ExchangeContext,
) -> Result<(Box<dyn Socket>, Option<Proxy>), Ending> {
    let ExchangeContext { options, shared, .. } = context;
    let (host, port) = (prepared.host.as_str(), prepared.port);
    if let Some(path) = options.unix.as_ref().and_then(|unix| unix.for_host(host, port)) {
        let socket = unix_socket(path).await?;
        shared.change(|progress, now| {
            progress.exchange.phases.connected = Some(now);
            progress.exchange.transport.unix_socket = Some(path.display().to_string());
            progress.unread_in = UnreadIn::Unknown("the buffers of a unix socket cannot be read");
        });
        return Ok((socket, None));
    }
    let proxy = options.proxies.on_the_way(prepared.secure, host, port);
    let dialled = match &proxy {
        None => dial.dial(host, port, context.receive_buffer).await,
        Some(proxy) => dial.dial(&proxy.host, proxy.port, context.receive_buffer).await,
    };
    let by = |error: String| match &proxy {
        None => error,
        Some(proxy) => format!("{error} (the proxy {} of the environment or --proxy)", proxy.url()),
    };
    let dialled = dialled.map_err(|error| match error {
        DialError::Unresolved(error) => Ending::Unresolved(by(error)),
        DialError::Unconnected(error) => Ending::Unconnected(by(error)),
    })?;
    shared.change(|progress, now| {
        progress.exchange.phases.resolved = dialled.resolved.map(|at| shared.clock.at(at));
        progress.exchange.phases.connected = Some(now);
        progress.exchange.transport.proxy = proxy.as_ref().map(Proxy::url);
        progress.unread_in = match proxy {
            Some(_) => UnreadIn::Unknown("the buffers of the proxy on the way cannot be read"),
            None => dialled.unread_in,
        };
    });
    Ok((dialled.socket, proxy))
}

#[cfg(unix)]
async fn unix_socket(path: &Path) -> Result<Box<dyn Socket>, Ending> {
    match tokio::net::UnixStream::connect(path).await {
        Ok(socket) => Ok(Box::new(socket)),
        Err(error) => {
            Err(Ending::Unconnected(format!("the unix socket {}: {error}", path.display())))
        }
    }
}

#[cfg(not(unix))]
async fn unix_socket(path: &Path) -> Result<Box<dyn Socket>, Ending> {
    let message = format!("{}: this system does not support unix sockets", path.display());
    Err(Ending::Unconnected(message))
}

/// The exchange as a stream of an HTTP/2 connection.
async fn over_http2(
    prepared: &Prepared,
    handle: Handle,
    context: &ExchangeContext,
) -> Result<(), Ending> {
    let shared = &context.shared;
    let mut bell = shared.bell();
    let asked = Asked {
        block: prepared.block(),
        body: prepared.body.clone(),
        shared: shared.clone(),
        limits: context.limits,
    };
    // The stream is cancelled when this is dropped.
    let _asking = handle.ask(asked).ok_or(Ending::Truncated)?;
    let mut closed = pin!(handle.closed());
    let mut running = true;
    let mut head = pin!(sleep(context.limits.head));
    loop {
        let (has_head, ended) = {
            let progress = shared.lock();
            (progress.exchange.head.is_some(), progress.ended)
        };
        if ended {
            break;
        }
        if !running {
            return Err(Ending::Truncated);
        }
        tokio::select! {
            biased;
            _ = bell.changed() => {}
            () = &mut closed => running = false,
            () = &mut head, if !has_head => return Err(Ending::TimedOut(Phase::Head)),
        }
    }
    if running {
        // Later bytes are kept in the wire, where a rule may find them.
        let _ = timeout(AFTERMATH, closed).await;
    }
    context.link.release();
    Ok(())
}
