//! Streams of HTTP/2: the clients of a thread share connections, as many on each as the plan says
//! and the server permits.
//!
//! HTTP/2 here is that of the library `h2`: only the content matters, and bytes are counted below
//! the frames. A connection takes a stream only after the server's limit is known. HTTP/2 must be
//! requested (`--http 2`), even if ALPN would choose it: an update of the server must not turn a load
//! of a thousand connections into ten.

use std::cell::{Cell, RefCell};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use h2::client::{Builder, ResponseFuture, SendRequest};
use h2::{Reason, RecvStream};
use sseproof_http::http1::Body;
use sseproof_load_model::{Counter, ErrorKind, Http, LoadError, Metric, Workload};
use tokio::io::ReadBuf;
use tokio::sync::OnceCell;
use tokio::task::spawn_local;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::io::InspectReader;

use super::dial::{Dialled, Failure, Sent, connect};
use super::socket::Socket;
use super::worker::Worker;
use crate::wire::head::{self, Head};

/// How many bytes a server may send on a stream before the client has read any: the initial value
/// of the standard (RFC 9113 section 6.9.2). All streams of a connection may have as many under way,
/// so that an unread stream blocks no other.
const WINDOW: u32 = 65_535;
/// How many connections may turn a client away, because they end or are full, before it gives up.
const TRIES: u32 = 8;

#[derive(Default)]
pub(crate) struct Pool {
    /// The last one is filled first.
    roomy: RefCell<Vec<Rc<Shared>>>,
    /// How many streams the server permits on a connection; `None` if not known yet.
    permitted: Cell<Option<usize>>,
}

#[derive(Default)]
struct Shared {
    opened: OnceCell<Result<Opened, Failure>>,
    /// Streams on it, and clients that wait for it.
    streams: Cell<usize>,
    is_listed: Cell<bool>,
    is_over: Cell<bool>,
}

struct Opened {
    requests: SendRequest<Bytes>,
    /// When TCP had established it.
    connected: Instant,
    /// When it could be written to: after the TLS handshake, if it uses TLS.
    at: Instant,
}

struct Place {
    worker: Rc<Worker>,
    shared: Rc<Shared>,
}

/// A stream after its response headers. Dropping it resets it, unless it has ended.
pub(crate) struct Stream {
    content: RecvStream,
    /// Received and not yet read.
    left: Bytes,
    _place: Place,
}

fn wanted(worker: &Worker) -> usize {
    match worker.job.plan.http {
        Http::One => 1,
        Http::Two { streams_per_connection } => streams_per_connection.max(1) as usize,
    }
}

/// Sends the request of that client, on an open connection or on a new one.
///
/// # Errors
/// [`Failure`], which is not counted yet.
pub(super) async fn ask(
    worker: &Rc<Worker>,
    client: u64,
    last_event_id: &str,
    intended: Instant,
    sent_at: &Sent,
) -> Result<Dialled, Failure> {
    let (request, body) =
        worker.job.target.request2(client, last_event_id, worker.job.plan.compress).map_err(
            |error| {
                Failure::for_good(ErrorKind::Protocol, format!("http2: invalid request: {error}"))
            },
        )?;
    let begun = Instant::now();
    for _ in 0..TRIES {
        let place = Place::take(worker);
        let shared = Rc::clone(&place.shared);
        let has_waited = !shared.opened.initialized();
        let mut is_first = false;
        let opened = shared
            .opened
            .get_or_init(|| {
                is_first = true;
                open(worker, &shared, client, intended)
            })
            .await;
        let opened = match opened {
            Ok(opened) => opened,
            Err(failure) => return Err(failure.clone()),
        };
        if has_waited && !is_first {
            // The client that opened it has recorded its own time.
            worker.time(Metric::Connect, opened.connected - intended);
        }
        if !place.fits() {
            continue;
        }
        // The wait for the server's SETTINGS counts as the server's time.
        let asked = begun.max(opened.at);
        sent_at.set(Some(asked));
        let mut requests = opened.requests.clone();
        let sent = requests.send_request(request.clone(), body.is_none());
        let (response, mut content) = match sent {
            Ok(sent) => sent,
            Err(error) if error.is_io() || error.is_go_away() => {
                shared.leave(worker);
                continue;
            }
            Err(error) => return Err(Failure { error: of_stream(&error), again: false }),
        };
        if let Some(body) = &body {
            // Bytes beyond the server's window wait.
            if let Err(error) = content.send_data(body.clone(), true) {
                return Err(Failure { error: of_stream(&error), again: true });
            }
        }
        match answer(worker, place, response, asked).await {
            // The server has not processed the request.
            Err(Unanswered::Leaving) => shared.leave(worker),
            Err(Unanswered::Failed(failure)) => return Err(failure),
            Ok(dialled) => return Ok(dialled),
        }
    }
    Err(Failure::again(ErrorKind::Reset, "http2: each connection is full or received GOAWAY"))
}

enum Unanswered {
    /// The connection ends, and the request may be made again.
    Leaving,
    Failed(Failure),
}

async fn answer(
    worker: &Worker,
    place: Place,
    response: ResponseFuture,
    asked: Instant,
) -> Result<Dialled, Unanswered> {
    let until = asked + worker.job.plan.patience;
    let response = match timeout_at(until, response).await {
        Err(_) => {
            return Err(Unanswered::Failed(Failure::again(
                ErrorKind::HeadTimeout,
                "no response headers in time",
            )));
        }
        Ok(Ok(response)) => response,
        Ok(Err(error)) if error.is_go_away() && error.reason() == Some(Reason::NO_ERROR) => {
            return Err(Unanswered::Leaving);
        }
        Ok(Err(error)) => {
            let error = match error.get_io().map(io::Error::kind) {
                Some(io::ErrorKind::ConnectionReset) => {
                    LoadError::new(ErrorKind::Reset, "reset before the response headers")
                }
                Some(_) => LoadError::new(ErrorKind::NoHead, "closed before the response headers"),
                None => of_stream(&error),
            };
            return Err(Unanswered::Failed(Failure { error, again: true }));
        }
    };
    let answered = Instant::now();
    let (parts, content) = response.into_parts();
    let value = |name: http::HeaderName| {
        let value = parts.headers.get(name)?;
        Some(String::from_utf8_lossy(value.as_bytes()).trim().to_ascii_lowercase())
    };
    let date = parts.headers.get(http::header::DATE);
    let head = Head {
        date: date.and_then(|date| head::date(date.as_bytes())),
        status: parts.status.as_u16(),
        // The end of the connection comes without a reason.
        body: Body::UntilClose,
        media: head::media(value(http::header::CONTENT_TYPE)),
        coding: head::coding(value(http::header::CONTENT_ENCODING)),
        keeps: false,
        accept: None,
        extensions: String::new(),
        length: 0,
    };
    let stream = Stream { content, left: Bytes::new(), _place: place };
    let socket = Socket::Http2(Box::new(stream));
    Ok(Dialled { socket, head, rest: Vec::new(), asked, answered, agreed: None })
}

async fn open(
    worker: &Rc<Worker>,
    shared: &Rc<Shared>,
    client: u64,
    intended: Instant,
) -> Result<Opened, Failure> {
    let opening = async {
        let (socket, connected) = connect(worker, client, intended).await?;
        let at = Instant::now();
        let (requests, driver) = settle(worker, socket).await?;
        Ok((Opened { requests, connected, at }, driver))
    };
    match opening.await {
        Err(failure) => {
            shared.leave(worker);
            Err(failure)
        }
        Ok((opened, driver)) => {
            // It closes by itself when its last user drops it, and this task must not be one.
            let (worker, shared) = (Rc::clone(worker), Rc::downgrade(shared));
            spawn_local(async move {
                // Each stream reports its own error.
                let _ = driver.await;
                if let Some(shared) = shared.upgrade() {
                    shared.leave(&worker);
                }
            });
            Ok(opened)
        }
    }
}

/// Opens HTTP/2, and waits until the server has said how many streams it permits.
pub(super) async fn settle(
    worker: &Rc<Worker>,
    socket: Socket,
) -> Result<(SendRequest<Bytes>, impl Future<Output = Result<(), h2::Error>> + use<>), Failure> {
    let streams = u32::try_from(wanted(worker)).unwrap_or(Http::MOST_STREAMS);
    let window = WINDOW.saturating_mul(streams).min((1 << 31) - 1);
    let counting = Rc::clone(worker);
    let counted = InspectReader::new(socket, move |read: &[u8]| {
        counting.recorder.borrow_mut().add(Counter::Bytes, read.len() as u64);
    });
    let settling = async {
        let (requests, mut driver) = Builder::new()
            .enable_push(false)
            .max_header_list_size(head::LIMIT as u32)
            .initial_window_size(WINDOW)
            .initial_connection_window_size(window)
            // No stream before the server has said how many it permits.
            .initial_max_send_streams(0)
            // The library's protection against attacks must not end a run: many small frames, and data
            // for clients that have disconnected, are not an attack.
            .data_frame_budget(usize::MAX)
            .max_concurrent_reset_streams(streams as usize)
            .max_local_error_reset_streams(None)
            .handshake::<_, Bytes>(counted)
            .await?;
        std::future::poll_fn(|context| match Pin::new(&mut driver).poll(context) {
            Poll::Ready(Ok(())) => Poll::Ready(Err(h2::Error::from(Reason::NO_ERROR))),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending if requests.current_max_send_streams() > 0 => Poll::Ready(Ok(())),
            Poll::Pending => Poll::Pending,
        })
        .await?;
        Ok::<_, h2::Error>((requests, driver))
    };
    match timeout(worker.job.plan.patience, settling).await {
        Err(_) => Err(Failure::again(
            ErrorKind::ConnectTimeout,
            "http2: no SETTINGS in time that permit a stream",
        )),
        Ok(Err(error)) if error.is_io() || error.reason() == Some(Reason::NO_ERROR) => {
            Err(Failure::again(ErrorKind::NoHead, "http2: closed before SETTINGS"))
        }
        Ok(Err(error)) => Err(Failure { error: of_stream(&error), again: true }),
        Ok(Ok((requests, driver))) => {
            worker.http2.permitted.set(Some(requests.current_max_send_streams()));
            Ok((requests, driver))
        }
    }
}

/// An error of a stream, in few enough texts to count them.
fn of_stream(error: &h2::Error) -> LoadError {
    if let Some(error) = error.get_io() {
        return match error.kind() {
            io::ErrorKind::ConnectionReset => LoadError::new(ErrorKind::Reset, "reset"),
            _ => LoadError::new(ErrorKind::Truncated, "closed before the end of the body"),
        };
    }
    let reason = error.reason().unwrap_or(Reason::NO_ERROR);
    let (kind, text) = match (error.is_remote(), error.is_go_away(), error.is_reset()) {
        (true, true, _) => (ErrorKind::Reset, format!("GOAWAY {reason:?}")),
        (true, _, true) if reason == Reason::REFUSED_STREAM => {
            (ErrorKind::Refused, format!("RST_STREAM {reason:?}"))
        }
        (true, _, true) => (ErrorKind::Reset, format!("RST_STREAM {reason:?}")),
        (false, true, _) | (false, _, true) => {
            (ErrorKind::Protocol, format!("broken frames: {reason:?}"))
        }
        _ => (ErrorKind::Protocol, error.to_string()),
    };
    LoadError::new(kind, format!("http2: {text}"))
}

impl Shared {
    fn room(&self, worker: &Worker) -> usize {
        let permitted = match self.opened.get() {
            Some(Ok(opened)) => Some(opened.requests.current_max_send_streams()),
            _ => worker.http2.permitted.get(),
        };
        wanted(worker).min(permitted.unwrap_or(usize::MAX))
    }

    fn leave(&self, worker: &Worker) {
        self.is_over.set(true);
        self.unlist(worker);
    }

    fn unlist(&self, worker: &Worker) {
        if self.is_listed.replace(false) {
            let mut roomy = worker.http2.roomy.borrow_mut();
            if let Some(at) = roomy.iter().rposition(|other| std::ptr::eq(Rc::as_ptr(other), self))
            {
                roomy.swap_remove(at);
            }
        }
    }
}

impl Place {
    /// A place on a connection that is not full, or on a new one.
    fn take(worker: &Rc<Worker>) -> Self {
        let mut roomy = worker.http2.roomy.borrow_mut();
        let shared = loop {
            let Some(last) = roomy.last() else {
                let new = Rc::new(Shared::default());
                new.is_listed.set(true);
                roomy.push(Rc::clone(&new));
                break new;
            };
            if !last.is_over.get() && last.streams.get() < last.room(worker) {
                break Rc::clone(last);
            }
            last.is_listed.set(false);
            roomy.pop();
        };
        drop(roomy);
        shared.streams.update(|streams| streams + 1);
        Self { worker: Rc::clone(worker), shared }
    }

    fn fits(&self) -> bool {
        self.shared.streams.get() <= self.shared.room(&self.worker)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let shared = &self.shared;
        shared.streams.update(|streams| streams - 1);
        let streams = shared.streams.get();
        // A subscriber's connection ends with it; requests leave theirs to later ones.
        let is_left =
            streams == 0 && matches!(self.worker.job.plan.workload, Workload::Subscribe(_));
        if is_left {
            shared.leave(&self.worker);
        } else if !shared.is_listed.get()
            && !shared.is_over.get()
            && streams < shared.room(&self.worker)
        {
            shared.is_listed.set(true);
            self.worker.http2.roomy.borrow_mut().push(Rc::clone(shared));
        }
    }
}

impl Stream {
    /// Reads content, and extends the window by the bytes that were read.
    pub(super) fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // A frame without content is not the end.
        while self.left.is_empty() {
            match ready!(self.content.poll_data(context)) {
                None => return Poll::Ready(Ok(())),
                Some(Ok(data)) => self.left = data,
                Some(Err(error)) => return Poll::Ready(Err(io::Error::other(of_stream(&error)))),
            }
        }
        let read = self.left.len().min(buffer.remaining());
        buffer.put_slice(&self.left[..read]);
        if read < self.left.len() {
            self.left.advance(read);
        } else {
            // An empty rest would still keep the buffer of all frames alive.
            self.left = Bytes::new();
        }
        // It fails only if more is released than was received.
        let _ = self.content.flow_control().release_capacity(read);
        Poll::Ready(Ok(()))
    }
}
