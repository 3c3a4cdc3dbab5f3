//! One HTTP/2 connection of the recording client: it moves the bytes, and gives each exchange the
//! parts of its stream.

use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};

use sseproof_http::http2::{Client, Part};
use sseproof_http::{Bytes, Version};
use sseproof_record::{Ending, closed_http2, failed};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::Limits;
use crate::limits::{EMPTY_FRAMES, REPLIES};
use crate::progress::Shared;
use crate::recorder::{Recorder, Traffic};

pub(crate) struct Asked {
    /// The fields, with the pseudo-fields before them.
    pub(crate) block: Vec<u8>,
    pub(crate) body: Bytes,
    pub(crate) shared: Shared,
    pub(crate) limits: Limits,
}

static TICKETS: AtomicU64 = AtomicU64::new(0);

enum Command {
    Ask(Box<Asked>, u64),
    Leave(u64),
    /// A stream may be read again.
    ReadOn,
}

#[derive(Clone)]
pub(crate) struct Handle {
    commands: UnboundedSender<Command>,
    /// Whether the server has sent GOAWAY, so that new streams need another connection.
    draining: Arc<AtomicBool>,
    /// The result of its handshake.
    tls: Option<String>,
    alpn: Option<String>,
}

/// Leaves the stream when it is dropped.
pub(crate) struct Asking {
    commands: UnboundedSender<Command>,
    ticket: u64,
}

impl Handle {
    /// Begins a stream; `None` if the connection is closed.
    pub(crate) fn ask(&self, asked: Asked) -> Option<Asking> {
        let ticket = TICKETS.fetch_add(1, Ordering::Relaxed);
        asked.shared.change(|progress, _| {
            progress.exchange.transport.tls.clone_from(&self.tls);
            progress.exchange.transport.alpn.clone_from(&self.alpn);
        });
        self.commands.send(Command::Ask(Box::new(asked), ticket)).ok()?;
        Some(Asking { commands: self.commands.clone(), ticket })
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::SeqCst)
    }

    /// Looks for streams that are no longer stalled.
    pub(crate) fn read_on(&self) {
        // Without a connection there is nothing to read.
        let _ = self.commands.send(Command::ReadOn);
    }

    /// Completes when the connection is gone.
    pub(crate) async fn closed(&self) {
        self.commands.closed().await;
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        // Where the connection is gone, so is the stream.
        let _ = self.commands.send(Command::Leave(self.ticket));
    }
}

enum Next {
    Command(Option<Command>),
    Traffic(Traffic),
}

pub(crate) struct Driver {
    recorder: Recorder,
    client: Client,
    commands: UnboundedReceiver<Command>,
    draining: Arc<AtomicBool>,
    /// Whether the server does not take anything any more.
    mute: bool,
    streams: BTreeMap<u32, Stream>,
    /// Requests that have to wait until other streams are over.
    waiting: VecDeque<(Asked, u64)>,
}

/// It is kept until the client disconnects: bytes after its end belong to its record.
struct Stream {
    ticket: u64,
    shared: Shared,
    is_narrow: bool,
    is_out: bool,
    /// How many bytes of its window a stalled client keeps.
    held: u32,
}

impl Driver {
    /// A connection on which nothing was said yet, and which exists for that exchange.
    pub(crate) fn new(recorder: Recorder, first: &Shared) -> (Handle, Self) {
        let (sender, commands) = unbounded_channel();
        let transport = first.lock().exchange.transport.clone();
        let draining = Arc::new(AtomicBool::new(false));
        let driver = Self {
            recorder,
            client: Client::new(transport.window),
            commands,
            draining: Arc::clone(&draining),
            mute: false,
            streams: BTreeMap::new(),
            waiting: VecDeque::new(),
        };
        (Handle { commands: sender, draining, tls: transport.tls, alpn: transport.alpn }, driver)
    }

    pub(crate) async fn run(mut self) {
        let how = loop {
            match poll_fn(|cx| self.poll(cx)).await {
                Next::Command(Some(Command::Ask(asked, ticket))) => {
                    self.waiting.push_back((*asked, ticket));
                    self.ask_waiting();
                }
                Next::Command(Some(Command::Leave(ticket))) => self.leave(ticket),
                Next::Command(Some(Command::ReadOn)) => self.read_on(),
                Next::Command(None) => break Ending::Disconnected,
                Next::Traffic(traffic) => {
                    if let Some(how) = self.heard(traffic) {
                        break how;
                    }
                }
            }
        };
        let waiting = self.waiting.iter().map(|(asked, _)| &asked.shared);
        for shared in self.streams.values().map(|stream| &stream.shared).chain(waiting) {
            shared.change(|progress, now| progress.end(now, how.clone()));
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Next> {
        if let Poll::Ready(command) = self.commands.poll_recv(cx) {
            return Poll::Ready(Next::Command(command));
        }
        let out = if self.mute { &[] } else { self.client.out() };
        // Where another stream is open, one that is not read is held up by its window alone.
        let open = self.streams.values().map(|stream| stream.shared.lock());
        let mut open = open.filter(|progress| !progress.ended).peekable();
        let reads = open.peek().is_none() || open.any(|progress| !progress.stalled);
        self.recorder.poll(cx, out, reads).map(Next::Traffic)
    }

    /// The end of the connection, if it is over.
    fn heard(&mut self, traffic: Traffic) -> Option<Ending> {
        match traffic {
            Traffic::Sent(count, kept) => {
                let is_all = count == self.client.out().len();
                self.client.wrote(count);
                for (&id, stream) in &mut self.streams {
                    // Later frames are about windows and the like, or about other streams.
                    let is_whole = is_all && !stream.is_out && self.client.has_sent(id);
                    stream.is_out |= is_whole;
                    stream.shared.change(|progress, now| {
                        kept.iter().for_each(|chunk| progress.sent(chunk));
                        if is_whole {
                            progress.exchange.phases.sent = Some(now);
                        }
                    });
                }
            }
            Traffic::Received(chunk) => {
                for stream in self.streams.values() {
                    stream.shared.change(|progress, _| progress.received(&chunk));
                }
                self.client.feed(&chunk.bytes);
                loop {
                    match self.client.part() {
                        Ok(Some((id, part))) => self.part(id, part),
                        Ok(None) => break,
                        Err(failure) => return Some(failed(failure)),
                    }
                }
                // A server that asks for replies and does not read them is not answered for ever.
                let is_too_much = self.recorder.is_full()
                    || self.client.waiting_replies() > REPLIES
                    || self.client.empty_frames() > EMPTY_FRAMES;
                if is_too_much {
                    for stream in self.streams.values() {
                        stream.shared.change(|progress, now| progress.end_over_limit(now));
                    }
                    // The next request needs another connection.
                    self.draining.store(true, Ordering::SeqCst);
                    return Some(Ending::OverLimit(0));
                }
                self.ask_waiting();
            }
            Traffic::Closed(closed) => return Some(closed_http2(&self.client, closed.how)),
            Traffic::Refused(error) => {
                return Some(Ending::Handshake(crate::tls::words(&error, &[], &["h2"])));
            }
            Traffic::Mute => {
                self.mute = true;
                self.client.wrote(self.client.out().len());
            }
        }
        None
    }

    fn part(&mut self, id: u32, part: Part) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let spent = if let Part::Data { spent, .. } = part { spent } else { 0 };
        let (mut is_left, mut holds) = (false, stream.is_narrow);
        stream.shared.change(|progress, now| {
            progress.part(now, part);
            is_left = progress.ended;
            holds |= progress.stalled;
        });
        if is_left {
            // Nothing is sent if the server has ended it.
            self.client.cancel(id);
        } else if holds {
            stream.held += spent;
        } else {
            self.client.read(id, spent);
        }
    }

    fn read_on(&mut self) {
        for (&id, stream) in &mut self.streams {
            if !stream.is_narrow && !stream.shared.lock().stalled {
                self.client.read(id, std::mem::take(&mut stream.held));
            }
        }
    }

    fn ask_waiting(&mut self) {
        if let Some(code) = self.client.gone() {
            self.draining.store(true, Ordering::SeqCst);
            for (asked, _) in self.waiting.drain(..) {
                asked.shared.change(|progress, now| progress.end(now, Ending::GoneAway(code)));
            }
        }
        while self.client.has_room() {
            let Some((asked, ticket)) = self.waiting.pop_front() else { break };
            self.ask(asked, ticket);
        }
    }

    fn ask(&mut self, asked: Asked, ticket: u64) {
        let shared = asked.shared;
        let is_narrow = shared.lock().exchange.transport.window.is_some();
        self.recorder.make_room(&asked.limits);
        let id = self.client.ask(&asked.block, asked.body, is_narrow);
        shared.change(|progress, _| {
            progress.exchange.transport.stream = Some(id);
            progress.exchange.request.version = Version::Http2;
            progress.begin(&self.recorder.connection);
        });
        self.streams.insert(id, Stream { ticket, shared, is_narrow, is_out: false, held: 0 });
    }

    fn leave(&mut self, ticket: u64) {
        self.waiting.retain(|(_, waiting)| *waiting != ticket);
        let found = self.streams.iter().find(|(_, stream)| stream.ticket == ticket);
        let Some((&id, _)) = found else { return };
        self.client.cancel(id);
        self.streams.remove(&id);
        self.ask_waiting();
    }
}
