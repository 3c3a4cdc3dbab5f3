//! Derives the headers, the body and the end of an exchange from the bytes of its connection.
//!
//! A client does it chunk by chunk, and a replay with all chunks of a recording.

use std::time::Duration;

use sseproof_codec::{Decoder, Item};
use sseproof_http::http2::{self, Over};
use sseproof_http::{Bytes, Coding, ContentDecoder, Version, http1};

use crate::transcript::joined;
use crate::{Chunk, Close, Closed, End, Ending, Exchange, Head};

/// The most bytes of status line and headers over HTTP/1.
pub const HEAD_BYTES: usize = 256 << 10;
/// The most field lines of a response over HTTP/1.
pub const HEAD_FIELDS: usize = 1_000;

const SECURE: &str = "the server uses TLS on this port; write the URL with https://";
const OLD: &str = "the server answers an HTTP/2 connection with HTTP/1.1; remove --http 2, or check a port with HTTP/2";
const CLOSED: &str = "the server closed the connection when HTTP/2 began on it; if it supports only HTTP/1.1, remove --http 2";

pub struct ResponseReader {
    http1: http1::Reader,
    decoder: Option<ContentDecoder>,
    items: Items,
    limits: BodyLimits,
    received: u64,
    readable: u64,
    is_over: bool,
}

/// How much of a body is accepted; the client disconnects from a larger one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyLimits {
    /// The most bytes as received.
    pub received: u64,
    /// The most bytes after decoding.
    pub readable: u64,
    /// The most pieces: tiny ones take many times their bytes in memory.
    pub pieces: usize,
    /// The most memory of the items of its stream, as [`item_bytes`] counts it: a body of tiny
    /// items, or of events that all have the same long id, takes many times its bytes.
    pub items: u64,
}

impl BodyLimits {
    pub const NONE: Self =
        Self { received: u64::MAX, readable: u64::MAX, pieces: usize::MAX, items: u64::MAX };

    /// Those of a run. A replay has the same, so that it cuts a body at the same place.
    pub const RUN: Self =
        Self { received: 4 << 20, readable: 4 << 20, pieces: 100_000, items: 16 << 20 };
}

/// The memory of a decoded item besides its texts.
const ITEM: u64 = 160;

/// The memory of an item of a stream, roughly.
pub fn item_bytes(item: &Item<'_>) -> u64 {
    // Each event has the last id, also if that came long before.
    let id = if let Item::Event(event) = item { event.last_event_id.len() as u64 } else { 0 };
    ITEM + item.span().len() + id
}

/// Follows the items of a stream as far as their memory is bounded.
struct Items {
    decoder: Decoder,
    at: u64,
    left: u64,
}

impl Items {
    /// How many of these bytes may be kept.
    fn room(&mut self, bytes: &[u8]) -> usize {
        let begin = self.at;
        self.at += bytes.len() as u64;
        let mut items = self.decoder.inspect(bytes);
        while let Some(item) = items.next() {
            self.left = self.left.saturating_sub(item_bytes(&item));
            if self.left == 0 {
                let end = item.span().end.saturating_sub(begin);
                return usize::try_from(end).unwrap_or(usize::MAX).min(bytes.len());
            }
        }
        bytes.len()
    }
}

impl ResponseReader {
    pub fn new(method: &str, limits: BodyLimits) -> Self {
        Self {
            http1: http1::Reader::response(method).with_head_limit(HEAD_BYTES),
            decoder: None,
            items: Items { decoder: Decoder::new(), at: 0, left: limits.items },
            limits,
            received: 0,
            readable: 0,
            is_over: false,
        }
    }

    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// How many bytes of the body were received.
    pub fn received(&self) -> u64 {
        self.received
    }

    pub fn feed(&mut self, exchange: &mut Exchange, at: Duration, bytes: &Bytes) {
        let mut input: &[u8] = bytes;
        while !self.is_over
            && let Some(part) = self.http1.next(&mut input)
        {
            match part {
                http1::Part::Head(head) => self.head(exchange, at, head),
                http1::Part::Body(piece) => {
                    let end = bytes.len() - input.len();
                    self.data(exchange, at, bytes.slice(end - piece.len()..end));
                }
                http1::Part::End => self.end(exchange, at, Ending::Complete),
                http1::Part::Flaw(flaw) if is_refused(&flaw) => {
                    self.malformed(exchange, at, flaw.to_string());
                }
                http1::Part::Flaw(_) | http1::Part::After(_) => {}
            }
        }
    }

    fn head(&mut self, exchange: &mut Exchange, at: Duration, head: http1::Head) {
        let http1::Start::Response { version, status } = head.start else { return };
        let version = version.unwrap_or_default();
        if let Some(flaw) = head.refusal() {
            return self.malformed(exchange, at, flaw.to_string());
        }
        if head.headers.0.len() > HEAD_FIELDS {
            return self.malformed(
                exchange,
                at,
                format!("it has more than {HEAD_FIELDS} header fields"),
            );
        }
        if head.is_interim() {
            return;
        }
        if version == Version::Http10 && head.headers.has("transfer-encoding") {
            let why = "an HTTP/1.0 response with Transfer-Encoding".to_owned();
            return self.malformed(exchange, at, why);
        }
        let mut headers = head.headers;
        headers.0.iter_mut().for_each(|header| header.name.make_ascii_lowercase());
        self.begin(exchange, Head { at, version, status, headers });
    }

    pub fn part(&mut self, exchange: &mut Exchange, at: Duration, part: http2::Part) {
        match part {
            http2::Part::Head { status, headers } => {
                self.begin(exchange, Head { at, version: Version::Http2, status, headers });
            }
            http2::Part::Data { content, .. } => self.data(exchange, at, content),
            http2::Part::Over(over) => self.end(exchange, at, ending(over)),
        }
    }

    pub fn closed(&mut self, exchange: &mut Exchange, closed: Closed) {
        let how = match (closed.how, self.http1.progress()) {
            (Close::Reset, _) => Ending::Reset,
            (Close::Fin, http1::Progress::UntilClose) => Ending::Complete,
            _ => Ending::Truncated,
        };
        self.end(exchange, closed.at, how);
    }

    fn begin(&mut self, exchange: &mut Exchange, head: Head) {
        self.decoder = Coding::of(&head.headers).map(ContentDecoder::new);
        exchange.head = Some(head);
    }

    fn data(&mut self, exchange: &mut Exchange, at: Duration, piece: Bytes) {
        let room = usize::try_from(self.limits.received.saturating_sub(self.received))
            .unwrap_or(usize::MAX);
        let piece = piece.slice(..piece.len().min(room));
        self.received += piece.len() as u64;
        if let Some(decoder) = &mut self.decoder {
            let readable = decoder.feed(&piece);
            exchange.coding_fault = decoder.fault().cloned();
            exchange.coded.extend(Chunk::of(at, piece));
            self.readable(exchange, at, readable.into());
        } else {
            self.readable(exchange, at, piece);
        }
        let is_too_much = self.received >= self.limits.received
            || self.readable >= self.limits.readable
            || self.items.left == 0
            || exchange.body.len().max(exchange.coded.len()) >= self.limits.pieces;
        if is_too_much {
            self.end(exchange, at, Ending::OverLimit(self.received));
        }
    }

    /// A few compressed bytes may stand for any number of items.
    fn readable(&mut self, exchange: &mut Exchange, at: Duration, bytes: Bytes) {
        let room = usize::try_from(self.limits.readable.saturating_sub(self.readable))
            .unwrap_or(usize::MAX);
        let bytes = bytes.slice(..bytes.len().min(room));
        let bytes = bytes.slice(..self.items.room(&bytes));
        self.readable += bytes.len() as u64;
        exchange.body.extend(Chunk::of(at, bytes));
    }

    fn malformed(&mut self, exchange: &mut Exchange, at: Duration, why: String) {
        // A record of TLS, usually an alert: the response of TLS servers to a request without TLS.
        let how = if exchange.is_answered_in_tls() {
            Ending::Handshake(SECURE.to_owned())
        } else {
            Ending::Malformed(why)
        };
        self.end(exchange, at, how);
    }

    pub fn end(&mut self, exchange: &mut Exchange, at: Duration, how: Ending) {
        if std::mem::replace(&mut self.is_over, true) {
            return;
        }
        if let Some(mut decoder) = self.decoder.take() {
            let rest = decoder.finish();
            exchange.coding_fault = decoder.fault().cloned();
            // It could be read when the last piece arrived.
            let last = exchange.coded.last().map_or(at, |chunk| chunk.at);
            self.readable(exchange, last, rest.into());
        }
        exchange.end = End { at, how };
    }
}

impl Exchange {
    pub fn decode_body(&mut self) {
        let Some(head) = self.head.take() else { return };
        let (came, end) = (std::mem::take(&mut self.body), self.end.clone());
        let mut reader = ResponseReader::new(&self.request.method, BodyLimits::NONE);
        reader.begin(self, head);
        came.into_iter().for_each(|chunk| reader.data(self, chunk.at, chunk.bytes));
        reader.end(self, end.at, end.how);
    }

    /// Derives the values that rules read from the bytes of its connection; `stated` is an end by
    /// the client, which the bytes do not show.
    pub fn derive(&mut self, stated: Option<End>) {
        let Some(on) = self.on.clone() else { return };
        let connection = on.connection.lock();
        let received = &connection.received[..on.received.min(connection.received.len())];
        self.sent = connection.sent.get(on.sent).unwrap_or_default().to_vec();
        self.wire = received.to_vec();
        self.head = None;
        self.body.clear();
        self.coded.clear();
        self.coding_fault = None;
        let received_limit = match stated {
            Some(End { how: Ending::OverLimit(received), .. }) => received,
            _ => u64::MAX,
        };
        let limits = BodyLimits { received: received_limit, ..BodyLimits::RUN };
        let mut reader = ResponseReader::new(&self.request.method, limits);
        let closed = connection.closed.filter(|_| stated.is_none());
        if let Some(stream) = self.transport.stream {
            let last = last_opened(&connection.sent).max(stream);
            read_stream(&mut reader, self, (stream, last), received, closed);
        } else {
            received.iter().for_each(|chunk| reader.feed(self, chunk.at, &chunk.bytes));
            if let Some(closed) = closed {
                reader.closed(self, closed);
            }
        }
        let last = received.last().map_or(self.started, |chunk| chunk.at);
        reader.end(self, last, Ending::Disconnected);
        if let Some(end) = stated {
            self.end = end;
        }
    }
}

/// The last stream that the client opened.
fn last_opened(sent: &[Chunk]) -> u32 {
    let sent = joined(sent);
    let mut rest = sent.strip_prefix(http2::PREFACE).unwrap_or(&sent);
    let mut last = 0;
    while let Some(frame) = http2::Frame::read(rest) {
        rest = &rest[frame.length()..];
        if frame.kind == http2::kind::HEADERS {
            last = last.max(frame.stream);
        }
    }
    last
}

/// Reads the first of these streams; the client opened those up to the second one.
fn read_stream(
    reader: &mut ResponseReader,
    exchange: &mut Exchange,
    (stream, last): (u32, u32),
    received: &[Chunk],
    closed: Option<Closed>,
) {
    let mut client = http2::Client::new(None);
    client.expect(stream, Bytes::default());
    client.opened(last);
    for chunk in received {
        client.feed(&chunk.bytes);
        while !reader.is_over() {
            match client.part() {
                Ok(None) => break,
                Ok(Some((id, part))) if id == stream => reader.part(exchange, chunk.at, part),
                Ok(Some(_)) => {}
                Err(failure) => reader.end(exchange, chunk.at, failed(failure)),
            }
        }
        client.wrote(client.out().len());
    }
    if let Some(closed) = closed {
        reader.end(exchange, closed.at, closed_http2(&client, closed.how));
    }
}

/// How the streams of a failed connection end.
pub fn failed(failure: http2::Failure) -> Ending {
    match failure {
        http2::Failure::Http1 => Ending::Handshake(OLD.to_owned()),
        http2::Failure::Malformed(why) => not_http2(&why),
    }
}

/// How the streams of a connection end if the server closed it.
pub fn closed_http2(client: &http2::Client, how: Close) -> Ending {
    match client.gone() {
        _ if !client.is_begun() => Ending::Handshake(CLOSED.to_owned()),
        _ if how == Close::Reset => Ending::Reset,
        Some(code) => Ending::GoneAway(code),
        None => Ending::Truncated,
    }
}

fn ending(over: Over) -> Ending {
    match over {
        Over::Complete => Ending::Complete,
        Over::Reset(code) => Ending::StreamReset(code),
        Over::GoneAway(code) => Ending::GoneAway(code),
        Over::Malformed(why) => not_http2(&why),
    }
}

fn not_http2(why: &str) -> Ending {
    Ending::Malformed(format!("the response is not HTTP/2: {why}"))
}

/// Whether a client fails on the flaw: also on line ends in chunks that some clients accept.
fn is_refused(flaw: &http1::Flaw) -> bool {
    flaw.is_fatal() || matches!(flaw.kind, http1::FlawKind::Chunk(_))
}
