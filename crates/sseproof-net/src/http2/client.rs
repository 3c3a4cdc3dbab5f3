//! One HTTP/2 connection of the recording client, with all its streams.

use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use sseproof_record::http2::{
    Fields, Frame, MAX_FRAME, PREFACE, WINDOW, flag, kind, write_field, write_fields, write_frame,
};
use sseproof_record::{Bytes, Chunk, Ending, Head, Headers, Version};
use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::Limits;
use crate::progress::{Clock, Shared};
use crate::tap::Tap;

/// The settings that are sent, by their numbers (RFC 9113, section 6.5.2).
const ENABLE_PUSH: u16 = 2;
const MAX_CONCURRENT_STREAMS: u16 = 3;
const INITIAL_WINDOW_SIZE: u16 = 4;
const MAX_FRAME_SIZE: u16 = 5;
/// The error code of a client that has seen enough.
const CANCEL: u32 = 8;

/// What is said of a server that answers HTTP/2 in HTTP/1.
const OLD: &str = "the server answers a connection of HTTP/2 in HTTP/1.1; leave --http 2 out, or check a port that speaks HTTP/2";
/// What is said of a server that hangs up on HTTP/2.
const HUNG_UP: &str = "the server closed the connection when HTTP/2 began on it; if it speaks HTTP/1.1 only, leave --http 2 out";

/// A request, ready for a stream.
pub(crate) struct Asked {
    /// The fields, with the pseudo-fields before them.
    pub(crate) block: Vec<u8>,
    pub(crate) body: Vec<u8>,
    pub(crate) shared: Shared,
    pub(crate) limits: Limits,
}

impl Asked {
    /// The block of fields: pseudo-fields first, and none that HTTP/2 forbids.
    pub(crate) fn block(
        method: &str,
        scheme: &str,
        authority: &[u8],
        path: &str,
        headers: &Headers,
    ) -> Vec<u8> {
        let mut block = Vec::new();
        write_field(&mut block, b":method", method.as_bytes());
        write_field(&mut block, b":scheme", scheme.as_bytes());
        write_field(&mut block, b":authority", authority);
        write_field(&mut block, b":path", path.as_bytes());
        for header in &headers.0 {
            let name = header.name.to_ascii_lowercase();
            // RFC 9113, section 8.2.2: what is about the connection has no place here.
            let forbidden = matches!(
                name.as_str(),
                "host"
                    | "connection"
                    | "keep-alive"
                    | "proxy-connection"
                    | "transfer-encoding"
                    | "upgrade"
            );
            if !forbidden {
                write_field(&mut block, name.as_bytes(), &header.value);
            }
        }
        block
    }
}

/// Tells streams apart before they have a number.
static TICKETS: AtomicU64 = AtomicU64::new(0);

enum Command {
    Ask(Box<Asked>, u64),
    Leave(u64),
}

/// Asks on a connection.
#[derive(Clone)]
pub(crate) struct Handle {
    commands: UnboundedSender<Command>,
    /// What its handshake came to.
    tls: Option<String>,
    alpn: Option<String>,
}

/// Leaves the stream when it is dropped.
pub(crate) struct Asking {
    commands: UnboundedSender<Command>,
    ticket: u64,
}

impl Handle {
    /// Begins a stream; `None` where the connection is gone.
    pub(crate) fn ask(&self, asked: Asked) -> Option<Asking> {
        let ticket = TICKETS.fetch_add(1, Ordering::Relaxed);
        asked.shared.change(|progress, _| {
            progress.exchange.transport.tls.clone_from(&self.tls);
            progress.exchange.transport.alpn.clone_from(&self.alpn);
        });
        self.commands.send(Command::Ask(Box::new(asked), ticket)).ok()?;
        Some(Asking { commands: self.commands.clone(), ticket })
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

/// What happens on a connection.
enum Next {
    Command(Option<Command>),
    Read(io::Result<usize>),
    Written(io::Result<usize>),
}

/// The connection itself.
pub(crate) struct Driver {
    socket: Tap,
    commands: UnboundedReceiver<Command>,
    clock: Clock,
    out: Vec<u8>,
    unread: Vec<u8>,
    begun: bool,
    /// Whether the server does not take anything any more.
    mute: bool,
    /// What came before a stream began: its record needs it, to unpack fields.
    history: Vec<Chunk>,
    history_room: u64,
    fields: Fields,
    streams: BTreeMap<u32, Stream>,
    /// What cannot be asked before other streams are over.
    waiting: VecDeque<(Asked, u64)>,
    /// How many streams the server allows at a time.
    most: usize,
    next: u32,
    /// The window that each stream begins with, for what the server sends.
    granted: u32,
    /// What may still be sent, on all streams together.
    window: i64,
    /// What may be sent on a new stream.
    initial: i64,
    frame_size: usize,
    /// Fields whose last frame is still to come: the stream, whether they end it, the bytes.
    block: Option<(u32, bool, Vec<u8>)>,
    gone: Option<(u32, u32)>,
}

struct Stream {
    ticket: u64,
    asked: Asked,
    received: u64,
    window: i64,
    /// Whether the server gets no more window than it began with.
    fixed: bool,
    /// How much of the body was sent.
    sent: usize,
    /// Whether the whole request went out.
    is_out: bool,
    /// Whether it is over; it is kept until the client leaves.
    ended: bool,
}

impl Driver {
    /// A connection on which nothing was said yet, and which exists for that exchange.
    pub(crate) fn new(socket: Tap, first: &Shared) -> (Handle, Self) {
        let (sender, commands) = unbounded_channel();
        let transport = first.lock().exchange.transport.clone();
        let mut settings = setting(ENABLE_PUSH, 0).to_vec();
        if let Some(window) = transport.window {
            settings.extend(setting(INITIAL_WINDOW_SIZE, window));
        }
        let mut out = PREFACE.to_vec();
        write_frame(&mut out, kind::SETTINGS, 0, 0, &settings);
        let driver = Self {
            socket,
            commands,
            clock: first.clock,
            out,
            unread: Vec::new(),
            begun: false,
            mute: false,
            history: Vec::new(),
            history_room: 1 << 20,
            fields: Fields::default(),
            streams: BTreeMap::new(),
            waiting: VecDeque::new(),
            most: usize::MAX,
            next: 1,
            granted: transport.window.unwrap_or(WINDOW),
            window: i64::from(WINDOW),
            initial: i64::from(WINDOW),
            frame_size: MAX_FRAME,
            block: None,
            gone: None,
        };
        (Handle { commands: sender, tls: transport.tls, alpn: transport.alpn }, driver)
    }

    /// Runs until the connection ends, or nobody holds a handle and every stream is over.
    pub(crate) async fn run(mut self) {
        let mut piece = vec![0; 16 << 10];
        let how = loop {
            match poll_fn(|cx| self.poll(cx, &mut piece)).await {
                Next::Command(Some(Command::Ask(asked, ticket))) => {
                    self.waiting.push_back((*asked, ticket));
                    self.ask_waiting();
                }
                Next::Command(Some(Command::Leave(ticket))) => self.leave(ticket),
                Next::Command(None) => break Ending::Left,
                Next::Read(Ok(0)) => break self.closed(),
                Next::Read(Ok(count)) => {
                    if let Err(how) = self.heard(&piece[..count]) {
                        break how;
                    }
                }
                Next::Written(Ok(count)) => self.wrote(count),
                Next::Read(Err(error)) => break self.failed(&error),
                // Whoever hangs up may have said why before.
                Next::Written(Err(_)) => {
                    self.mute = true;
                    self.out.clear();
                }
            }
        };
        let waiting = self.waiting.iter().map(|(asked, _)| asked);
        for asked in self.streams.values().map(|stream| &stream.asked).chain(waiting) {
            let how = how.clone();
            asked.shared.change(|progress, now| progress.end(now, how));
        }
    }

    /// What happens next; writing comes first, so that what was asked is under way.
    fn poll(&mut self, cx: &mut Context<'_>, piece: &mut [u8]) -> Poll<Next> {
        if let Poll::Ready(command) = self.commands.poll_recv(cx) {
            return Poll::Ready(Next::Command(command));
        }
        let mut socket = Pin::new(&mut self.socket);
        if !self.out.is_empty()
            && !self.mute
            && let Poll::Ready(written) = socket.as_mut().poll_write(cx, &self.out)
        {
            return Poll::Ready(Next::Written(written));
        }
        // What TLS still holds goes out here; an error shows in the next read, too.
        let _ = socket.as_mut().poll_flush(cx);
        // Where another stream is open, one that is not read is held up by its window alone.
        let mut open = self.streams.values().filter(|stream| !stream.ended).peekable();
        // Nobody wakes this task again before something is asked or left, and nobody has to.
        if open.peek().is_some() && open.all(|stream| stream.asked.shared.lock().stalled) {
            return Poll::Pending;
        }
        let mut read = ReadBuf::new(piece);
        socket.poll_read(cx, &mut read).map(|done| Next::Read(done.map(|()| read.filled().len())))
    }

    fn closed(&self) -> Ending {
        match self.gone {
            Some((_, code)) => Ending::GoneAway(code),
            None if !self.begun => Ending::Handshake(HUNG_UP.to_owned()),
            None => Ending::Truncated,
        }
    }

    fn failed(&self, error: &io::Error) -> Ending {
        if error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<rustls::Error>) {
            return Ending::Handshake(crate::tls::words(error, &[], &["h2"]));
        }
        match error.kind() {
            _ if !self.begun => Ending::Handshake(HUNG_UP.to_owned()),
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => Ending::Reset,
            _ => self.closed(),
        }
    }

    fn wrote(&mut self, count: usize) {
        let sent = &self.out[..count];
        let all = count == self.out.len();
        for stream in self.streams.values_mut() {
            // What goes out later is about windows and the like, or about other streams.
            let is_whole = all && !stream.is_out && stream.sent == stream.asked.body.len();
            stream.is_out |= is_whole;
            stream.asked.shared.change(|progress, now| {
                progress.add_sent(now, sent);
                if is_whole {
                    progress.exchange.phases.sent = Some(now);
                }
            });
        }
        self.out.drain(..count);
    }

    /// Begins streams, as many as the server allows.
    fn ask_waiting(&mut self) {
        let open = self.streams.values().filter(|stream| !stream.ended).count();
        for _ in open..self.most {
            let Some((asked, ticket)) = self.waiting.pop_front() else { break };
            self.ask(asked, ticket);
        }
    }

    fn ask(&mut self, asked: Asked, ticket: u64) {
        let id = self.next;
        self.next += 2;
        let window = asked.shared.lock().exchange.transport.window;
        asked.shared.change(|progress, _| {
            progress.exchange.transport.stream = Some(id);
            progress.exchange.request.version = Version::Http2;
            progress.exchange.wire.clone_from(&self.history);
        });
        write_fields(&mut self.out, id, asked.body.is_empty(), &asked.block);
        let more = WINDOW.saturating_sub(self.granted);
        if window.is_none() && more > 0 {
            write_frame(&mut self.out, kind::WINDOW_UPDATE, 0, id, &more.to_be_bytes());
        }
        let fixed = window.is_some();
        let window = self.initial;
        let stream = Stream {
            ticket,
            asked,
            received: 0,
            window,
            fixed,
            sent: 0,
            is_out: false,
            ended: false,
        };
        self.streams.insert(id, stream);
        self.send_bodies();
    }

    fn leave(&mut self, ticket: u64) {
        self.waiting.retain(|(_, waiting)| *waiting != ticket);
        let found = self.streams.iter().find(|(_, stream)| stream.ticket == ticket);
        let Some((&id, stream)) = found else { return };
        if !stream.ended {
            write_frame(&mut self.out, kind::RST_STREAM, 0, id, &CANCEL.to_be_bytes());
        }
        self.streams.remove(&id);
        self.ask_waiting();
    }

    /// Sends what the windows let through.
    fn send_bodies(&mut self) {
        for (&id, stream) in &mut self.streams {
            let body = &stream.asked.body;
            while stream.sent < body.len() {
                let room = self.window.min(stream.window).min(self.frame_size as i64);
                let Ok(room @ 1..) = usize::try_from(room) else { break };
                let end = (stream.sent + room).min(body.len());
                let last = if end == body.len() { flag::END_STREAM } else { 0 };
                write_frame(&mut self.out, kind::DATA, last, id, &body[stream.sent..end]);
                let sent = i64::try_from(end - stream.sent).unwrap_or(i64::MAX);
                stream.sent = end;
                stream.window -= sent;
                self.window -= sent;
            }
        }
    }

    /// Takes in what came; an ending where the connection is of no more use.
    fn heard(&mut self, bytes: &[u8]) -> Result<(), Ending> {
        let kept = bytes.len().min(usize::try_from(self.history_room).unwrap_or(usize::MAX));
        self.history_room -= kept as u64;
        if kept > 0 {
            self.history.push(Chunk { at: self.clock.now(), bytes: Bytes::from(&bytes[..kept]) });
        }
        for stream in self.streams.values() {
            stream.asked.shared.saw_wire(bytes);
        }
        self.unread.extend_from_slice(bytes);
        let unread = std::mem::take(&mut self.unread);
        let mut at = 0;
        let mut heard = Ok(());
        if !self.begun && b"HTTP/".starts_with(&unread[..unread.len().min(5)]) {
            heard = Err(Ending::Handshake(OLD.to_owned()));
        }
        while heard.is_ok() {
            let rest = &unread[at..];
            let Some(frame) = Frame::read(rest) else {
                let announced = Frame::announced(rest).unwrap_or(0);
                if announced > MAX_FRAME {
                    heard = Err(malformed(format!(
                        "a frame of {announced} bytes, where no more than {MAX_FRAME} are allowed"
                    )));
                }
                break;
            };
            at += frame.length();
            heard = self.frame(&frame);
        }
        self.unread = unread[at..].to_vec();
        self.send_bodies();
        heard
    }

    fn frame(&mut self, frame: &Frame<'_>) -> Result<(), Ending> {
        if !self.begun && frame.kind != kind::SETTINGS {
            return Err(malformed("the server did not begin with SETTINGS".to_owned()));
        }
        self.begun = true;
        match frame.kind {
            kind::DATA => self.data(frame)?,
            kind::HEADERS | kind::PUSH_PROMISE => {
                let content = frame.content().ok_or_else(padded)?;
                // A promise is not asked for, and read all the same: its fields are in the tables.
                let stream = if frame.kind == kind::HEADERS { frame.stream } else { 0 };
                let ends = frame.kind == kind::HEADERS && frame.ends_stream();
                self.block = Some((stream, ends, content.to_vec()));
                self.block_end(frame)?;
            }
            kind::CONTINUATION => {
                let Some((_, _, block)) = &mut self.block else {
                    return Err(malformed("CONTINUATION without HEADERS".to_owned()));
                };
                block.extend_from_slice(frame.payload);
                if block.len() > (256 << 10) {
                    return Err(malformed("its head has more than 256 KiB".to_owned()));
                }
                self.block_end(frame)?;
            }
            kind::RST_STREAM => {
                let code = frame.number(0).unwrap_or(0);
                self.end(frame.stream, Ending::StreamReset(code));
            }
            kind::SETTINGS if !frame.has(flag::ACK) => {
                for (which, to) in frame.settings() {
                    self.set(which, to);
                }
                write_frame(&mut self.out, kind::SETTINGS, flag::ACK, 0, &[]);
            }
            kind::PING if !frame.has(flag::ACK) => {
                write_frame(&mut self.out, kind::PING, flag::ACK, 0, frame.payload);
            }
            kind::GOAWAY => {
                let (last, code) = (frame.number(0).unwrap_or(0), frame.number(4).unwrap_or(0));
                self.gone = Some((last, code));
                let lost: Vec<u32> = self.streams.range(last + 1..).map(|(&id, _)| id).collect();
                for id in lost {
                    self.end(id, Ending::GoneAway(code));
                }
            }
            kind::WINDOW_UPDATE => {
                let more = i64::from(frame.number(0).unwrap_or(0) & 0x7FFF_FFFF);
                match self.streams.get_mut(&frame.stream) {
                    _ if frame.stream == 0 => self.window += more,
                    Some(stream) => stream.window += more,
                    None => {}
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn set(&mut self, which: u16, to: u32) {
        match which {
            INITIAL_WINDOW_SIZE => {
                let change = i64::from(to) - self.initial;
                self.initial = i64::from(to);
                for stream in self.streams.values_mut() {
                    stream.window += change;
                }
            }
            MAX_CONCURRENT_STREAMS => {
                self.most = usize::try_from(to).unwrap_or(usize::MAX);
                self.ask_waiting();
            }
            MAX_FRAME_SIZE => self.frame_size = (to as usize).clamp(MAX_FRAME, 1 << 20),
            _ => {}
        }
    }

    fn data(&mut self, frame: &Frame<'_>) -> Result<(), Ending> {
        let content = frame.content().ok_or_else(padded)?;
        let spent = u32::try_from(frame.payload.len()).unwrap_or(0);
        if spent > 0 {
            write_frame(&mut self.out, kind::WINDOW_UPDATE, 0, 0, &spent.to_be_bytes());
        }
        let Some(stream) = self.streams.get_mut(&frame.stream) else { return Ok(()) };
        let limits = stream.asked.limits;
        let holds = stream.fixed || stream.asked.shared.lock().stalled;
        if spent > 0 && !holds && !frame.ends_stream() {
            write_frame(&mut self.out, kind::WINDOW_UPDATE, 0, frame.stream, &spent.to_be_bytes());
        }
        let room = usize::try_from(limits.body_bytes - stream.received).unwrap_or(usize::MAX);
        let kept = &content[..content.len().min(room)];
        stream.received += kept.len() as u64;
        let (received, shared) = (stream.received, stream.asked.shared.clone());
        if !kept.is_empty() {
            shared.change(|progress, now| progress.add_body(now, kept));
        }
        let is_too_much = {
            let progress = shared.lock();
            received.max(progress.readable()) >= limits.body_bytes
                || progress.pieces() >= limits.pieces
        };
        if is_too_much {
            write_frame(&mut self.out, kind::RST_STREAM, 0, frame.stream, &CANCEL.to_be_bytes());
            self.end(frame.stream, Ending::OverLimit(received));
        } else if frame.ends_stream() {
            self.end(frame.stream, Ending::Complete);
        }
        Ok(())
    }

    /// The fields are whole, if this was their last frame.
    fn block_end(&mut self, frame: &Frame<'_>) -> Result<(), Ending> {
        if !frame.has(flag::END_HEADERS) {
            return Ok(());
        }
        let Some((id, ends, block)) = self.block.take() else { return Ok(()) };
        let mut headers = self.fields.read(&block).map_err(malformed)?;
        let Some(stream) = self.streams.get(&id) else { return Ok(()) };
        let is_known = stream.asked.shared.lock().exchange.head.is_some();
        if !is_known {
            let status = headers.first(":status").and_then(|status| status.parse::<u16>().ok());
            let Some(status @ 100..) = status else {
                self.end(id, malformed("a head without :status".to_owned()));
                return Ok(());
            };
            // An interim response; the final one is still to come.
            if status >= 200 {
                headers.0.retain(|header| !header.name.starts_with(':'));
                stream.asked.shared.change(|progress, at| {
                    let version = Version::Http2;
                    progress.set_head(Head { at, version, status, headers });
                });
            }
        }
        if ends {
            self.end(id, Ending::Complete);
        }
        Ok(())
    }

    fn end(&mut self, id: u32, how: Ending) {
        // It stays in the list: what comes behind its end belongs to its record.
        let Some(stream) = self.streams.get_mut(&id) else { return };
        stream.ended = true;
        stream.asked.shared.change(|progress, now| progress.end(now, how));
        self.ask_waiting();
    }
}

fn setting(which: u16, to: u32) -> [u8; 6] {
    let ([a, b], [c, d, e, f]) = (which.to_be_bytes(), to.to_be_bytes());
    [a, b, c, d, e, f]
}

fn malformed(what: String) -> Ending {
    Ending::Malformed(format!("what came is no HTTP/2: {what}"))
}

fn padded() -> Ending {
    malformed("a frame with more padding than bytes".to_owned())
}
