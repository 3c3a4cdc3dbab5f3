//! The reference client, and its mutants, in this process.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sseproof_client_rules::client::{Answer, Closing};
use sseproof_client_rules::protocol::{Failed, Ready};
use sseproof_client_rules::{
    Accept, Call, Can, CloseOn, Command, Connect, Hello, Hooks, Kind, Loss, Mistrust, State,
};
use sseproof_codec::{Decoder, Limits};
use sseproof_http::http1::{Part, Progress, Reader, Start};
use sseproof_http::{ContentDecoder, Headers};
use sseproof_net::{
    Dial, ReceiveBuffer, Refused, Secured, Socket, Tls, TlsOptions, Untrusted, Written, written,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use crate::carrier::NO_PROCESS;
use crate::{BoxFuture, Carrier, Notice, StartError};

/// All that the reference client can do.
const CAN: [Can; 16] = [
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
];

pub struct Embedded {
    kind: Kind,
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
        Self { kind, hooks, dial, tls, connections: HashMap::new(), out: None, held: None }
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
        let kind = self.kind;
        Box::pin(async move {
            Ok(Hello {
                name: "the reference client".to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                kind,
                can: CAN.to_vec(),
                retries_on: match kind {
                    Kind::Resilient => ["network", "end", "503"].map(str::to_owned).to_vec(),
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
        self.say(Call::Error(Failed { message, status, state: Some(self.state.ready) }));
        self.state.connect.close_on == Some(CloseOn::Error(self.state.errors))
    }

    /// Sends the request and reads its response to the end.
    async fn attempt(&mut self) -> Attempt {
        self.state.answer = Headers::default();
        let request = (self.hooks.request)(&self.state);
        let unreachable = |why: String| Attempt::Lost(Loss::Unreachable(why));
        let written = match written(&request) {
            Ok(written) => written,
            Err(error) => return Attempt::Failed { why: error.to_string(), status: 0 },
        };
        let mut socket = match self.connected(&written).await {
            Ok(socket) => socket,
            Err(why) => return unreachable(why),
        };
        if let Err(error) = socket.write_all(&written.bytes).await {
            return unreachable(error.to_string());
        }
        let mut response = Response {
            reader: Reader::response(&request.method),
            decoder: Decoder::with_limits(Limits::UNLIMITED)
                .resumed(&self.state.last_event_id, None),
            coding: None,
            is_open: false,
        };
        let mut counted = Instant::now();
        loop {
            let mut bytes = Vec::with_capacity(16 << 10);
            let silent = async {
                match (self.hooks.read_timeout)(&self.state) {
                    Some(time) => sleep_until(counted + time).await,
                    None => std::future::pending().await,
                }
            };
            let read = tokio::select! {
                biased;
                read = socket.read_buf(&mut bytes) => read,
                () = silent => Err(std::io::ErrorKind::TimedOut.into()),
            };
            let events = self.state.events;
            let ended = match read {
                Ok(0) => Some(Ok(())),
                Ok(_) => None,
                Err(error) => Some(Err(error.to_string())),
            };
            let mut input = &bytes[..];
            while let Some(part) = response.reader.next(&mut input) {
                if let Some(attempt) = self.part(part, &mut response) {
                    return self.finished(attempt, socket).await;
                }
            }
            if (self.hooks.counts)(&self.state, self.state.events > events) {
                counted = Instant::now();
            }
            if let Some(ended) = ended {
                return self.ended(&mut response, ended);
            }
        }
    }

    /// A connection to the server of the request.
    async fn connected(&self, written: &Written) -> Result<Box<dyn Socket>, String> {
        if !written.secure {
            return self.dialled(written).await;
        }
        let refused = match self.shaken(&self.tls, written).await? {
            Ok(secured) => return Ok(Box::new(secured)),
            Err(refused) => refused,
        };
        let fault = match refused.untrusted {
            Some(Untrusted::Issuer) => Mistrust::UnknownIssuer,
            Some(Untrusted::Expired) => Mistrust::Expired,
            Some(Untrusted::Name) => Mistrust::OtherName,
            None => Mistrust::Other,
        };
        if !(self.hooks.trusts)(&self.state, fault) {
            return Err(refused.message);
        }
        let any = TlsOptions { insecure: true, ..TlsOptions::default() };
        let any = Tls::new(any).map_err(|error| error.to_string())?;
        let secured = self.shaken(&any, written).await?.map_err(|refused| refused.message)?;
        Ok(Box::new(secured))
    }

    async fn dialled(&self, written: &Written) -> Result<Box<dyn Socket>, String> {
        let dialled = self.dial.dial(&written.host, written.port, ReceiveBuffer::Usual).await;
        dialled.map(|dialled| dialled.socket).map_err(|error| error.to_string())
    }

    async fn shaken(
        &self,
        tls: &Tls,
        written: &Written,
    ) -> Result<Result<Secured, Refused>, String> {
        let socket = self.dialled(written).await?;
        Ok(tls.secured(&written.host, socket, &["http/1.1"]).await)
    }

    /// A wrong client keeps the connection after it was closed.
    async fn finished(&mut self, attempt: Attempt, socket: Box<dyn Socket>) -> Attempt {
        let keeps = (self.hooks.close)(&self.state) == Closing::KeepsConnection;
        if matches!(attempt, Attempt::Closed) && keeps {
            self.close();
            let _keeps = socket;
            std::future::pending::<()>().await;
        }
        attempt
    }

    fn part(&mut self, part: Part<'_>, response: &mut Response) -> Option<Attempt> {
        match part {
            Part::Head(head) => {
                let Start::Response { status, .. } = head.start else { return None };
                self.state.answer = head.headers.clone();
                let answer = Answer { status, headers: &head.headers };
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
                    Some(coding) => coding.feed(bytes),
                    None => bytes.to_vec(),
                };
                self.received(&decoded, false, response)
            }
            Part::End => {
                let last = response.coding.as_mut().map(ContentDecoder::finish).unwrap_or_default();
                let attempt = self.received(&last, true, response);
                Some(attempt.unwrap_or(Attempt::Lost(Loss::End)))
            }
            Part::Flaw(flaw) => flaw
                .is_fatal()
                .then(|| Attempt::Lost(Loss::Broken("the response is not valid HTTP".to_owned()))),
            Part::After(_) => None,
        }
    }

    fn ended(&mut self, response: &mut Response, how: Result<(), String>) -> Attempt {
        match (response.reader.progress(), how) {
            (_, Err(error)) if response.is_open => Attempt::Lost(Loss::Broken(error)),
            (Progress::UntilClose, Ok(())) => {
                let attempt = self.received(&[], true, response);
                attempt.unwrap_or(Attempt::Lost(Loss::End))
            }
            (_, _) if response.is_open => {
                Attempt::Lost(Loss::Broken("the response is cut".to_owned()))
            }
            _ => Attempt::Lost(Loss::Unreachable("the server sent no response".to_owned())),
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
    reader: Reader,
    decoder: Decoder,
    coding: Option<ContentDecoder>,
    is_open: bool,
}

fn text(loss: Loss) -> String {
    match loss {
        Loss::End => "the response ended".to_owned(),
        Loss::Broken(why) | Loss::Unreachable(why) | Loss::Refused(why) => why,
    }
}
