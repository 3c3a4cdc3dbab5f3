//! The client's end of an HTTP/2 connection: bytes in, bytes out, events.
//!
//! It continues if a strict client would not: a field that HTTP/2 forbids has to be named by a
//! rule, not only refused. It gives a stream no more window than it is asked to, so that one stream
//! can be held up while others flow.

use std::collections::{BTreeMap, VecDeque};

use super::reader::{Event, Reader};
use super::{MAX_FRAME, PREFACE, WINDOW, flag, kind, setting, settings, write_fields, write_frame};
use crate::{Bytes, Headers};

/// The error code of a client that has seen enough.
const CANCEL: u32 = 8;
/// The most header fields of all responses on a connection, and the most bytes that they may have
/// when decoded: each costs time and memory in every reader of the connection.
pub const CONNECTION_FIELDS: usize = 50_000;
pub const CONNECTION_UNPACKED: usize = 4 << 20;

pub struct Client {
    reader: Reader,
    out: Vec<u8>,
    /// How many bytes of replies were added to it since it was empty.
    replies: usize,
    begun: bool,
    streams: BTreeMap<u32, Stream>,
    /// How many streams the server allows at a time.
    most: usize,
    next: u32,
    /// The window that each stream begins with, for what the server sends.
    granted: u32,
    /// How many bytes may still be sent, on all streams together.
    window: i64,
    /// How many bytes may be sent on a new stream.
    initial: i64,
    frame_size: usize,
    /// How many header fields were read, and their bytes.
    fields: usize,
    unpacked: usize,
    /// How many frames in a row carried no content.
    empty_frames: usize,
    gone: Option<u32>,
    parts: VecDeque<(u32, Part)>,
}

struct Stream {
    body: Bytes,
    sent: usize,
    window: i64,
    has_head: bool,
    is_over: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// The fields of the final response, without pseudo-fields.
    Head {
        status: u16,
        headers: Headers,
    },
    /// A piece of the body, and how many bytes of the window it took.
    Data {
        content: Bytes,
        spent: u32,
    },
    Over(Over),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Over {
    Complete,
    /// RST_STREAM, with its error code.
    Reset(u32),
    /// GOAWAY, with its error code.
    GoneAway(u32),
    Malformed(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The server answers in HTTP/1.
    Http1,
    /// The received bytes are not HTTP/2.
    Malformed(String),
}

impl Client {
    /// A connection whose streams begin with this window.
    pub fn new(window: Option<u32>) -> Self {
        let mut own = setting(settings::ENABLE_PUSH, 0).to_vec();
        if let Some(window) = window {
            own.extend(setting(settings::INITIAL_WINDOW_SIZE, window));
        }
        let mut out = PREFACE.to_vec();
        write_frame(&mut out, kind::SETTINGS, 0, 0, &own);
        Self {
            reader: Reader::default(),
            out,
            replies: 0,
            begun: false,
            streams: BTreeMap::new(),
            most: usize::MAX,
            next: 1,
            granted: window.unwrap_or(WINDOW),
            window: i64::from(WINDOW),
            initial: i64::from(WINDOW),
            frame_size: MAX_FRAME,
            fields: 0,
            unpacked: 0,
            empty_frames: 0,
            gone: None,
            parts: VecDeque::new(),
        }
    }

    pub fn out(&self) -> &[u8] {
        &self.out
    }

    /// So many bytes of it were sent.
    pub fn wrote(&mut self, count: usize) {
        self.out.drain(..count);
        if self.out.is_empty() {
            self.replies = 0;
        }
    }

    /// How many bytes of `out` answer frames of the server.
    pub fn waiting_replies(&self) -> usize {
        self.replies.min(self.out.len())
    }

    /// How many frames without header fields and without a part of a body came one after the other.
    pub fn empty_frames(&self) -> usize {
        self.empty_frames
    }

    pub fn has_room(&self) -> bool {
        self.streams.values().filter(|stream| !stream.is_over).count() < self.most
    }

    pub fn is_begun(&self) -> bool {
        self.begun
    }

    pub fn gone(&self) -> Option<u32> {
        self.gone
    }

    /// Begins a stream with these fields; its window stays as small as the connection has it, or
    /// is what HTTP/2 begins with.
    pub fn ask(&mut self, block: &[u8], body: Bytes, is_narrow: bool) -> u32 {
        let id = self.next;
        write_fields(&mut self.out, id, body.is_empty(), block);
        let more = WINDOW.saturating_sub(self.granted);
        if !is_narrow && more > 0 {
            self.enlarge(id, more);
        }
        self.expect(id, body);
        self.send_bodies();
        id
    }

    /// Takes a stream of that number for begun, so that its answer is read.
    pub fn expect(&mut self, id: u32, body: Bytes) {
        self.opened(id);
        let window = self.initial;
        let stream = Stream { body, sent: 0, window, has_head: false, is_over: false };
        self.streams.insert(id, stream);
    }

    /// Takes all streams up to that number for opened; frames of others are errors.
    pub fn opened(&mut self, id: u32) {
        self.next = self.next.max(id.saturating_add(2));
    }

    /// Whether the whole body of the stream's request was handed out.
    pub fn has_sent(&self, id: u32) -> bool {
        self.streams.get(&id).is_none_or(|stream| stream.sent == stream.body.len())
    }

    pub fn cancel(&mut self, id: u32) {
        if let Some(stream) = self.streams.get_mut(&id).filter(|stream| !stream.is_over) {
            stream.is_over = true;
            write_frame(&mut self.out, kind::RST_STREAM, 0, id, &CANCEL.to_be_bytes());
        }
    }

    /// Lets the server send again what was read of the stream, unless it is over.
    pub fn read(&mut self, id: u32, count: u32) {
        if count > 0 && self.streams.get(&id).is_some_and(|stream| !stream.is_over) {
            self.enlarge(id, count);
        }
    }

    /// On a stream, or (0) on the whole connection.
    fn enlarge(&mut self, id: u32, by: u32) {
        write_frame(&mut self.out, kind::WINDOW_UPDATE, 0, id, &by.to_be_bytes());
    }

    pub fn feed(&mut self, bytes: &Bytes) {
        self.reader.feed(bytes);
    }

    /// The next part of an answer, with the number of its stream; `None` before more comes.
    ///
    /// # Errors
    /// The connection is of no more use.
    pub fn part(&mut self) -> Result<Option<(u32, Part)>, Failure> {
        let unread = self.reader.unread();
        let begun = &unread[..unread.len().min(5)];
        if !self.begun && !begun.is_empty() && b"HTTP/".starts_with(begun) {
            return Err(Failure::Http1);
        }
        loop {
            if let Some(part) = self.parts.pop_front() {
                return Ok(Some(part));
            }
            let Some(event) = self.reader.event() else {
                self.send_bodies();
                return Ok(None);
            };
            let event = event.map_err(Failure::Malformed)?;
            if !self.begun && !matches!(event, Event::Settings(_)) {
                let wrong = "the server did not begin with SETTINGS".to_owned();
                return Err(Failure::Malformed(wrong));
            }
            self.begun = true;
            self.check(&event).map_err(Failure::Malformed)?;
            let before = self.out.len();
            self.event(event);
            self.replies += self.out.len() - before;
        }
    }

    /// The errors that end the connection.
    fn check(&mut self, event: &Event) -> Result<(), String> {
        let (stream, has_content) = match event {
            Event::Fields { stream, fields, .. } => {
                self.fields += fields.0.len();
                let lengths = fields.0.iter().map(|field| field.name.len() + field.value.len());
                self.unpacked += lengths.sum::<usize>();
                (Some(*stream), true)
            }
            Event::Data { stream, content, ends, .. } => {
                (Some(*stream), *ends || !content.is_empty())
            }
            Event::Reset { stream, .. } => (Some(*stream), false),
            Event::WindowUpdate { stream, .. } => (Some(*stream).filter(|id| *id > 0), false),
            _ => (None, false),
        };
        self.empty_frames = if has_content { 0 } else { self.empty_frames + 1 };
        // RFC 9113, sections 5.1 and 8.4: a server opens a stream only after PUSH_PROMISE, which
        // this client forbids.
        if let Some(id) = stream.filter(|id| id % 2 == 0 || *id >= self.next) {
            return Err(format!(
                "a frame of stream {id}, which the client did not open (PROTOCOL_ERROR)"
            ));
        }
        if self.fields > CONNECTION_FIELDS || self.unpacked > CONNECTION_UNPACKED {
            return Err(format!(
                "its connection carried {} header fields of {} bytes",
                self.fields, self.unpacked
            ));
        }
        Ok(())
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Fields { stream, fields, ends } => self.fields(stream, fields, ends),
            Event::Data { stream, content, spent, ends } => {
                if spent > 0 {
                    self.enlarge(0, spent);
                }
                if self.streams.get(&stream).is_some_and(|stream| !stream.is_over) {
                    self.parts.push_back((stream, Part::Data { content, spent }));
                }
                if ends {
                    self.end(stream, Over::Complete);
                }
            }
            Event::Reset { stream, code } => self.end(stream, Over::Reset(code)),
            Event::Settings(all) => {
                all.into_iter().for_each(|(which, to)| self.set(which, to));
                write_frame(&mut self.out, kind::SETTINGS, flag::ACK, 0, &[]);
            }
            Event::Ping(payload) => {
                write_frame(&mut self.out, kind::PING, flag::ACK, 0, &payload);
            }
            Event::GoAway { last, code } => {
                self.gone = Some(code);
                let lost: Vec<u32> = self.streams.range(last + 1..).map(|(&id, _)| id).collect();
                lost.into_iter().for_each(|id| self.end(id, Over::GoneAway(code)));
            }
            Event::WindowUpdate { stream: 0, by } => self.window += i64::from(by),
            Event::WindowUpdate { stream, by } => {
                if let Some(stream) = self.streams.get_mut(&stream) {
                    stream.window += i64::from(by);
                }
            }
            Event::Other => {}
        }
    }

    fn fields(&mut self, id: u32, mut headers: Headers, ends: bool) {
        let Some(stream) = self.streams.get_mut(&id).filter(|stream| !stream.is_over) else {
            return;
        };
        // RFC 9113, section 8.1: only trailers may follow the headers of the final response.
        if stream.has_head && !ends {
            let wrong = "header fields after those of the response, without END_STREAM";
            return self.end(id, Over::Malformed(wrong.to_owned()));
        }
        if !stream.has_head {
            let status = headers.first(":status").and_then(|status| status.parse::<u16>().ok());
            let Some(status @ 100..) = status else {
                return self
                    .end(id, Over::Malformed("response headers without :status".to_owned()));
            };
            // An interim response; the final one is still to come.
            if status >= 200 {
                stream.has_head = true;
                headers.0.retain(|header| !header.name.starts_with(':'));
                self.parts.push_back((id, Part::Head { status, headers }));
            }
        }
        if ends {
            self.end(id, Over::Complete);
        }
    }

    fn end(&mut self, id: u32, over: Over) {
        if let Some(stream) = self.streams.get_mut(&id).filter(|stream| !stream.is_over) {
            stream.is_over = true;
            self.parts.push_back((id, Part::Over(over)));
        }
    }

    fn set(&mut self, which: u16, to: u32) {
        match which {
            settings::INITIAL_WINDOW_SIZE => {
                let change = i64::from(to) - self.initial;
                self.initial = i64::from(to);
                self.streams.values_mut().for_each(|stream| stream.window += change);
            }
            settings::MAX_CONCURRENT_STREAMS => {
                self.most = usize::try_from(to).unwrap_or(usize::MAX);
            }
            settings::MAX_FRAME_SIZE => {
                self.frame_size = (to as usize).clamp(MAX_FRAME, 1 << 20);
            }
            _ => {}
        }
    }

    /// Sends what the windows let through.
    fn send_bodies(&mut self) {
        for (&id, stream) in &mut self.streams {
            while !stream.is_over && stream.sent < stream.body.len() {
                let room = self.window.min(stream.window).min(self.frame_size as i64);
                let Ok(room @ 1..) = usize::try_from(room) else { break };
                let end = (stream.sent + room).min(stream.body.len());
                let last = if end == stream.body.len() { flag::END_STREAM } else { 0 };
                write_frame(&mut self.out, kind::DATA, last, id, &stream.body[stream.sent..end]);
                let sent = i64::try_from(end - stream.sent).unwrap_or(i64::MAX);
                stream.sent = end;
                stream.window -= sent;
                self.window -= sent;
            }
        }
    }
}

#[cfg(test)]
mod tests;
