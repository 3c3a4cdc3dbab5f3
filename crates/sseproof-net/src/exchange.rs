//! One exchange from the dialling to its end, written down as it happens.

use std::error::Error as _;
use std::io;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use bytes::Bytes as Payload;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper::header::{CONTENT_LENGTH, HOST, HeaderName, HeaderValue, PROXY_AUTHORIZATION};
use hyper_util::rt::TokioIo;
use sseproof_record::{Ending, Head, Headers, Phase, Request, Version};
use tokio::time::{sleep, timeout};
use url::Url;

use crate::client::RequestError;
use crate::http2::{Asked, Connection, Handle, Link, Origin};
use crate::progress::Shared;
use crate::proxy::Proxy;
use crate::tap::Tap;
use crate::{Between, Dial, DialError, Limits, Room, Socket, Ways};

/// How long a whole response is listened behind, for bytes that do not belong there.
const AFTERMATH: Duration = Duration::from_millis(20);

/// What is said of a server that is silent in the handshake.
const SILENT_HANDSHAKE: &str = "the server did not answer in the TLS handshake; if this port speaks plain HTTP, write the URL with http://";

/// What is said of a server that does not agree to HTTP/2.
const NO_HTTP2: &str = "the server does not agree to HTTP/2 in the TLS handshake (ALPN); leave --http 2 out, or switch HTTP/2 on in the server";

/// What is said of a server that answers plain HTTP with TLS.
const SECURE: &str = "the server speaks TLS on this port; write the URL with https://";

/// A request that can be sent.
pub(crate) struct Prepared {
    host: String,
    port: u16,
    secure: bool,
    /// The version that the request demands; `None` leaves it to the client.
    version: Option<Version>,
    /// The same request for HTTP/2: its fields, and its body.
    block: Vec<u8>,
    body: Vec<u8>,
    request: hyper::Request<Full<Payload>>,
}

impl Prepared {
    /// `exactly` demands the version that the request has.
    pub(crate) fn new(request: &Request, exactly: bool) -> Result<Self, RequestError> {
        let fault = |message: String| RequestError::Url { url: request.url.clone(), message };
        let url = Url::parse(&request.url).map_err(|error| fault(error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(RequestError::Scheme(url.scheme().to_owned()));
        }
        let host = url.host_str().ok_or_else(|| fault("it has no host".to_owned()))?;
        let port = url.port_or_known_default().unwrap_or(80);
        let authority = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        let field = |what: &str, value: &str| RequestError::Field {
            what: what.to_owned(),
            value: value.to_owned(),
        };
        let mut sent = hyper::Request::new(Full::new(Payload::from(request.body.to_vec())));
        *sent.method_mut() = hyper::Method::from_bytes(request.method.as_bytes())
            .map_err(|_| field("the method", &request.method))?;
        *sent.version_mut() = match request.version {
            Version::Http10 => hyper::Version::HTTP_10,
            _ => hyper::Version::HTTP_11,
        };
        let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
        *sent.uri_mut() = target.parse().map_err(|_| field("the request target", target))?;
        let headers = sent.headers_mut();
        let value = |name: &str, bytes: &[u8]| {
            HeaderValue::from_bytes(bytes).map_err(|_| {
                field(&format!("the value of {name}"), &String::from_utf8_lossy(bytes))
            })
        };
        if !request.headers.has("host") {
            headers.insert(HOST, value("host", authority.as_bytes())?);
        }
        for header in &request.headers.0 {
            let name = HeaderName::from_bytes(header.name.as_bytes())
                .map_err(|_| field("the header name", &header.name))?;
            headers.append(name, value(&header.name, &header.value)?);
        }
        if !request.body.is_empty() && !request.headers.has("content-length") {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(request.body.len()));
        }
        let secure = url.scheme() == "https";
        let version = match request.version {
            // What is said of the connection is for HTTP/1 alone.
            Version::Http11 if !exactly && !request.headers.has("connection") => None,
            version => Some(version),
        };
        let named = request.headers.all("host").next().map(|header| header.value.to_vec());
        let authority = named.unwrap_or_else(|| authority.into_bytes());
        let mut headers = request.headers.clone();
        if !request.body.is_empty() && !headers.has("content-length") {
            headers.add("content-length", request.body.len().to_string());
        }
        Ok(Self {
            host: host.to_owned(),
            port,
            secure,
            version,
            block: Asked::block(&request.method, url.scheme(), &authority, target, &headers),
            body: request.body.to_vec(),
            request: sent,
        })
    }

    /// Makes it a request that a proxy passes on (RFC 9112, section 3.2.2).
    fn ask_proxy(&mut self, proxy: &Proxy) -> Result<(), String> {
        let target = self.request.uri().to_string();
        let (host, port) = (&self.host, self.port);
        *self.request.uri_mut() = format!("http://{host}:{port}{target}")
            .parse()
            .map_err(|_| format!("`{target}` cannot be asked of a proxy"))?;
        if let Some(value) = &proxy.authorization
            && let Ok(value) = HeaderValue::from_bytes(value)
        {
            self.request.headers_mut().insert(PROXY_AUTHORIZATION, value);
        }
        Ok(())
    }

    /// The server that it is for.
    pub(crate) fn origin(&self) -> Origin {
        Origin { host: self.host.clone(), port: self.port, secure: self.secure }
    }
}

/// What an exchange takes along on its way.
pub(crate) struct Course {
    pub(crate) ways: Ways,
    pub(crate) limits: Limits,
    pub(crate) room: Room,
    pub(crate) shared: Shared,
    /// Whether its connection is left by a reset.
    pub(crate) reset: Arc<AtomicBool>,
    /// Its HTTP/2 connection, from the beginning where it joins another exchange.
    pub(crate) link: Link,
}

/// Runs the exchange to its end; every step is written to `course.shared`.
pub(crate) async fn drive(prepared: Prepared, dial: Arc<dyn Dial>, course: Course) {
    let how = run(prepared, &*dial, &course).await;
    course.shared.change(|progress, now| {
        let refused = progress.tls_fault.take().filter(|_| progress.exchange.head.is_none());
        let how = match (refused, how) {
            (Some(why), _) => Ending::Handshake(why),
            // A record of TLS, an alert mostly: what TLS servers answer to a request in the clear.
            (None, Ending::Malformed(_)) if progress.exchange.is_answered_in_tls() => {
                Ending::Handshake(SECURE.to_owned())
            }
            (None, how) => how,
        };
        let how = match how {
            Ending::Truncated | Ending::Malformed(_) if progress.was_reset => Ending::Reset,
            how => how,
        };
        progress.end(now, how);
    });
}

async fn run(prepared: Prepared, dial: &dyn Dial, course: &Course) -> Ending {
    let Course { ways, limits, shared, .. } = course;
    let limits = *limits;
    if let Some(handle) = course.link.handle() {
        return over_http2(prepared, handle, course).await;
    }
    let (mut socket, proxy) = match timeout(limits.connect, dialled(&prepared, dial, course)).await
    {
        Err(_) => return Ending::TimedOut(Phase::Connect),
        Ok(Err(ending)) => return ending,
        Ok(Ok(dialled)) => dialled,
    };
    let offered = ways.http.offered(prepared.version);
    let mut is_http2 = offered == ["h2"];
    let mut prepared = prepared;
    if let Some(proxy) = proxy {
        if prepared.secure || is_http2 {
            let tunnel = proxy.tunnel(&mut socket, &prepared.host, prepared.port);
            match timeout(limits.connect, tunnel).await {
                Err(_) => return Ending::TimedOut(Phase::Connect),
                Ok(Err(why)) => return Ending::Unconnected(why),
                Ok(Ok(())) => {}
            }
        } else if let Err(why) = prepared.ask_proxy(&proxy) {
            return Ending::Malformed(why);
        }
    }
    if prepared.secure {
        let shaken = ways.tls.handshake(&prepared.host, socket, offered);
        let secured = match timeout(limits.connect, shaken).await {
            Err(_) => return Ending::Handshake(SILENT_HANDSHAKE.to_owned()),
            Ok(Err(why)) => return Ending::Handshake(why),
            Ok(Ok(secured)) => secured,
        };
        shared.change(|progress, _| {
            progress.exchange.transport.tls = secured.version();
            let agreed = secured.alpn();
            progress.exchange.transport.without_http2 =
                offered.contains(&"h2") && agreed.as_deref() != Some("h2");
            progress.exchange.transport.alpn = agreed;
        });
        let agreed = secured.alpn();
        if is_http2 && agreed.as_deref() != Some("h2") {
            return Ending::Handshake(NO_HTTP2.to_owned());
        }
        is_http2 = agreed.as_deref() == Some("h2");
        socket = Box::new(secured);
    }
    if is_http2 {
        let connection = Connection::begin(socket, prepared.origin(), shared);
        let handle = connection.handle();
        course.link.hold(connection);
        return over_http2(prepared, handle, course).await;
    }
    // Windows are of HTTP/2.
    shared.change(|progress, _| progress.exchange.transport.window = None);
    let tap = Tap::new(socket, shared.clone(), Arc::clone(&course.reset));
    let handshake = http1::Builder::new()
        .title_case_headers(true)
        .max_buf_size(limits.head_bytes.max(8 << 10))
        .max_headers(1_000)
        .handshake(TokioIo::new(tap))
        .await;
    let (mut sender, connection) = match handshake {
        Ok(pair) => pair,
        Err(error) => return ending(&error, limits),
    };
    let mut connection = pin!(connection);
    let mut connected = true;

    let mut response = pin!(timeout(limits.head, sender.send_request(prepared.request)));
    let response = loop {
        tokio::select! {
            biased;
            response = &mut response => break response,
            _ = &mut connection, if connected => connected = false,
        }
    };
    let response = match response {
        Err(_) => return Ending::TimedOut(Phase::Head),
        Ok(Err(error)) => return ending(&error, limits),
        Ok(Ok(response)) => response,
    };
    let (head, mut body) = response.into_parts();
    shared.change(|progress, at| {
        progress.set_head(Head {
            at,
            version: match head.version {
                hyper::Version::HTTP_10 | hyper::Version::HTTP_09 => Version::Http10,
                _ => Version::Http11,
            },
            status: head.status.as_u16(),
            headers: head
                .headers
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_bytes()))
                .collect::<Headers>(),
        });
    });

    let mut received = 0;
    loop {
        let frame = tokio::select! {
            biased;
            frame = body.frame() => frame,
            _ = &mut connection, if connected => {
                connected = false;
                continue;
            }
        };
        match frame {
            None => break,
            Some(Err(error)) => return ending(&error, limits),
            Some(Ok(frame)) => {
                let Some(data) = frame.data_ref() else { continue };
                let room = limits.body_bytes - received;
                let kept = &data[..data.len().min(usize::try_from(room).unwrap_or(usize::MAX))];
                received += kept.len() as u64;
                shared.change(|progress, now| progress.add_body(now, kept));
                let progress = shared.lock();
                if received.max(progress.readable()) >= limits.body_bytes
                    || progress.pieces() >= limits.pieces
                {
                    return Ending::OverLimit(received);
                }
            }
        }
    }
    shared.change(|progress, now| progress.end(now, Ending::Complete));
    if connected {
        // What comes now is on the wire, where a rule may find it.
        let _ = timeout(AFTERMATH, connection).await;
    }
    Ending::Complete
}

/// A connection to the server, or to what stands on the way to it.
async fn dialled(
    prepared: &Prepared,
    dial: &dyn Dial,
    course: &Course,
) -> Result<(Box<dyn Socket>, Option<Proxy>), Ending> {
    let Course { ways, shared, .. } = course;
    let (host, port) = (prepared.host.as_str(), prepared.port);
    if let Some(path) = ways.unix.as_ref().and_then(|unix| unix.for_host(host, port)) {
        let socket = unix_socket(path).await?;
        shared.change(|progress, now| {
            progress.exchange.phases.connected = Some(now);
            progress.exchange.transport.unix_socket = Some(path.display().to_string());
            progress.between = Between::Hidden("the buffers of a unix socket cannot be seen");
        });
        return Ok((socket, None));
    }
    let proxy = ways.proxies.on_the_way(prepared.secure, host, port);
    let dialled = match &proxy {
        None => dial.dial(host, port, course.room).await,
        Some(proxy) => dial.dial(&proxy.host, proxy.port, course.room).await,
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
        progress.between = match proxy {
            Some(_) => Between::Hidden("a proxy stands between, whose buffers cannot be seen"),
            None => dialled.between,
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
    let message = format!("{}: this system has no unix sockets", path.display());
    Err(Ending::Unconnected(message))
}

/// The exchange as a stream of an HTTP/2 connection.
async fn over_http2(prepared: Prepared, handle: Handle, course: &Course) -> Ending {
    let shared = &course.shared;
    let mut bell = shared.bell();
    let asked = Asked {
        block: prepared.block,
        body: prepared.body,
        shared: shared.clone(),
        limits: course.limits,
    };
    // It is left when this goes.
    let Some(_asking) = handle.ask(asked) else { return Ending::Truncated };
    let mut closed = pin!(handle.closed());
    let mut running = true;
    let mut head = pin!(sleep(course.limits.head));
    loop {
        let (has_head, ended) = {
            let progress = shared.lock();
            (progress.exchange.head.is_some(), progress.ended)
        };
        if ended {
            break;
        }
        if !running {
            return Ending::Truncated;
        }
        tokio::select! {
            biased;
            _ = bell.changed() => {}
            () = &mut closed => running = false,
            () = &mut head, if !has_head => return Ending::TimedOut(Phase::Head),
        }
    }
    if running {
        // What comes now is on the wire, where a rule may find it.
        let _ = timeout(AFTERMATH, closed).await;
    }
    course.link.release();
    shared.lock().exchange.end.how.clone()
}

fn ending(error: &hyper::Error, limits: Limits) -> Ending {
    // hyper tells this one only in words.
    if error.to_string().contains("too large") {
        let kibi = limits.head_bytes >> 10;
        return Ending::Malformed(format!("its head has more than {kibi} KiB or 1000 fields"));
    }
    let io = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    match io.map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe) => return Ending::Reset,
        Some(io::ErrorKind::UnexpectedEof) => return Ending::Truncated,
        _ => {}
    }
    if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
        return Ending::Truncated;
    }
    let detail = error.source().map(|source| format!(": {source}")).unwrap_or_default();
    Ending::Malformed(format!("{error}{detail}"))
}
