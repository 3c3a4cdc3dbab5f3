//! The plan of an answer as the steps of a server: the one interpreter of [`Action`]s.
//!
//! A script is pure: the lab server plays its steps onto a socket or a stream of HTTP/2, and the
//! tests of rules onto a clock of their own.
//! All that is wrong on purpose on a wire comes out of here.

use std::collections::VecDeque;
use std::time::Duration;

use crate::http2::{kind, write_field, write_fields, write_frame};
use crate::{Action, Bytes, Framing, Headers, Plan, Request, Version};

/// The error code of a server that gave up on a response (RFC 9113, section 7).
const INTERNAL_ERROR: u32 = 2;

#[derive(Clone, Debug)]
#[must_use]
pub struct Script {
    actions: std::vec::IntoIter<Action>,
    steps: VecDeque<Step>,
    /// Body bytes that no flush border has followed yet.
    written: Vec<u8>,
    framing: Framing,
    is_head: bool,
    is_over: bool,
    wire: Wire,
    then: Then,
    is_finished: bool,
    is_done: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wire {
    Http1,
    Http2 { stream: u32 },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Send(Bytes),
    /// These bytes of the body go onto the connection, over HTTP/1 with their framing. Over HTTP/2
    /// they are to be put into DATA frames as the windows permit, of which the last one ends the
    /// stream if `ends`.
    Body {
        bytes: Bytes,
        ends: bool,
    },
    /// Nothing for that long.
    Wait(Duration),
    /// Nothing until the client disconnects.
    Hold,
    /// Each entry of the topic after this place, and each that is published from now on, is written
    /// with [`Script::entry`], until the client disconnects.
    Follow {
        topic: String,
        after: After,
    },
    Publish {
        topic: String,
        bytes: Bytes,
    },
    Restart {
        forget: bool,
    },
    /// The answer is over; nothing follows.
    End(Then),
}

/// A place in a topic of the server's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum After {
    /// After so many entries.
    Entries(u64),
    /// The same; entries that are not published yet count.
    Exactly(u64),
    /// After the last entry with this line in it; after none if there is no such entry.
    Line(Bytes),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// It waits for the next request.
    KeepAlive,
    Close,
    Reset,
}

impl Script {
    /// The answer to this request on a connection of HTTP/1.
    pub fn http1(plan: Plan, request: &Request) -> Self {
        let closes = request.headers.list("connection").iter().any(|option| option == "close");
        let keeps = request.version != Version::Http10 && !closes;
        let then = if keeps { Then::KeepAlive } else { Then::Close };
        Self::new(plan, request, Wire::Http1, then)
    }

    /// The answer to this request on a stream of HTTP/2.
    pub fn http2(plan: Plan, request: &Request, stream: u32) -> Self {
        Self::new(plan, request, Wire::Http2 { stream }, Then::KeepAlive)
    }

    fn new(plan: Plan, request: &Request, wire: Wire, then: Then) -> Self {
        Self {
            actions: plan.actions.into_iter(),
            steps: VecDeque::new(),
            written: Vec::new(),
            framing: Framing::None,
            is_head: request.method == "HEAD",
            is_over: false,
            wire,
            then,
            is_finished: false,
            is_done: false,
        }
    }

    /// The bytes of an entry of a log that is followed, with its number as its id if it has none.
    pub fn entry(&mut self, number: u64, entry: &[u8]) -> Bytes {
        let has_id = entry.split(|&byte| byte == b'\n').any(|line| line.starts_with(b"id:"));
        if !has_id {
            self.written.extend(format!("id: {number}\n").into_bytes());
        }
        self.written.extend_from_slice(entry);
        self.framed(false).unwrap_or_default()
    }

    fn lower(&mut self, action: Action) {
        let flushes = !matches!(
            action,
            Action::Head { .. }
                | Action::Write(_)
                | Action::Raw(_)
                | Action::Finish
                | Action::Follow { .. }
                | Action::Await { .. }
                | Action::FollowAfterLine { .. }
                | Action::Publish { .. }
                | Action::Restart { .. }
                | Action::Outlive { .. }
        );
        if flushes {
            self.flush(false);
        }
        match action {
            Action::Head { status, headers, framing } => self.head(status, headers, framing),
            Action::Write(bytes) => self.written.extend_from_slice(&bytes),
            Action::Raw(bytes) => self.steps.push_back(Step::Send(bytes)),
            Action::Frame { kind, flags, payload } => self.frame(kind, flags, &payload),
            Action::Finish => self.flush(true),
            Action::Wait(time) => self.steps.push_back(Step::Wait(time)),
            Action::Hold => self.steps.push_back(Step::Hold),
            Action::Follow { topic, after } => {
                self.steps.push_back(Step::Follow { topic, after: After::Entries(after) });
            }
            Action::Await { topic, after } => {
                self.steps.push_back(Step::Follow { topic, after: After::Exactly(after) });
            }
            Action::FollowAfterLine { topic, line } => {
                self.steps.push_back(Step::Follow { topic, after: After::Line(line) });
            }
            Action::Publish { topic, bytes } => {
                self.steps.push_back(Step::Publish { topic, bytes });
            }
            Action::Restart { forget } => self.steps.push_back(Step::Restart { forget }),
            Action::Close => self.end(Then::Close),
            Action::Reset => self.end(Then::Reset),
            // The server itself looks at what outlives a client.
            Action::Flush | Action::Outlive { .. } => {}
        }
    }

    fn head(&mut self, status: u16, headers: Headers, framing: Framing) {
        self.framing = framing;
        let bytes = match self.wire {
            Wire::Http1 => {
                if framing == Framing::Close {
                    self.then = Then::Close;
                }
                self.is_over = self.is_head;
                http1_head(status, headers, framing, self.then)
            }
            Wire::Http2 { stream } => {
                self.is_over = self.is_head || framing == Framing::None;
                http2_head(status, &headers, framing, stream, self.is_over)
            }
        };
        self.steps.push_back(Step::Send(bytes.into()));
    }

    fn frame(&mut self, kind: u8, flags: u8, payload: &[u8]) {
        let Wire::Http2 { stream } = self.wire else { return };
        let mut out = Vec::new();
        write_frame(&mut out, kind, flags, stream, payload);
        self.is_over |= kind == kind::RST_STREAM;
        self.steps.push_back(Step::Send(out.into()));
    }

    fn flush(&mut self, ends: bool) {
        let body = self.framed(ends).map(|bytes| Step::Body { bytes, ends });
        self.steps.extend(body);
    }

    /// All that was written, as one chunk if there are chunks; the body of an answer to HEAD is
    /// swallowed.
    fn framed(&mut self, ends: bool) -> Option<Bytes> {
        let mut bytes = std::mem::take(&mut self.written);
        if self.is_over || (bytes.is_empty() && !ends) {
            return None;
        }
        if self.wire == Wire::Http1 && self.framing == Framing::Chunked {
            if !bytes.is_empty() {
                bytes = [format!("{:x}\r\n", bytes.len()).as_bytes(), &bytes, b"\r\n"].concat();
            }
            if ends {
                bytes.extend_from_slice(b"0\r\n\r\n");
            }
        }
        self.is_over |= ends && self.wire != Wire::Http1;
        self.is_finished |= ends;
        Some(bytes.into())
    }

    fn run_out(&mut self) {
        match self.wire {
            Wire::Http1 => {
                self.flush(false);
                // Chunks without a last one can only be ended by the end of the connection.
                let is_open =
                    self.framing == Framing::Chunked && !self.is_finished && !self.is_over;
                self.end(if is_open { Then::Close } else { self.then });
            }
            Wire::Http2 { .. } => {
                // A body of unknown length without an end is a response that was given up.
                self.flush(self.framing != Framing::Chunked);
                if !self.is_over {
                    self.frame(kind::RST_STREAM, 0, &INTERNAL_ERROR.to_be_bytes());
                }
                self.end(self.then);
            }
        }
    }

    fn end(&mut self, then: Then) {
        self.steps.push_back(Step::End(then));
        self.is_done = true;
    }
}

impl Iterator for Script {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        while self.steps.is_empty() && !self.is_done {
            match self.actions.next() {
                Some(action) => self.lower(action),
                None => self.run_out(),
            }
        }
        self.steps.pop_front()
    }
}

fn http1_head(status: u16, mut headers: Headers, framing: Framing, then: Then) -> Vec<u8> {
    match framing {
        Framing::Chunked => headers.add("Transfer-Encoding", "chunked"),
        Framing::Length(length) => headers.add("Content-Length", length.to_string()),
        Framing::Close | Framing::None => {}
    }
    if then == Then::Close && !headers.has("connection") {
        headers.add("Connection", "close");
    }
    let reason =
        http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    let mut head = format!("HTTP/1.1 {status} {}\r\n", reason.unwrap_or_default()).into_bytes();
    for header in &headers.0 {
        head.extend([header.name.as_bytes(), b": ", &header.value, b"\r\n"].concat());
    }
    head.extend_from_slice(b"\r\n");
    head
}

/// Names in lower case, as HTTP/2 demands; otherwise what the plan says, forbidden or not.
fn http2_head(
    status: u16,
    headers: &Headers,
    framing: Framing,
    stream: u32,
    ends: bool,
) -> Vec<u8> {
    let mut block = Vec::new();
    write_field(&mut block, b":status", status.to_string().as_bytes());
    for header in &headers.0 {
        write_field(&mut block, header.name.to_ascii_lowercase().as_bytes(), &header.value);
    }
    if let Framing::Length(length) = framing {
        write_field(&mut block, b"content-length", length.to_string().as_bytes());
    }
    let mut out = Vec::new();
    write_fields(&mut out, stream, ends, &block);
    out
}
