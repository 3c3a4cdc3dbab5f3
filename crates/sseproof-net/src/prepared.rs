//! A request as it goes out, over either version of HTTP.

use std::io::Write as _;

use sseproof_http::http2::write_field;
use sseproof_http::{Bytes, Headers, Request, Version, is_secret};
use url::{Position, Url};

use crate::client::RequestError;
use crate::http2::Origin;
use crate::proxy::Proxy;

/// Fields about an HTTP/1 connection are not allowed in HTTP/2 (RFC 9113, section 8.2.2); `Host` is
/// `:authority` there.
const OF_HTTP1: [&str; 6] =
    ["host", "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"];

/// A request, and where it goes.
pub struct Written {
    pub host: String,
    pub port: u16,
    pub secure: bool,
    /// The request over HTTP/1, with its body.
    pub bytes: Vec<u8>,
    /// Its fields over HTTP/2, with the pseudo-fields before them.
    pub block: Vec<u8>,
}

/// The bytes of the request, with `Host` and `Content-Length`.
///
/// # Errors
/// [`RequestError`] if it cannot be written.
pub fn written(request: &Request) -> Result<Written, RequestError> {
    let prepared = Prepared::new(request, false)?;
    let (bytes, block) = (prepared.http1(), prepared.block());
    let Prepared { host, port, secure, .. } = prepared;
    Ok(Written { host, port, secure, bytes, block })
}

pub(crate) struct Prepared {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) secure: bool,
    /// The version that the request demands; `None` leaves it to the client.
    pub(crate) version: Option<Version>,
    method: String,
    target: String,
    authority: Bytes,
    /// With `Host` and `Content-Length`.
    headers: Headers,
    pub(crate) body: Bytes,
    is_http10: bool,
}

impl Prepared {
    /// `exactly` demands the version that the request has.
    pub(crate) fn new(request: &Request, exactly: bool) -> Result<Self, RequestError> {
        let fault = |message: String| RequestError::Url { url: request.url.clone(), message };
        let url = Url::parse(&request.url).map_err(|error| fault(error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(RequestError::Scheme(url.scheme().to_owned()));
        }
        let host = url.host_str().ok_or_else(|| fault("it has no host".to_owned()))?;
        let authority = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        check(request)?;
        let mut headers = Headers::default();
        if !request.headers.has("host") {
            headers.add("Host", &authority);
        }
        headers.0.extend(request.headers.0.iter().cloned());
        if !request.body.is_empty() && !headers.has("content-length") {
            headers.add("Content-Length", request.body.len().to_string());
        }
        let version = match request.version {
            // Fields about the connection are for HTTP/1 only.
            Version::Http11 if !exactly && !request.headers.has("connection") => None,
            version => Some(version),
        };
        let named = headers.all("host").next().map(|header| header.value.clone());
        Ok(Self {
            host: host.to_owned(),
            port: url.port_or_known_default().unwrap_or(80),
            secure: url.scheme() == "https",
            version,
            method: request.method.clone(),
            target: url[Position::BeforePath..Position::AfterQuery].to_owned(),
            authority: named.unwrap_or_default(),
            headers,
            body: request.body.clone(),
            is_http10: request.version == Version::Http10,
        })
    }

    /// Makes it a request that a proxy passes on (RFC 9112, section 3.2.2).
    pub(crate) fn ask_proxy(&mut self, proxy: &Proxy) {
        self.target = format!("http://{}:{}{}", self.host, self.port, self.target);
        if let Some(value) = &proxy.authorization {
            self.headers.add("Proxy-Authorization", value);
        }
    }

    pub(crate) fn origin(&self) -> Origin {
        Origin { host: self.host.clone(), port: self.port, secure: self.secure }
    }

    pub(crate) fn http1(&self) -> Vec<u8> {
        let minor = if self.is_http10 { 0 } else { 1 };
        let is_coded = self.headers.has("transfer-encoding");
        let is_chunked = is_coded && !self.is_http10 && !self.body.is_empty();
        let mut out = format!("{} {} HTTP/1.{minor}\r\n", self.method, self.target).into_bytes();
        for header in &self.headers.0 {
            let is_left_out = match header.name.to_ascii_lowercase().as_str() {
                "transfer-encoding" => !is_chunked,
                "content-length" => is_chunked,
                _ => false,
            };
            if !is_left_out {
                out.extend(title_case(&header.name));
                out.extend_from_slice(b": ");
                out.extend_from_slice(&header.value);
                out.extend_from_slice(b"\r\n");
            }
        }
        out.extend_from_slice(b"\r\n");
        if is_chunked {
            // A vector takes everything.
            let _ = write!(out, "{:X}\r\n", self.body.len());
        }
        out.extend_from_slice(&self.body);
        if is_chunked {
            out.extend_from_slice(b"\r\n0\r\n\r\n");
        }
        out
    }

    /// The block of fields over HTTP/2: pseudo-fields first, and none that HTTP/2 forbids.
    pub(crate) fn block(&self) -> Vec<u8> {
        let scheme = if self.secure { "https" } else { "http" };
        let mut block = Vec::new();
        write_field(&mut block, b":method", self.method.as_bytes());
        write_field(&mut block, b":scheme", scheme.as_bytes());
        write_field(&mut block, b":authority", &self.authority);
        write_field(&mut block, b":path", self.target.as_bytes());
        for header in &self.headers.0 {
            let name = header.name.to_ascii_lowercase();
            if !OF_HTTP1.contains(&name.as_str()) {
                write_field(&mut block, name.as_bytes(), &header.value);
            }
        }
        block
    }
}

fn check(request: &Request) -> Result<(), RequestError> {
    let fault = |what: String, value: &[u8]| {
        let value = String::from_utf8_lossy(value).into_owned();
        Err(RequestError::Field { what, value })
    };
    if !is_token(&request.method) {
        return fault("the method".to_owned(), request.method.as_bytes());
    }
    for header in &request.headers.0 {
        if !is_token(&header.name) {
            return fault("the header name".to_owned(), header.name.as_bytes());
        }
        let is_text = |byte: &u8| *byte == b'\t' || (*byte >= 0x20 && *byte != 0x7F);
        if !header.value.iter().all(is_text) {
            let shown: &[u8] = if is_secret(&header.name) { b"redacted" } else { &header.value };
            return fault(format!("the value of {}", header.name), shown);
        }
    }
    Ok(())
}

/// `token` (RFC 9110, section 5.6.2).
fn is_token(text: &str) -> bool {
    let is_char = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_char)
}

/// As most clients write it, whatever the case in a scenario.
fn title_case(name: &str) -> Vec<u8> {
    let mut before = b'-';
    name.bytes()
        .map(|byte| {
            let is_first = std::mem::replace(&mut before, byte) == b'-';
            if is_first { byte.to_ascii_uppercase() } else { byte.to_ascii_lowercase() }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(request: &Request) -> String {
        String::from_utf8(Prepared::new(request, false).unwrap().http1()).unwrap()
    }

    #[test]
    fn a_request_is_written_as_clients_write_it() {
        let mut request =
            Request::subscribe("http://h:81/a?b=c#d").with("x-aPI-key", "1").with("Accept", "*/*");
        request.method = "POST".to_owned();
        request.body = Bytes::from("hello");
        let fields = "Host: h:81\r\nAccept: */*\r\nCache-Control: no-cache\r\nX-Api-Key: 1\r\n";
        let line = "POST /a?b=c HTTP/1.1\r\n";
        assert_eq!(sent(&request), format!("{line}{fields}Content-Length: 5\r\n\r\nhello"));
        let chunked = request.clone().with("transfer-encoding", "chunked");
        let coding = "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
        assert_eq!(sent(&chunked), format!("{line}{fields}{coding}"));
        let old = Request { version: Version::Http10, body: Bytes::default(), ..chunked };
        assert_eq!(sent(&old), format!("POST /a?b=c HTTP/1.0\r\n{fields}\r\n"));
        let named = Request::subscribe("http://h/").with("host", "other");
        assert!(
            sent(&named).contains("\r\nHost: other\r\n") && !sent(&named).contains("Host: h\r")
        );
    }

    #[test]
    fn what_http_has_no_form_for_is_refused() {
        let get = || Request::subscribe("http://h/");
        let method = Request { method: "A B".to_owned(), ..get() };
        for request in [method, get().with("a b", ""), get().with("", ""), get().with("x", "\n")] {
            let refused = Prepared::new(&request, false).map(drop);
            assert!(matches!(refused, Err(RequestError::Field { .. })), "{request:?}");
        }
        assert!(Prepared::new(&get().with("x", b"caf\xE9\t"), false).is_ok());
    }
}
