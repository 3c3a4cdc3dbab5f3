//! The lab server: answers each request by a plan, and plays the plan to the byte.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sseproof_http::http2::PREFACE;
use sseproof_http::{Action, Bytes, Departure, Plan, Request, Script, Then, Visit};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep};

use crate::dial::Dialling;
use crate::http2;
use crate::pipe::CAPACITY;
use crate::player::{Connection, play};
use crate::server_request::read_request;
use crate::socket::Peeked;
use crate::{Dial, Dialled, Identity, ReceiveBuffer, Socket, UnreadIn, pipe};

/// How many entries a topic of the log keeps.
const LOG_ENTRIES: usize = 10_000;
/// The time from a connection that could not be accepted to the next attempt.
const ACCEPT_AGAIN: Duration = Duration::from_millis(50);
/// How many connections without a request are closed for one that could not be accepted: some of
/// those that wait to be accepted may be of the same kind.
const CLOSED_FOR_ONE: usize = 64;

#[derive(Clone)]
pub struct Lab {
    inner: Arc<Inner>,
    identity: Option<Identity>,
    /// Whether a server with TLS speaks plain HTTP, too.
    or_plain: bool,
    observer: Option<Observer>,
    handshakes: Option<Handshakes>,
}

type Observer = Arc<dyn Fn(&Served<'_>) + Send + Sync>;
type Handshakes = Arc<dyn Fn(Result<(), &io::Error>) + Send + Sync>;

/// The first byte of a client that speaks TLS (RFC 8446, section 5.1: a record of type handshake).
const TLS_HANDSHAKE: u8 = 22;

/// A request that begins, or whose response is over.
pub struct Served<'a> {
    pub request: &'a Request,
    /// From 1, in the order of the requests to this server.
    pub number: u64,
    /// How its response ended, and after which time; `None` when it begins.
    pub end: Option<(ServedEnd, Duration)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServedEnd {
    Complete,
    /// The server closed the connection with it, or restarted.
    Closed,
    /// The server reset the connection.
    Reset,
    /// The client disconnected, or cancelled the stream.
    Disconnected,
}

impl From<&io::Result<Then>> for ServedEnd {
    fn from(played: &io::Result<Then>) -> Self {
        match played {
            Ok(Then::KeepAlive) => Self::Complete,
            Ok(Then::Close) => Self::Closed,
            Ok(Then::Reset) => Self::Reset,
            Err(_) => Self::Disconnected,
        }
    }
}

type Answerer = dyn Fn(&Visit<'_>) -> Plan + Send + Sync;

struct Inner {
    answer: Box<Answerer>,
    started: Instant,
    earlier: AtomicU64,
    open: AtomicUsize,
    log: Mutex<HashMap<String, Topic>>,
    published: watch::Sender<()>,
    restarted: watch::Sender<()>,
    crowded: Notify,
    cut: watch::Sender<()>,
}

#[derive(Default)]
struct Topic {
    /// How many entries have fallen out at the front.
    forgotten: u64,
    entries: Vec<Bytes>,
}

impl Lab {
    pub fn new(answer: impl Fn(&Visit<'_>) -> Plan + Send + Sync + 'static) -> Self {
        Self {
            identity: None,
            or_plain: false,
            observer: None,
            handshakes: None,
            inner: Arc::new(Inner {
                answer: Box::new(answer),
                started: Instant::now(),
                earlier: AtomicU64::new(0),
                open: AtomicUsize::new(0),
                log: Mutex::default(),
                published: watch::Sender::new(()),
                restarted: watch::Sender::new(()),
                crowded: Notify::new(),
                cut: watch::Sender::new(()),
            }),
        }
    }

    /// The same server, speaking TLS.
    #[must_use]
    pub fn over_tls(&self, identity: Identity) -> Self {
        Self { identity: Some(identity), ..self.clone() }
    }

    /// The same server, which speaks plain HTTP on its port, too.
    #[must_use]
    pub fn or_plain(&self) -> Self {
        Self { or_plain: true, ..self.clone() }
    }

    /// The same server, which reports how each handshake of TLS ends: complete, or by an error.
    #[must_use]
    pub fn handshakes(
        &self,
        observer: impl Fn(Result<(), &io::Error>) + Send + Sync + 'static,
    ) -> Self {
        Self { handshakes: Some(Arc::new(observer)), ..self.clone() }
    }

    /// The same server, which reports the beginning and the end of each response.
    #[must_use]
    pub fn observed(&self, observer: impl Fn(&Served<'_>) + Send + Sync + 'static) -> Self {
        Self { observer: Some(Arc::new(observer)), ..self.clone() }
    }

    /// Accepts connections for as long as the future is polled; what goes wrong on a connection ends
    /// that connection.
    pub async fn listen(&self, listener: TcpListener) {
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                // Most likely no descriptor is left, and other connections must end first.
                (0..CLOSED_FOR_ONE).for_each(|_| self.inner.crowded.notify_one());
                sleep(ACCEPT_AGAIN).await;
                continue;
            };
            // Where it cannot be set, small chunks may wait for an acknowledgement.
            let _ = stream.set_nodelay(true);
            tokio::spawn(self.clone().serve(Box::new(stream)));
        }
    }

    /// A dialler that leads here over a pipe in memory, whatever the host is.
    pub fn in_process(&self) -> InProcess {
        InProcess(self.clone())
    }

    pub async fn serve(self, mut socket: Box<dyn Socket>) {
        let mut rest = Vec::new();
        if self.identity.is_some() && self.or_plain {
            match self.unless_crowded(socket.read_buf(&mut rest)).await {
                None | Some(Ok(0) | Err(_)) => return,
                Some(Ok(_)) => {}
            }
        }
        let is_plain = rest.first().is_some_and(|first| *first != TLS_HANDSHAKE);
        let secure = self.identity.as_ref().filter(|_| !is_plain);
        if let Some(identity) = secure {
            let socket_of_all = Box::new(Peeked { first: std::mem::take(&mut rest), socket });
            let accepted = self.unless_crowded(identity.accept(socket_of_all)).await;
            if let (Some(observer), Some(accepted)) = (&self.handshakes, &accepted) {
                observer(accepted.as_ref().map(drop));
            }
            // A client that does not like the certificate is gone here.
            let Some(Ok(secured)) = accepted else { return };
            socket = secured;
        }
        let secure = secure.is_some();
        let mut cut = self.cuts();
        // A client that knows, or has agreed on it over TLS, begins with the preface of HTTP/2.
        while rest.len() < PREFACE.len() && PREFACE.starts_with(&rest) {
            match self.unless_crowded(socket.read_buf(&mut rest)).await {
                None | Some(Ok(0) | Err(_)) => return,
                Some(Ok(_)) => {}
            }
        }
        if rest.starts_with(PREFACE) {
            return http2::serve(self, socket, rest, secure).await;
        }
        loop {
            let asked = tokio::select! {
                biased;
                Ok(()) = cut.changed() => return,
                asked = self.unless_crowded(read_request(&mut socket, &mut rest)) => asked,
            };
            let Some(Ok(Some(request))) = asked else { return };
            match self.answer(&request, secure, &mut socket, &mut rest).await {
                Ok(Then::KeepAlive) => {}
                Ok(Then::Reset) => {
                    socket.reset();
                    return;
                }
                // The client may disconnect at any point; the connection ends then.
                Ok(Then::Close) | Err(_) => return,
            }
        }
    }

    /// The result; `None` if a connection that waits for it has to make room for others. The one
    /// that has waited longest is the first.
    async fn unless_crowded<T>(&self, awaited: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            awaited = awaited => Some(awaited),
            () = self.crowded() => None,
        }
    }

    pub(crate) async fn crowded(&self) {
        self.inner.crowded.notified().await;
    }

    async fn answer(
        &self,
        request: &Request,
        secure: bool,
        socket: &mut Box<dyn Socket>,
        rest: &mut Vec<u8>,
    ) -> io::Result<Then> {
        let (plan, mut playing) = self.plan(request, secure, Beside::default());
        let outlives = [Departure::Closing, Departure::Resetting].map(|left| plan.outlives(left));
        let restarts = is_restart(&plan);
        let mut restarted = self.restarts();
        let script = Script::http1(plan, request);
        let mut connection = Connection { socket, rest };
        let played = tokio::select! {
            played = play(script, &mut connection, self) => played,
            Ok(()) = restarted.changed(), if !restarts => Ok(Then::Close),
        };
        playing.ends(ServedEnd::from(&played));
        let left_by_reset = match &played {
            Err(left) => Some(left.kind() == io::ErrorKind::ConnectionReset),
            // The response is over, but what the request began may go on.
            Ok(_) if request.method == "HEAD" => Some(false),
            Ok(_) => None,
        };
        if let Some(by_reset) = left_by_reset {
            let time = outlives[usize::from(by_reset)];
            if !time.is_zero() {
                tokio::spawn(async move {
                    sleep(time).await;
                    drop(playing);
                });
            }
        }
        played
    }

    /// The answer to a request; it counts as open for as long as the second value lives.
    pub(crate) fn plan(&self, request: &Request, secure: bool, beside: Beside) -> (Plan, Playing) {
        let mut playing = Playing::begin(Arc::clone(&self.inner));
        playing.observed = self
            .observer
            .clone()
            .map(|observer| Observed::begin(observer, request.clone(), playing.earlier + 1));
        let visit = Visit {
            request,
            secure,
            now: self.inner.started.elapsed(),
            earlier: playing.earlier,
            open: playing.others,
            beside: beside.streams,
            blocked: beside.blocked,
            cancelled: beside.cancelled,
        };
        ((self.inner.answer)(&visit), playing)
    }

    /// Closes every connection: those of the answers that are being played, and those that are kept
    /// for another request.
    pub fn cut(&self) {
        self.restart(false);
        self.inner.cut.send_replace(());
    }

    /// Completes when the connections that wait for a request are closed, too.
    pub(crate) fn cuts(&self) -> watch::Receiver<()> {
        self.inner.cut.subscribe()
    }

    /// Completes when the answers that are being played are cut.
    pub(crate) fn restarts(&self) -> watch::Receiver<()> {
        self.inner.restarted.subscribe()
    }

    pub(crate) fn restart(&self, forget: bool) {
        if forget {
            self.log().clear();
        }
        self.inner.restarted.send_replace(());
    }

    /// Appends to a topic of the log, as [`Action::Publish`] does.
    pub fn publish(&self, topic: &str, bytes: Bytes) {
        let mut log = self.log();
        let topic = log.entry(topic.to_owned()).or_default();
        topic.entries.push(bytes);
        if topic.entries.len() > LOG_ENTRIES {
            topic.entries.remove(0);
            topic.forgotten += 1;
        }
        drop(log);
        self.inner.published.send_replace(());
    }

    /// The entries after the position, each with its number (from 1).
    pub(crate) fn published(&self, topic: &str, after: u64) -> Vec<(u64, Bytes)> {
        let log = self.log();
        let Some(topic) = log.get(topic) else { return Vec::new() };
        let skip = usize::try_from(after.saturating_sub(topic.forgotten)).unwrap_or(usize::MAX);
        let numbers = topic.forgotten + 1..;
        numbers.zip(&topic.entries).skip(skip).map(|(n, bytes)| (n, bytes.clone())).collect()
    }

    /// The number of the last entry of the topic that has this line in it; 0 if none has.
    pub(crate) fn entry_with(&self, topic: &str, line: &[u8]) -> u64 {
        let has = |bytes: &Bytes| bytes.split(|&byte| byte == b'\n').any(|other| other == line);
        let all = self.published(topic, 0).into_iter();
        all.rev().find(|(_, bytes)| has(bytes)).map_or(0, |(number, _)| number)
    }

    pub(crate) fn latest(&self, topic: &str) -> u64 {
        let log = self.log();
        log.get(topic).map_or(0, |topic| topic.forgotten + topic.entries.len() as u64)
    }

    pub(crate) fn bell(&self) -> watch::Receiver<()> {
        self.inner.published.subscribe()
    }

    fn log(&self) -> MutexGuard<'_, HashMap<String, Topic>> {
        self.inner.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The other streams of an HTTP/2 connection.
#[derive(Clone, Copy, Default)]
pub(crate) struct Beside {
    pub(crate) streams: usize,
    /// How many of them have no window left.
    pub(crate) blocked: usize,
    /// How many streams were cancelled before.
    pub(crate) cancelled: usize,
}

/// Counts an answer as open for as long as it is played.
pub(crate) struct Playing {
    inner: Arc<Inner>,
    earlier: u64,
    others: usize,
    observed: Option<Observed>,
}

struct Observed {
    observer: Observer,
    request: Request,
    number: u64,
    began: Instant,
}

impl Observed {
    fn begin(observer: Observer, request: Request, number: u64) -> Self {
        observer(&Served { request: &request, number, end: None });
        Self { observer, request, number, began: Instant::now() }
    }
}

/// Whether the request restarts the server; it still gets its response.
pub(crate) fn is_restart(plan: &Plan) -> bool {
    plan.actions.iter().any(|action| matches!(action, Action::Restart { .. }))
}

impl Playing {
    fn begin(inner: Arc<Inner>) -> Self {
        let earlier = inner.earlier.fetch_add(1, Ordering::SeqCst);
        let others = inner.open.fetch_add(1, Ordering::SeqCst);
        Self { inner, earlier, others, observed: None }
    }

    pub(crate) fn ends(&mut self, end: ServedEnd) {
        if let Some(Observed { observer, request, number, began }) = self.observed.take() {
            let end = Some((end, began.elapsed()));
            observer(&Served { request: &request, number, end });
        }
    }
}

impl Drop for Playing {
    fn drop(&mut self) {
        // The task that plays on a stream of HTTP/2 ends with the stream.
        self.ends(ServedEnd::Disconnected);
        self.inner.open.fetch_sub(1, Ordering::SeqCst);
    }
}

#[derive(Clone)]
pub struct InProcess(Lab);

impl Dial for InProcess {
    fn dial<'a>(&'a self, _host: &'a str, _port: u16, _: ReceiveBuffer) -> Dialling<'a> {
        Box::pin(async move {
            let (ours, theirs) = pipe();
            tokio::spawn(self.0.clone().serve(Box::new(theirs)));
            let unread_in = UnreadIn::Pipe(CAPACITY);
            Ok(Dialled { resolved: None, unread_in, socket: Box::new(ours) })
        })
    }
}
