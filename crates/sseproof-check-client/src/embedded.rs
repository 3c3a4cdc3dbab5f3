//! The reference client, and its mutants, in this process.

mod wire;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sseproof_client_rules::client::{Answer, Closing};
use sseproof_client_rules::protocol::{self, Ready};
use sseproof_client_rules::{
    Accept, Call, Can, CloseOn, Command, Connect, Hello, Hooks, Kind, Loss, State,
};
use sseproof_codec::{Decoder, Limits};
use sseproof_http::{ContentDecoder, Headers};
use sseproof_net::{Dial, Tls};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use self::wire::{Dialler, Failed, Part, Wire};
use crate::carrier::NO_PROCESS;
use crate::{BoxFuture, Carrier, Notice, StartError};

/// All that the reference client can do.
const CAN: [Can; 20] = [
    Can::Types,
    Can::Headers,
    Can::Method,
    Can::Body,
    Can::LastEventId,
    Can::Retry,
    Can::ReadTimeout,
    Can::Close,
    Can::CloseOn,
    Can::Open,
    Can::Error,
    Can::Closed,
    Can::Comment,
    Can::State,
    Can::LastEventIdOfEvent,
    Can::Tls,
    Can::Http2,
    Can::Credentials,
    Can::OriginOfEvent,
    Can::Pause,
];

pub struct Embedded {
    kind: Kind,
    retries_on: &'static [&'static str],
    hooks: Hooks,
    dial: Arc<dyn Dial>,
    tls: Tls,
    connections: HashMap<u64, watch::Sender<bool>>,
    out: Option<UnboundedSender<Notice>>,
    /// How many bytes its connections have kept, if that is measured.
    held: Option<Arc<AtomicU64>>,
}

impl Embedded {
    /// A client that follows the standard of `EventSource`.
    pub fn new(hooks: Hooks, dial: Arc<dyn Dial>) -> Self {
        let kind = Kind::Eventsource;
        let tls = Tls::default();
        Self {
            kind,
            retries_on: &["network", "end", "503"],
            hooks,
            dial,
            tls,
            connections: HashMap::new(),
            out: None,
            held: None,
        }
    }

    /// The same, which declares these ends if it is resilient.
    #[must_use]
    pub fn retrying_on(self, retries_on: &'static [&'static str]) -> Self {
        Self { retries_on, ..self }
    }

    /// The same, which trusts the certificates that `tls` trusts.
    #[must_use]
    pub fn trusting(self, tls: Tls) -> Self {
        Self { tls, ..self }
    }

    /// The same as a client of that kind.
    #[must_use]
    pub fn of(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }

    /// The same, whose memory is what its connections have kept.
    #[must_use]
    pub fn measured(self) -> Self {
        Self { held: Some(Arc::default()), ..self }
    }

    fn connect(&mut self, id: u64, connect: Connect) {
        let Some(out) = self.out.clone() else { return };
        let (close, closed) = watch::channel(false);
        self.connections.insert(id, close);
        let state = State::new(self.kind, id, connect);
        let connection = Connection {
            hooks: self.hooks,
            dial: Arc::clone(&self.dial),
            tls: self.tls.clone(),
            out,
            state,
            quiet: false,
            held: self.held.clone().unwrap_or_default(),
        };
        tokio::spawn(connection.live(closed));
    }
}

impl Carrier for Embedded {
    fn start(&mut self, out: UnboundedSender<Notice>) -> BoxFuture<'_, Result<Hello, StartError>> {
        self.out = Some(out);
        let (kind, retries_on) = (self.kind, self.retries_on);
        Box::pin(async move {
            Ok(Hello {
                name: "the reference client".to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                kind,
                can: CAN.to_vec(),
                retries_on: match kind {
                    Kind::Resilient => retries_on.iter().map(|&end| end.to_owned()).collect(),
                    _ => Vec::new(),
                },
            })
        })
    }

    fn send(&mut self, command: Command) {
        let Command { id, connect, close } = command;
        if let Some(connect) = connect {
            self.connect(id, connect);
        }
        if close.is_some()
            && let Some(connection) = self.connections.remove(&id)
        {
            // It may have given up.
            let _ = connection.send(true);
        }
    }

    fn memory(&self) -> Result<u64, String> {
        let held = self.held.as_ref().ok_or(NO_PROCESS)?;
        Ok(held.load(Ordering::Relaxed))
    }
}

struct Connection {
    hooks: Hooks,
    dial: Arc<dyn Dial>,
    tls: Tls,
    out: UnboundedSender<Notice>,
    state: State,
    /// Whether the user hears nothing more.
    quiet: bool,
    held: Arc<AtomicU64>,
}

/// How an attempt ended.
enum Attempt {
    Lost(Loss),
    Failed {
        why: String,
        status: u16,
    },
    /// The client was closed in a handler.
    Closed,
    Again,
}

impl Connection {
    async fn live(mut self, mut closed: watch::Receiver<bool>) {
        loop {
            let heeds = (self.hooks.close)(&self.state) != Closing::KeepsConnection;
            let attempt = tokio::select! {
                biased;
                _ = closed.wait_for(|closed| *closed), if heeds && !self.quiet => Attempt::Closed,
                attempt = self.attempt() => attempt,
            };
            let loss = match attempt {
                Attempt::Again => continue,
                Attempt::Failed { why, status } => {
                    self.state.ready = Ready::Closed;
                    self.error(why, Some(status));
                    return self.say(Call::Closed(self.state.opened()));
                }
                Attempt::Closed if self.close() => return,
                Attempt::Closed => Loss::End,
                Attempt::Lost(loss) => loss,
            };
            let is_failure = matches!(loss, Loss::Unreachable(_) | Loss::Refused(_));
            self.state.failures = if is_failure { self.state.failures + 1 } else { 0 };
            let Some(wait) = (self.hooks.lost)(&self.state, &loss) else {
                self.state.ready = Ready::Closed;
                if (self.state.kind, &loss) != (Kind::Reader, &Loss::End) {
                    self.error(text(loss), None);
                }
                return self.say(Call::Closed(self.state.opened()));
            };
            self.state.ready = Ready::Connecting;
            if self.error(text(loss), None) && self.close() {
                return;
            }
            tokio::select! {
                biased;
                _ = closed.wait_for(|closed| *closed), if !self.quiet => {
                    if self.close() {
                        return;
                    }
                }
                () = sleep(wait) => {}
            }
            self.state.restart();
        }
    }

    /// Whether the client is closed; a wrong one goes on.
    fn close(&mut self) -> bool {
        let goes_on = (self.hooks.close)(&self.state) == Closing::Reconnects;
        self.state.ready = Ready::Closed;
        self.say(Call::Closed(self.state.opened()));
        self.quiet = true;
        !goes_on
    }

    fn say(&mut self, call: Call) {
        if self.quiet {
            return;
        }
        for call in (self.hooks.call)(&self.state, call) {
            // The run may be over.
            let _ = self.out.send(Notice::Call { at: Instant::now(), id: self.state.id, call });
        }
    }

    /// Reports an error; whether the user closes the client in its handler.
    fn error(&mut self, message: String, status: Option<u16>) -> bool {
        self.state.errors += 1;
        self.say(Call::Error(protocol::Failed { message, status, state: Some(self.state.ready) }));
        self.state.connect.close_on == Some(CloseOn::Error(self.state.errors))
    }

    /// Sends the request and reads its response to the end.
    async fn attempt(&mut self) -> Attempt {
        self.state.answer = Headers::default();
        let request = (self.hooks.request)(&self.state);
        let dialler = Dialler { hooks: self.hooks, dial: self.dial.as_ref(), tls: &self.tls };
        let mut wire = match dialler.open(&self.state, &request).await {
            Ok(wire) => wire,
            Err(Failed::Request(why)) => return Attempt::Failed { why, status: 0 },
            Err(Failed::Unreachable(why)) => return Attempt::Lost(Loss::Unreachable(why)),
        };
        self.state.is_http2 = wire.is_http2();
        let mut response = Response {
            decoder: Decoder::with_limits(Limits::UNLIMITED)
                .resumed(&self.state.last_event_id, None),
            coding: None,
            is_open: false,
        };
        let mut counted = Instant::now();
        loop {
            let silent = async {
                match (self.hooks.read_timeout)(&self.state) {
                    Some(time) => sleep_until(counted + time).await,
                    None => std::future::pending().await,
                }
            };
            let reads = !(self.state.is_paused() && (self.hooks.pauses)(&self.state));
            let read = tokio::select! {
                biased;
                read = wire.read(), if reads => read.map_err(|error| error.to_string()),
                () = silent => Err(std::io::Error::from(std::io::ErrorKind::TimedOut).to_string()),
            };
            let bytes = match read {
                Ok(bytes) if bytes.is_empty() => return self.ended(&mut response, &wire),
                Ok(bytes) => bytes,
                Err(why) => return response.lost(why),
            };
            let events = self.state.events;
            for part in wire.parts(&bytes).await {
                if let Some(attempt) = self.part(part, &mut response) {
                    return self.finished(attempt, wire).await;
                }
            }
            if (self.hooks.counts)(&self.state, self.state.events > events) {
                counted = Instant::now();
            }
        }
    }

    /// A wrong client keeps the connection after it was closed.
    async fn finished(&mut self, attempt: Attempt, wire: Wire) -> Attempt {
        let keeps = (self.hooks.close)(&self.state) == Closing::KeepsConnection;
        if matches!(attempt, Attempt::Closed) && keeps {
            self.close();
            let _keeps = wire;
            std::future::pending::<()>().await;
        }
        attempt
    }

    fn part(&mut self, part: Part, response: &mut Response) -> Option<Attempt> {
        match part {
            Part::Head { status, headers } => {
                self.state.answer = headers;
                self.state.keep_cookies();
                let answer = Answer { status, headers: &self.state.answer };
                match (self.hooks.accept)(&self.state, answer) {
                    Accept::Wait => None,
                    Accept::Open => {
                        response.is_open = true;
                        response.coding = (self.hooks.coding)(&self.state).map(ContentDecoder::new);
                        self.state.ready = Ready::Open;
                        self.state.opened += 1;
                        self.state.failures = 0;
                        self.say(Call::Open(self.state.opened()));
                        None
                    }
                    Accept::Follow(place) => {
                        (self.hooks.follow)(&mut self.state, status, place);
                        Some(Attempt::Again)
                    }
                    Accept::Fail(why) => Some(Attempt::Failed { why, status }),
                    Accept::Retry(why) => Some(Attempt::Lost(Loss::Refused(why))),
                }
            }
            Part::Body(bytes) => {
                let decoded = match &mut response.coding {
                    Some(coding) => coding.feed(&bytes),
                    None => bytes,
                };
                self.received(&decoded, false, response)
            }
            Part::End => {
                let last = response.coding.as_mut().map(ContentDecoder::finish).unwrap_or_default();
                let attempt = self.received(&last, true, response);
                Some(attempt.unwrap_or(Attempt::Lost(Loss::End)))
            }
            Part::Invalid => {
                Some(Attempt::Lost(Loss::Broken("the response is not valid HTTP".to_owned())))
            }
            Part::Cut(why) => Some(response.lost(why)),
        }
    }

    /// The connection is closed.
    fn ended(&mut self, response: &mut Response, wire: &Wire) -> Attempt {
        if wire.ends_with_connection() {
            let attempt = self.received(&[], true, response);
            return attempt.unwrap_or(Attempt::Lost(Loss::End));
        }
        match response.is_open {
            true => response.lost(wire.ending().to_owned()),
            false => response.lost("the server sent no response".to_owned()),
        }
    }

    /// Decodes a piece of the body and calls the user.
    fn received(&mut self, bytes: &[u8], last: bool, response: &mut Response) -> Option<Attempt> {
        let before = self.state.held.len();
        let bytes = (self.hooks.received)(&mut self.state, bytes, last);
        let grown = self.state.held.len().saturating_sub(before);
        self.held.fetch_add(grown as u64, Ordering::Relaxed);
        let mut is_closed = false;
        let mut items = response.decoder.inspect(&bytes);
        while let Some(item) = items.next() {
            for call in (self.hooks.dispatch)(&mut self.state, &item) {
                if self.state.is_paused() {
                    continue;
                }
                let is_event = matches!(call, Call::Event(_));
                self.say(call);
                self.state.events += u64::from(is_event);
                is_closed |= is_event
                    && self.state.connect.close_on == Some(CloseOn::Event(self.state.events));
                if is_closed && (self.hooks.close)(&self.state) != Closing::AfterDelivery {
                    return Some(Attempt::Closed);
                }
            }
        }
        drop(items);
        let id = response.decoder.last_event_id();
        self.state.last_event_id = (self.hooks.remember)(&self.state, id);
        is_closed.then_some(Attempt::Closed)
    }
}

struct Response {
    decoder: Decoder,
    coding: Option<ContentDecoder>,
    is_open: bool,
}

impl Response {
    /// The end of a response that was cut, or did not come.
    fn lost(&self, why: String) -> Attempt {
        Attempt::Lost(match self.is_open {
            true => Loss::Broken(why),
            false => Loss::Unreachable(why),
        })
    }
}

fn text(loss: Loss) -> String {
    match loss {
        Loss::End => "the response ended".to_owned(),
        Loss::Broken(why) | Loss::Unreachable(why) | Loss::Refused(why) => why,
    }
}
