//! The messages of one direction of a connection, from bytes in pieces of any size.

use memchr::memchr;

use super::body::{Body, Chunk, ChunkFlaw, Piece, SIZE_LINE};
use super::flaw::{Flaw, FlawKind};
use super::head::{RequestHead, ResponseHead, is_interim};
use crate::{Headers, Version};

/// Reads the answer to one request, or requests one after the other.
///
/// All offsets count from the first byte that it was given.
#[derive(Clone, Debug)]
pub struct Reader {
    /// The method that is answered; `None` for requests.
    method: Option<String>,
    state: State,
    at: usize,
    /// The incomplete start line and fields, their offset, and where the last line begins in them.
    held: Vec<u8>,
    begin: usize,
    line: usize,
    head_limit: usize,
    flaw: Option<Flaw>,
    /// Where the size of the chunk under way stands, and how long the chunk is.
    size_at: usize,
    size: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Head,
    Body(Body),
    Whole { end: usize },
    Lost,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// Start line and fields, with their flaws; an interim response (1xx) is followed by another.
    Head(Head),
    /// A piece of the body, without its framing.
    Body(&'a [u8]),
    End,
    /// Bytes after the end of a response.
    After(&'a [u8]),
    /// A flaw outside of complete start line and fields; nothing follows a fatal one.
    Flaw(Flaw),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub start: Start,
    pub headers: Headers,
    pub begin: usize,
    pub end: usize,
    pub flaws: Vec<Flaw>,
}

/// The start line; a version is `None` if it is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    Response { version: Option<Version>, status: u16 },
    Request { version: Option<Version>, method: String, target: String },
}

/// How far a reader is, and so what the end of the connection means here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    Head,
    /// The body is not complete, and ends at this place: `inside a chunk`.
    Body(&'static str),
    /// The body lasts until the connection is closed.
    UntilClose,
    /// The message is whole, and ends at this offset.
    Whole {
        end: usize,
    },
    /// A fatal flaw came before the end.
    Lost,
}

/// All that stood on a connection in answer to one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The head of the final answer; its flaws are also those of the interim answers before it.
    pub head: Option<Head>,
    pub flaw: Option<Flaw>,
    pub progress: Progress,
}

impl Reader {
    pub fn response(method: &str) -> Self {
        Self::new(Some(method.to_owned()))
    }

    pub fn request() -> Self {
        Self::new(None)
    }

    fn new(method: Option<String>) -> Self {
        Self {
            method,
            state: State::Head,
            at: 0,
            held: Vec::new(),
            begin: 0,
            line: 0,
            head_limit: usize::MAX,
            flaw: None,
            size_at: 0,
            size: 0,
        }
    }

    #[must_use]
    pub fn with_head_limit(self, head_limit: usize) -> Self {
        Self { head_limit, ..self }
    }

    /// Takes the next part off the input; `None` if more bytes are needed.
    pub fn next<'a>(&mut self, input: &mut &'a [u8]) -> Option<Part<'a>> {
        if let Some(flaw) = self.flaw.take() {
            return Some(Part::Flaw(flaw));
        }
        match self.state {
            State::Head => self.head(input),
            State::Body(body) => self.body(body, input),
            State::Whole { .. } if input.is_empty() => None,
            State::Whole { .. } => Some(Part::After(self.take(input, input.len()))),
            State::Lost => {
                self.take(input, input.len());
                None
            }
        }
    }

    pub fn progress(&self) -> Progress {
        match self.state {
            State::Head => Progress::Head,
            State::Body(Body::UntilClose) => Progress::UntilClose,
            State::Body(Body::Length(_)) => Progress::Body("inside a body of a stated length"),
            State::Body(Body::Chunked(chunk)) => Progress::Body(place(chunk)),
            State::Whole { end } => Progress::Whole { end },
            State::Lost => Progress::Lost,
        }
    }

    fn take<'a>(&mut self, input: &mut &'a [u8], length: usize) -> &'a [u8] {
        let (taken, rest) = input.split_at(length);
        *input = rest;
        self.at += length;
        taken
    }

    /// Line by line, so that fields in many pieces are not searched again with each of them.
    fn head(&mut self, input: &mut &[u8]) -> Option<Part<'static>> {
        while !input.is_empty() {
            let feed = memchr(b'\n', input);
            let piece = self.take(input, feed.map_or(input.len(), |feed| feed + 1));
            self.held.extend_from_slice(piece);
            let line = &self.held[self.line..];
            let is_blank = matches!(line, b"\n" | b"\r\n");
            let is_begun = !self.held[..self.line].trim_ascii().is_empty();
            if feed.is_some() {
                self.line = self.held.len();
            }
            if self.held.len() > self.head_limit {
                let kind = FlawKind::TooLong { limit: self.head_limit };
                return Some(self.lost(Flaw { offset: self.at, kind }));
            }
            // The first line is looked at before it ends: it may be another protocol.
            if is_blank || !is_begun {
                match self.parse() {
                    Ok(None) => {}
                    Ok(Some(head)) => return Some(Part::Head(head)),
                    Err(flaw) => return Some(self.lost(flaw)),
                }
            }
        }
        None
    }

    fn parse(&mut self) -> Result<Option<Head>, Flaw> {
        let begin = self.begin;
        let held = std::mem::take(&mut self.held);
        let moved = |flaw: Flaw| flaw.moved(begin);
        let read = match &self.method {
            Some(method) => ResponseHead::parse(&held).map_err(moved)?.map(|head| {
                let body = if is_interim(head.status) { None } else { Some(head.body(method)) };
                let start = Start::Response { version: head.version, status: head.status };
                (start, head.fields.headers(), head.flaws, body)
            }),
            None => RequestHead::parse(&held).map_err(moved)?.map(|head| {
                let (method, target) = (head.method.to_owned(), head.target.to_owned());
                let start = Start::Request { version: head.version, method, target };
                let body = Some(head.body());
                (start, head.fields.headers(), head.flaws, body)
            }),
        };
        let Some((start, headers, flaws, body)) = read else {
            self.held = held;
            return Ok(None);
        };
        self.line = 0;
        self.begin = self.at;
        self.size_at = self.at;
        match body {
            None => {}
            Some(Ok(body)) => self.state = State::Body(body),
            Some(Err(flaw)) => {
                self.state = State::Lost;
                self.flaw = Some(moved(flaw));
            }
        }
        let flaws = flaws.into_iter().map(moved).collect();
        Ok(Some(Head { start, headers, begin, end: self.at, flaws }))
    }

    fn lost(&mut self, flaw: Flaw) -> Part<'static> {
        self.state = State::Lost;
        Part::Flaw(flaw)
    }

    fn body<'a>(&mut self, mut body: Body, input: &mut &'a [u8]) -> Option<Part<'a>> {
        loop {
            // Around the data of a chunk byte by byte, to know where a size begins and a flaw is.
            let is_data = match body {
                Body::Chunked(chunk) => matches!(chunk, Chunk::Data(1..)),
                Body::Length(_) | Body::UntilClose => true,
            };
            let offered = if is_data { input.len() } else { input.len().min(1) };
            let mut rest = &input[..offered];
            if body == Body::CHUNKED {
                self.size_at = self.at;
            }
            let found = body.next(&mut rest);
            self.take(input, offered - rest.len());
            if let (false, Body::Chunked(Chunk::Data(size))) = (is_data, body) {
                self.size = size;
            }
            self.state = State::Body(body);
            match found {
                Ok(Piece::Payload(payload)) => return Some(Part::Body(payload)),
                Ok(Piece::More)
                    if self.at - self.size_at > SIZE_LINE
                        && body != Body::CHUNKED
                        && matches!(body, Body::Chunked(chunk) if chunk.is_size()) =>
                {
                    return Some(Part::Flaw(self.chunk_flaw(ChunkFlaw::LongSize)));
                }
                Ok(Piece::More) if input.is_empty() => return None,
                Ok(Piece::More) => {}
                Ok(Piece::End) => {
                    self.state = match self.method {
                        Some(_) => State::Whole { end: self.at },
                        None => State::Head,
                    };
                    self.begin = self.at;
                    return Some(Part::End);
                }
                Err(flaw) => return Some(Part::Flaw(self.chunk_flaw(flaw))),
            }
        }
    }

    fn chunk_flaw(&mut self, flaw: ChunkFlaw) -> Flaw {
        let (offset, kind) = match flaw {
            ChunkFlaw::NoSize | ChunkFlaw::LongSize => (self.size_at, FlawKind::Chunk(flaw)),
            ChunkFlaw::NoEnd => (self.at, FlawKind::ChunkEnd(self.size)),
            // The line feed is read already.
            ChunkFlaw::SizeBareLf | ChunkFlaw::DataBareLf => (self.at - 1, FlawKind::Chunk(flaw)),
        };
        let flaw = Flaw { offset, kind };
        if flaw.is_fatal() {
            self.state = State::Lost;
        }
        flaw
    }
}

fn place(chunk: Chunk) -> &'static str {
    match chunk {
        Chunk::Size(..) | Chunk::SizeSpace(_) | Chunk::Extension(_) | Chunk::SizeFeed(_) => {
            "before a chunk size"
        }
        Chunk::Data(_) | Chunk::DataEnd => "inside a chunk",
        Chunk::DataFeed => "inside the line end after a chunk",
        Chunk::TrailerBegin | Chunk::Trailer | Chunk::LastFeed | Chunk::End | Chunk::Lost => {
            "after the last chunk"
        }
    }
}

impl Head {
    /// Whether another head follows before the answer.
    pub fn is_interim(&self) -> bool {
        is_interim(self.status())
    }

    /// The status code; 0 of a request.
    pub fn status(&self) -> u16 {
        match self.start {
            Start::Response { status, .. } => status,
            Start::Request { .. } => 0,
        }
    }

    /// Where the first line of a response's field begins in these bytes, from which it was read.
    pub fn offset_of(&self, wire: &[u8], name: &str) -> Option<usize> {
        let head = ResponseHead::parse(wire.get(self.begin..self.end)?).ok()??;
        head.fields.first(name).map(|field| self.begin + field.offset)
    }

    /// The first flaw that makes the other side refuse it.
    pub fn refusal(&self) -> Option<&Flaw> {
        self.flaws.iter().find(|flaw| flaw.is_fatal())
    }
}

impl Message {
    pub fn read(wire: &[u8], method: &str) -> Self {
        let mut reader = Reader::response(method);
        let mut message = Self { head: None, flaw: None, progress: Progress::Head };
        let mut flaws: Vec<Flaw> = Vec::new();
        let mut input = wire;
        while let Some(part) = reader.next(&mut input) {
            match part {
                Part::Head(mut head) => {
                    // One program writes all line ends alike.
                    let has_bare_lf = flaws.iter().any(|flaw| flaw.kind == FlawKind::BareLf);
                    head.flaws.retain(|flaw| !has_bare_lf || flaw.kind != FlawKind::BareLf);
                    flaws.append(&mut head.flaws);
                    if !head.is_interim() {
                        head.flaws = std::mem::take(&mut flaws);
                        message.head = Some(head);
                    }
                }
                Part::Flaw(flaw) => message.flaw = message.flaw.or(Some(flaw)),
                Part::Body(_) | Part::End | Part::After(_) => {}
            }
        }
        message.progress = reader.progress();
        message
    }
}
