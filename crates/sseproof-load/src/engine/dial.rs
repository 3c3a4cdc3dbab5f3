//! Opens a stream: connect, TLS, request, response headers. Its memory is freed when the stream is open.

use std::borrow::Cow;
use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use rustls::AlertDescription;
use sseproof_load_model::{
    Counter, ErrorKind, Http, LoadError, Metric, Offset, Transport, Workload,
};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, timeout, timeout_at};
use tungstenite::handshake::derive_accept_key;

use super::client::is_slow;
use super::connect::{self, Local};
use super::http2;
use super::socket::Socket;
use super::worker::Worker;
use crate::clock::nanoseconds;
use crate::wire::head::{self, Head};
use crate::wire::permessage::{self, Agreed};

pub(crate) struct Dialled {
    pub(crate) socket: Socket,
    pub(crate) head: Head,
    pub(crate) rest: Vec<u8>,
    pub(crate) asked: Instant,
    pub(crate) answered: Instant,
    /// The compression of a WebSocket.
    pub(crate) agreed: Option<Agreed>,
}

#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) error: LoadError,
    /// Whether a client may try again: a response without a stream ends an `EventSource` for good.
    pub(crate) again: bool,
}

impl Failure {
    pub(super) fn again(kind: ErrorKind, text: impl Into<Cow<'static, str>>) -> Self {
        Self { error: LoadError::new(kind, text), again: true }
    }

    pub(super) fn for_good(kind: ErrorKind, text: impl Into<Cow<'static, str>>) -> Self {
        Self { error: LoadError::new(kind, text), again: false }
    }
}

/// When the request of a client was written, if it was.
pub(crate) type Sent = Cell<Option<Instant>>;

/// Connects and sends the request of that client; `sent` is set when it does.
///
/// # Errors
/// [`Failure`], which is not counted yet.
pub(crate) async fn dial(
    worker: &Rc<Worker>,
    client: u64,
    last_event_id: &str,
    intended: Instant,
    sent: &Sent,
) -> Result<Dialled, Failure> {
    let target = &worker.job.target;
    if speaks_http2(worker) {
        // In a box, so that a client over HTTP/1.1 needs no memory for it.
        let dialled = Box::pin(http2::ask(worker, client, last_event_id, intended, sent)).await?;
        return judge(worker, dialled, None);
    }
    let (request, key) = target.request(client, last_event_id, worker.job.plan.compress);
    // A connection that was kept may have been closed by the server meanwhile.
    let kept = worker.idle.borrow_mut().pop();
    if let Some(socket) = kept
        && let Ok(dialled) = ask(worker, socket, &request, sent).await
    {
        return judge(worker, dialled, key.as_deref());
    }
    let (socket, _) = connect(worker, client, intended).await?;
    let dialled = ask(worker, socket, &request, sent).await?;
    judge(worker, dialled, key.as_deref())
}

pub(super) fn speaks_http2(worker: &Worker) -> bool {
    let job = &worker.job;
    job.plan.http != Http::One && job.target.transport == Transport::Sse
}

/// A new connection, and when it was established, without TLS.
pub(super) async fn connect(
    worker: &Worker,
    client: u64,
    intended: Instant,
) -> Result<(Socket, Instant), Failure> {
    let (target, patience) = (&worker.job.target, worker.job.plan.patience);
    let is_http2 = speaks_http2(worker);
    let local = Local {
        client,
        // Otherwise the kernel takes in what the client does not read, and the server never waits. A
        // stream of HTTP/2 has its own window.
        has_small_buffers: is_slow(worker, client) && !is_http2,
        ports: worker.ports,
    };
    let opening = connect::connect(target, is_http2, local);
    let socket = match timeout(patience, opening).await {
        Err(_) => {
            return Err(Failure::again(ErrorKind::ConnectTimeout, "connect: no answer in time"));
        }
        Ok(Err(error)) => return Err(Failure { error: connecting(&error), again: true }),
        Ok(Ok(socket)) => socket,
    };
    let connected = Instant::now();
    worker.time(Metric::Connect, connected - intended);
    let socket = match target.is_secure() {
        true => {
            let stream = match timeout(patience, connect::secure(target, socket)).await {
                Err(_) => return Err(Failure::again(ErrorKind::Tls, "tls: no answer in time")),
                Ok(Err(error)) if is_not_offered(&error) => {
                    return Err(Failure::for_good(ErrorKind::Protocol, NO_H2));
                }
                Ok(Err(error)) => {
                    return Err(Failure::again(ErrorKind::Tls, format!("tls: {error}")));
                }
                Ok(Ok(stream)) => stream,
            };
            // A server without ALPN answers without a protocol.
            if is_http2 && stream.get_ref().1.alpn_protocol() != Some(b"h2") {
                return Err(Failure::for_good(ErrorKind::Protocol, NO_H2));
            }
            worker.time(Metric::Tls, connected.elapsed());
            Socket::Tls(Box::new(stream))
        }
        false => socket,
    };
    worker.recorder.borrow_mut().count(Counter::Connected);
    Ok((socket, connected))
}

const NO_H2: &str = "http2: the server does not offer it by ALPN";

fn is_not_offered(error: &io::Error) -> bool {
    let alert = rustls::Error::AlertReceived(AlertDescription::NoApplicationProtocol);
    error.get_ref().and_then(|error| error.downcast_ref()) == Some(&alert)
}

/// An error of connecting, in few enough texts to count them.
fn connecting(error: &io::Error) -> LoadError {
    // A proxy explains its refusal itself.
    if let Some(error) = error.get_ref().and_then(|error| error.downcast_ref::<LoadError>()) {
        return error.clone();
    }
    let (kind, text) = match error.kind() {
        io::ErrorKind::ConnectionRefused => (ErrorKind::Refused, "connect: refused".into()),
        io::ErrorKind::ConnectionReset => (ErrorKind::Reset, "connect: reset".into()),
        io::ErrorKind::AddrNotAvailable => {
            (ErrorKind::NoPorts, "connect: no free port on this address".into())
        }
        io::ErrorKind::TimedOut => (ErrorKind::ConnectTimeout, "connect: no answer in time".into()),
        // EMFILE has no kind of its own.
        _ if error.raw_os_error() == Some(24) => {
            (ErrorKind::NoFiles, "connect: too many open files".into())
        }
        _ => (ErrorKind::Unreachable, Cow::from(format!("connect: {error}"))),
    };
    LoadError::new(kind, text)
}

async fn ask(
    worker: &Worker,
    mut socket: Socket,
    request: &[u8],
    sent: &Sent,
) -> Result<Dialled, Failure> {
    let asked = Instant::now();
    sent.set(Some(asked));
    let until = asked + worker.job.plan.patience;
    // Tokens that arrive with the headers must not be split over reads, which would look like gaps.
    let mut rest = match worker.job.plan.workload {
        Workload::Request(_) => Vec::with_capacity(16 * 1024),
        Workload::Subscribe(_) => Vec::new(),
    };
    let reading = async {
        socket.write_all(request).await?;
        socket.flush().await?;
        read_head(&mut socket, &mut rest).await
    };
    let head = match timeout_at(until, reading).await {
        Err(_) => {
            return Err(Failure::again(ErrorKind::HeadTimeout, "no response headers in time"));
        }
        Ok(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
            return Err(Failure::again(ErrorKind::NoHead, "closed before the response headers"));
        }
        Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionReset => {
            return Err(Failure::again(ErrorKind::Reset, "reset before the response headers"));
        }
        Ok(Err(error)) => {
            return Err(Failure::again(ErrorKind::Protocol, format!("head: {error}")));
        }
        Ok(Ok(head)) => head,
    };
    let answered = Instant::now();
    worker.recorder.borrow_mut().add(Counter::Bytes, rest.len() as u64);
    rest.drain(..head.length);
    Ok(Dialled { socket, head, rest, asked, answered, agreed: None })
}

/// Reads until the headers are complete; `bytes` also has the bytes after them.
///
/// # Errors
/// Those of the connection; `UnexpectedEof` if it ends before, `InvalidData` if it is not HTTP.
pub(crate) async fn read_head(
    stream: &mut (impl AsyncRead + Unpin),
    bytes: &mut Vec<u8>,
) -> io::Result<Head> {
    loop {
        if stream.read_buf(bytes).await? == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
        }
        match head::read(bytes) {
            Ok(None) => {}
            Ok(Some(head)) => return Ok(head),
            Err(message) => return Err(io::Error::new(io::ErrorKind::InvalidData, message)),
        }
    }
}

fn judge(worker: &Worker, mut dialled: Dialled, key: Option<&str>) -> Result<Dialled, Failure> {
    let (head, compress) = (&dialled.head, worker.job.plan.compress);
    match worker.job.target.transport {
        Transport::Sse => {
            if head.status != 200 {
                return Err(Failure { error: LoadError::status(head.status), again: false });
            }
            if head.media != "text/event-stream" {
                let text = format!("no event stream: Content-Type `{}`", shortened(&head.media));
                return Err(Failure::for_good(ErrorKind::NoStream, text));
            }
            if let Some(coding) = &head.coding
                && !(compress && head.is_gzip())
            {
                let text = format!("compressed though not asked for: {}", shortened(coding));
                return Err(Failure::for_good(ErrorKind::NoStream, text));
            }
        }
        Transport::WebSocket => {
            if head.status != 101 {
                return Err(Failure { error: LoadError::status(head.status), again: false });
            }
            let expected = key.map(|key| derive_accept_key(key.as_bytes()));
            if head.accept != expected {
                return Err(Failure::for_good(
                    ErrorKind::Protocol,
                    "websocket: wrong Sec-WebSocket-Accept",
                ));
            }
            dialled.agreed = permessage::agreed(&head.extensions)
                .and_then(|agreed| match agreed {
                    Some(_) if !compress => Err("compression, which was not offered".to_owned()),
                    agreed => Ok(agreed),
                })
                .map_err(|what| {
                    let text = format!("websocket: the server chose {what}");
                    Failure::for_good(ErrorKind::Protocol, text)
                })?;
        }
    }
    let head = &dialled.head;
    let mut recorder = worker.recorder.borrow_mut();
    recorder.count(Counter::Streams);
    if head.is_gzip() || dialled.agreed.is_some() {
        recorder.count(Counter::Compressed);
    }
    recorder.time(Metric::Head, nanoseconds(dialled.answered - dialled.asked));
    if let Some(date) = head.date.filter(|_| !worker.is_local) {
        let clock = &worker.job.clock;
        recorder.offset(Offset::of(date, clock.wall(dialled.asked), clock.wall(dialled.answered)));
    }
    drop(recorder);
    Ok(dialled)
}

/// Counts an arrival that never got a stream, after an error or while it still waited.
pub(super) fn never_opened(
    worker: &Worker,
    kind: Option<ErrorKind>,
    sent: Option<Instant>,
    first_sent: Option<Instant>,
) {
    let waiting = if sent.is_some() { Counter::Unanswered } else { Counter::Unconnected };
    let ending = kind.map_or(waiting, |kind| kind.ends_as().unwrap_or(Counter::Rejected));
    let mut recorder = worker.recorder.borrow_mut();
    recorder.count(ending);
    if ending == Counter::Unanswered {
        recorder.time(Metric::Wait, first_sent.map_or(0, |sent| nanoseconds(sent.elapsed())));
    }
}

/// A text from a server, short enough for a kind of error.
fn shortened(text: &str) -> &str {
    text.char_indices().nth(60).map_or(text, |(at, _)| &text[..at])
}

pub(crate) fn wait(base: Duration, jitter: f64, chance: f64) -> Duration {
    base.mul_f64(1.0 + jitter * chance)
}
