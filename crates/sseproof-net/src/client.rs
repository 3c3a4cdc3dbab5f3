//! The recording client: each exchange is recorded in the background from the first byte to the
//! last, on a connection of its own, or over HTTP/2 on one that another exchange has opened.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sseproof_http::http2::WINDOW;
use sseproof_http::{Request, Version};
use sseproof_record::{Ending, Exchange};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use crate::exchange::{ExchangeContext, drive};
use crate::http1::KeptConnection;
use crate::http2::Link;
use crate::limits::Budget;
use crate::prepared::Prepared;
use crate::progress::{Clock, Shared};
use crate::{ConnectionOptions, Dial, Limits, Progress, ReceiveBuffer, UnreadIn, process};

#[derive(Clone)]
pub struct Client {
    dial: Arc<dyn Dial>,
    limits: Limits,
    options: ConnectionOptions,
    clock: Clock,
    budget: Budget,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The URL does not parse, or names no host.
    #[error(
        "`{url}` is not a valid URL of a server: {message}; write one like http://127.0.0.1:8080/events"
    )]
    Url {
        url: String,
        /// The parser's word on it.
        message: String,
    },
    #[error("`{0}` URLs are not supported; use one that starts with http:// or https://")]
    Scheme(String),
    /// A method, header name or header value that HTTP does not allow.
    #[error("{what} `{value}` cannot be sent over HTTP")]
    Field {
        /// `the method`, `the header name`, `the value of x-y`.
        what: String,
        value: String,
    },
}

#[derive(Clone, Copy, Default)]
pub struct RequestOptions<'l> {
    /// Whether the version of the request is required, also if it is HTTP/1.1, which is otherwise
    /// left to client and server.
    pub exactly: bool,
    /// The exchange whose HTTP/2 connection it joins, or whose HTTP/1 connection was kept, if that
    /// leads to the same server.
    pub on: Option<&'l Live>,
    /// Whether an HTTP/1 connection stays open after a complete response.
    pub keep: bool,
    /// The window of the HTTP/2 stream, in bytes, which is never enlarged.
    pub window: Option<u32>,
    /// How much its connection takes while it is not read.
    pub receive_buffer: ReceiveBuffer,
}

/// An open exchange. Dropping it disconnects.
pub struct Live {
    shared: Shared,
    task: JoinHandle<()>,
    reset: Arc<AtomicBool>,
    link: Link,
    kept: KeptConnection,
    joins: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Leave {
    /// Closes the connection (FIN).
    #[default]
    Fin,
    Reset,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    Reached,
    Ended,
    TimedOut,
}

impl Client {
    pub fn new(dial: Arc<dyn Dial>, limits: Limits) -> Self {
        Self {
            dial,
            limits,
            options: ConnectionOptions::default(),
            clock: Clock::started_now(),
            budget: Budget::new(limits.run_bytes),
        }
    }

    #[must_use]
    pub fn with(mut self, options: ConnectionOptions) -> Self {
        self.options = options;
        self
    }

    pub fn now(&self) -> Duration {
        self.clock.now()
    }

    pub fn insists_on_http2(&self) -> bool {
        self.options.http == Some(Version::Http2)
    }

    pub fn may_speak_http2(&self, url: &str) -> bool {
        let is_secure = || url.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("https:"));
        match self.options.http {
            Some(version) => version == Version::Http2,
            None => is_secure(),
        }
    }

    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Whether the exchanges have used up [`Limits::run_bytes`]: no more of a response is read.
    pub fn is_spent(&self) -> bool {
        self.budget.is_spent()
    }

    #[must_use]
    pub fn with_limits(&self, limits: Limits) -> Self {
        Self { limits, ..self.clone() }
    }

    /// Begins the exchange in the background.
    ///
    /// # Errors
    /// [`RequestError`] if the request cannot be written; later errors are part of the record.
    pub fn open(&self, request: Request) -> Result<Live, RequestError> {
        self.open_with(request, RequestOptions::default())
    }

    /// Begins the exchange with these options.
    ///
    /// # Errors
    /// As [`Client::open`].
    pub fn open_with(
        &self,
        request: Request,
        options: RequestOptions<'_>,
    ) -> Result<Live, RequestError> {
        let prepared = Prepared::new(&request, options.exactly)?;
        let mut exchange = Exchange::begun(0, request, self.clock.now());
        exchange.transport.window = options.window;
        let shared = Shared::new(exchange, self.clock, self.limits, self.budget.clone());
        let reset = Arc::new(AtomicBool::new(false));
        let joined = options.on.and_then(|live| live.link.to(&prepared.origin()));
        let joins = joined.is_some();
        let earlier = options.on.and_then(|live| live.kept.take(&prepared.origin()));
        let earlier = earlier.map(|recorder| recorder.again(Arc::clone(&reset)));
        let kept = KeptConnection::default();
        let link = Link::holding(joined);
        let context = ExchangeContext {
            options: self.options.clone(),
            limits: self.limits,
            receive_buffer: options.receive_buffer,
            shared: shared.clone(),
            reset: Arc::clone(&reset),
            link: link.clone(),
            keeps: options.keep.then(|| kept.clone()),
        };
        let task = tokio::spawn(drive(prepared, Arc::clone(&self.dial), context, earlier));
        Ok(Live { shared, task, reset, link, kept, joins })
    }
}

/// Whether the request can be written, without sending it.
///
/// # Errors
/// [`RequestError`] if it cannot.
pub fn sendable(request: &Request) -> Result<(), RequestError> {
    Prepared::new(request, false).map(drop)
}

impl Live {
    /// Waits until the condition holds, the exchange ends, or the time is over.
    ///
    /// The condition is tested once more at the end of the exchange, which may fulfil it.
    pub async fn wait(
        &mut self,
        within: Duration,
        mut reached: impl FnMut(&Progress) -> bool,
    ) -> Waited {
        let deadline = Instant::now() + within;
        let mut bell = self.shared.bell();
        loop {
            bell.mark_unchanged();
            {
                let progress = self.shared.lock();
                if reached(&progress) {
                    return Waited::Reached;
                }
                if progress.ended {
                    return Waited::Ended;
                }
            }
            match timeout_at(deadline, bell.changed()).await {
                Ok(_) => {}
                Err(_) => return Waited::TimedOut,
            }
        }
    }

    pub fn look<T>(&self, look: impl FnOnce(&Progress) -> T) -> T {
        look(&self.shared.lock())
    }

    /// Stops reading and keeps the connection: the server's bytes pile up on its side once the
    /// buffers between are full.
    pub fn stall(&self) {
        self.shared.lock().stalled = true;
    }

    /// Reads again after [`Live::stall`].
    pub fn read_on(&self) {
        self.shared.change(|progress, _| progress.stalled = false);
        if let Some(handle) = self.link.handle() {
            handle.read_on();
        }
    }

    /// How many bytes for a stalled client are in the buffers of the kernel at both ends, or why
    /// that is not known; `None` if it reads.
    pub fn unread(&self) -> Option<Result<u64, String>> {
        let (unread_in, window) = {
            let progress = self.shared.lock();
            if !progress.stalled {
                return None;
            }
            let head = progress.exchange.head.as_ref();
            let is_http2 = head.is_some_and(|head| head.version == Version::Http2);
            let window = progress.exchange.transport.window.unwrap_or(WINDOW);
            (progress.unread_in, is_http2.then_some(window))
        };
        let seen = match unread_in {
            UnreadIn::Kernel { ours, theirs } => process::unread(ours, theirs),
            UnreadIn::Pipe(capacity) => Ok(capacity as u64),
            UnreadIn::Unknown(why) => Err(why.to_owned()),
        };
        // A window of HTTP/2 that is not enlarged bounds the unread bytes.
        Some(match window {
            Some(window) => seen.or(Ok(u64::from(window))),
            None => seen,
        })
    }

    pub fn joins(&self) -> bool {
        self.joins
    }

    /// Whether its HTTP/1 connection is open for another exchange.
    pub async fn keeps(&mut self) -> bool {
        // The connection is free a moment after the response is complete.
        if self.look(|progress| progress.ended) {
            self.over().await;
        }
        self.kept.is_open()
    }

    /// Disconnects, if the exchange is not over, and returns its record.
    ///
    /// The last exchange on a connection closes it; before, only the stream is cancelled.
    pub async fn leave(self, how: Leave) -> Exchange {
        self.reset.store(how == Leave::Reset, Ordering::SeqCst);
        self.shared.change(|progress, now| progress.end(now, Ending::Disconnected));
        self.link.leave(how).await;
        // The task owns the connection: it is closed once the task has ended.
        self.task.abort();
        let shared = self.shared.clone();
        let mut this = self;
        this.over().await;
        shared.lock().exchange.clone()
    }

    /// Waits until the task has ended.
    async fn over(&mut self) {
        if !self.task.is_finished() {
            let _ = (&mut self.task).await;
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.task.abort();
    }
}
