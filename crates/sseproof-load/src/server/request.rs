//! Requests of HTTP/1, and the answers to those without a stream.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::io;
use std::time::Duration;

use sseproof_http::Version;
use sseproof_http::http1::{Body, Flaw, RequestHead};
use tokio::time::timeout;

use super::event::Framing;
use super::socket::Socket;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) modern: bool,
    pub(super) keeps: bool,
    pub(super) length: usize,
    pub(super) chunked: bool,
    pub(super) expects: bool,
    pub(super) last_event_id: Option<String>,
    /// The key of a WebSocket, if a supported version is requested.
    pub(super) web_socket: Option<String>,
    /// Whether the client accepts gzip.
    pub(super) gzip: bool,
    /// The extensions that it offers for a WebSocket.
    pub(super) extensions: String,
}

const LARGEST_HEAD: usize = 32 << 10;

impl Request {
    /// Reads the request line and headers, and returns their length; `None` if they are incomplete.
    pub(super) fn parse(bytes: &[u8]) -> Result<Option<(Self, usize)>, String> {
        let wrong = |flaw: &Flaw| format!("this is not a valid HTTP/1.1 request: {flaw}");
        let Some(head) = RequestHead::parse(bytes).map_err(|flaw| wrong(&flaw))? else {
            let why = || format!("request line and headers are larger than {LARGEST_HEAD} bytes");
            return if bytes.len() > LARGEST_HEAD { Err(why()) } else { Ok(None) };
        };
        if let Some(flaw) = head.refusal() {
            return Err(wrong(flaw));
        }
        let target = head.target;
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let modern = head.version == Some(Version::Http11);
        let body = head.body().map_err(|flaw| flaw.to_string())?;
        let mut request = Self {
            method: head.method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            modern,
            keeps: modern,
            chunked: matches!(body, Body::Chunked(_)),
            length: match body {
                Body::Length(length) => usize::try_from(length).unwrap_or(usize::MAX),
                Body::Chunked(_) | Body::UntilClose => 0,
            },
            ..Self::default()
        };
        let (mut upgrades, mut version, mut key) = (false, false, None);
        for field in head.fields.iter() {
            let value = String::from_utf8_lossy(field.value).into_owned();
            let has =
                |word: &str| value.split(',').any(|one| one.trim().eq_ignore_ascii_case(word));
            match field.name.to_ascii_lowercase().as_str() {
                "connection" if has("close") => request.keeps = false,
                "connection" if has("keep-alive") => request.keeps = true,
                "expect" => request.expects = has("100-continue"),
                "accept-encoding" => request.gzip |= accepts_gzip(&value),
                "sec-websocket-extensions" => {
                    request.extensions.push_str(", ");
                    request.extensions.push_str(&value);
                }
                "last-event-id" => request.last_event_id = Some(value),
                "upgrade" => upgrades = has("websocket"),
                "sec-websocket-version" => version = value == "13",
                "sec-websocket-key" => key = Some(value),
                _ => {}
            }
        }
        request.web_socket = key.filter(|_| upgrades && version && modern);
        Ok(Some((request, head.length)))
    }
}

/// Whether the list has gzip, and not as one that is unwanted (RFC 9110 section 12.5.3).
fn accepts_gzip(codings: &str) -> bool {
    codings.split(',').any(|coding| {
        let (name, quality) = coding.split_once(';').unwrap_or((coding, ""));
        let quality = quality.trim().strip_prefix("q=").unwrap_or("1");
        name.trim().eq_ignore_ascii_case("gzip") && quality.parse().is_ok_and(|q: f32| q > 0.0)
    })
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    status: &'static str,
    kind: &'static str,
    /// Further fields, each with its line end.
    fields: &'static str,
    body: String,
}

impl Answer {
    pub(super) fn text(status: &'static str, body: impl Into<String>) -> Self {
        let mut body = body.into();
        body.push('\n');
        Self { status, kind: "text/plain; charset=utf-8", fields: "", body }
    }

    pub(super) fn json(status: &'static str, body: impl Into<String>) -> Self {
        Self { kind: "application/json", ..Self::text(status, body) }
    }

    /// With further fields, each with its line end.
    pub(super) fn with(self, fields: &'static str) -> Self {
        Self { fields, ..self }
    }

    /// As bytes; the answer to a HEAD request has no body.
    pub(super) fn write(&self, head_only: bool, keeps: bool) -> Vec<u8> {
        let Self { status, kind, fields, body } = self;
        let mut out = String::new();
        let connection = if keeps { "" } else { "Connection: close\r\n" };
        // A `String` takes whatever is written.
        let _ = write!(
            out,
            "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n{fields}{connection}\r\n",
            body.len()
        );
        if !head_only {
            out.push_str(body);
        }
        out.into_bytes()
    }
}

/// The response headers of a stream. No proxy on the way may compress it or hold it back.
pub(super) fn stream_head(framing: Framing, keeps: bool, gzip: bool) -> String {
    let chunked = framing == Framing::Chunks;
    let compressed = if gzip { "Content-Encoding: gzip\r\nVary: Accept-Encoding\r\n" } else { "" };
    let coding = if chunked { "Transfer-Encoding: chunked\r\n" } else { "" };
    let connection = if keeps && chunked { "" } else { "Connection: close\r\n" };
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store, no-transform\r\nX-Accel-Buffering: no\r\nAccess-Control-Allow-Origin: *\r\n{compressed}{coding}{connection}\r\n"
    )
}

pub(super) struct Talk<'a> {
    pub(super) socket: Socket,
    kept: Vec<u8>,
    scratch: &'a RefCell<Box<[u8]>>,
}

impl<'a> Talk<'a> {
    pub(super) fn new(socket: Socket, scratch: &'a RefCell<Box<[u8]>>) -> Self {
        Self { socket, kept: Vec::new(), scratch }
    }

    /// The next request; `None` if the client has closed the connection.
    pub(super) async fn request(&mut self) -> io::Result<Option<Result<Request, String>>> {
        loop {
            if !self.kept.is_empty() {
                match Request::parse(&self.kept) {
                    Ok(Some((request, length))) => {
                        self.kept.drain(..length);
                        return Ok(Some(Ok(request)));
                    }
                    Ok(None) => {}
                    Err(wrong) => return Ok(Some(Err(wrong))),
                }
            }
            if self.more().await? == 0 {
                return Ok(None);
            }
        }
    }

    pub(super) async fn body(&mut self, length: usize) -> io::Result<Vec<u8>> {
        while self.kept.len() < length {
            if self.more().await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let rest = self.kept.split_off(length);
        Ok(std::mem::replace(&mut self.kept, rest))
    }

    async fn more(&mut self) -> io::Result<usize> {
        loop {
            std::future::poll_fn(|cx| self.socket.poll_readable(cx)).await?;
            let mut scratch = self.scratch.borrow_mut();
            match self.socket.try_read(&mut scratch) {
                Ok(read) => {
                    self.kept.extend_from_slice(&scratch[..read]);
                    return Ok(read);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Waits until the client disconnects; bytes that it sends meanwhile are kept.
    pub(super) async fn gone(&mut self) -> io::Error {
        loop {
            match self.more().await {
                Ok(1..) if self.kept.len() <= LARGEST_HEAD => {}
                Ok(_) => return io::ErrorKind::UnexpectedEof.into(),
                Err(error) => return error,
            }
        }
    }

    pub(super) async fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.socket.try_write(bytes) {
                Ok(written) => bytes = &bytes[written..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    std::future::poll_fn(|cx| self.socket.poll_writable(cx)).await?;
                }
                Err(error) => return Err(error),
            }
        }
        std::future::poll_fn(|cx| self.socket.poll_flush(cx)).await
    }

    /// Ends the connection so that the client can read the answer: to close while something of it
    /// is unread would be a reset.
    pub(super) async fn farewell(&mut self) {
        self.socket.finish();
        let _ = timeout(Duration::from_secs(1), async {
            while self.more().await.is_ok_and(|read| read > 0) {
                self.kept.clear();
            }
        })
        .await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(head: &str) -> Request {
        let bytes = head.replace('\n', "\r\n");
        for cut in 0..bytes.len() {
            assert_eq!(Request::parse(&bytes.as_bytes()[..cut]), Ok(None));
        }
        let (request, length) = Request::parse(bytes.as_bytes()).unwrap().unwrap();
        assert_eq!(length, bytes.len());
        request
    }

    #[test]
    fn a_head_is_read() {
        let request = parsed(
            "GET /ws?every=1s HTTP/1.1\nHost: a\nConnection: keep-alive, Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13\nSec-WebSocket-Key: abc\nLast-Event-ID: 7\n\n",
        );
        let expected = Request {
            method: "GET".to_owned(),
            path: "/ws".to_owned(),
            query: "every=1s".to_owned(),
            modern: true,
            keeps: true,
            last_event_id: Some("7".to_owned()),
            web_socket: Some("abc".to_owned()),
            ..Request::default()
        };
        assert_eq!(request, expected);
        let publish = parsed(
            "POST /publish HTTP/1.1\nContent-Length: 12\nExpect: 100-continue\nConnection: close\n\n",
        );
        assert_eq!((publish.length, publish.expects, publish.keeps), (12, true, false));
        assert!(parsed("POST / HTTP/1.1\nTransfer-Encoding: chunked\n\n").chunked);
        assert!(!parsed("GET / HTTP/1.0\n\n").keeps);
        let other_version = "GET /ws HTTP/1.1\nUpgrade: websocket\nSec-WebSocket-Version: 8\nSec-WebSocket-Key: a\n\n";
        assert_eq!(parsed(other_version).web_socket, None);
    }

    #[test]
    fn a_client_may_accept_gzip() {
        for (value, accepts) in [
            ("gzip", true),
            ("br, GZIP;q=0.5", true),
            ("deflate, gzip; q=1.000", true),
            ("gzip;q=0", false),
            ("gzip;q=0.000", false),
            ("br", false),
            ("", false),
        ] {
            let head = format!("GET /events HTTP/1.1\nAccept-Encoding: {value}\n\n");
            assert_eq!(parsed(&head).gzip, accepts, "{value}");
        }
    }

    #[test]
    fn a_flaw_of_a_request_is_reported() {
        assert!(
            Request::parse(b"\x16\x03\x01").unwrap_err().contains("not a valid HTTP/1.1 request")
        );
        let length = b"POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n";
        assert!(Request::parse(length).unwrap_err().contains("not a number of bytes"));
        let endless = format!("GET / HTTP/1.1\r\nA: {}", "x".repeat(LARGEST_HEAD));
        assert!(Request::parse(endless.as_bytes()).unwrap_err().contains("larger than"));
    }

    #[test]
    fn a_head_request_gets_the_length_and_no_body() {
        let answer = Answer::text("404 Not Found", "nothing is here");
        let head = answer.write(true, true);
        assert!(answer.write(false, true).starts_with(&head));
        assert!(String::from_utf8(head).unwrap().contains("Content-Length: 16\r\n"));
    }
}
