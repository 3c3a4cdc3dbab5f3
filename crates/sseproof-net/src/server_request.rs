//! Reads one request from a connection.

use std::io;

use sseproof_record::{Bytes, Headers, Request, Version};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::Socket;

/// The most bytes that the head of a request may have.
const HEAD_BYTES: usize = 64 << 10;
/// The most bytes that its body may have.
const BODY_BYTES: usize = 16 << 20;
/// The most field lines.
const FIELDS: usize = 200;

/// The next request on the connection; `None` where the client has left, or sent what is no
/// request (then it has been told so).
///
/// `rest` holds what was read behind the request before; what is read behind this one stays there.
pub(crate) async fn read_request(
    socket: &mut Box<dyn Socket>,
    rest: &mut Vec<u8>,
) -> io::Result<Option<Request>> {
    loop {
        match parse(rest) {
            Parsed::Whole { request, length } => {
                rest.drain(..length);
                return Ok(Some(request));
            }
            Parsed::Refused(status) => {
                let answer =
                    format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                socket.write_all(answer.as_bytes()).await?;
                return Ok(None);
            }
            Parsed::Partial => {}
        }
        if socket.read_buf(rest).await? == 0 {
            return Ok(None);
        }
    }
}

enum Parsed {
    Whole { request: Request, length: usize },
    Partial,
    Refused(&'static str),
}

fn parse(bytes: &[u8]) -> Parsed {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS];
    let mut parsed = httparse::Request::new(&mut fields);
    let head = match parsed.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) if bytes.len() < HEAD_BYTES => return Parsed::Partial,
        Ok(httparse::Status::Partial) => {
            return Parsed::Refused("431 Request Header Fields Too Large");
        }
        Err(_) => return Parsed::Refused("400 Bad Request"),
    };
    let headers: Headers =
        parsed.headers.iter().map(|field| (field.name, Bytes::from(field.value))).collect();
    if headers.has("transfer-encoding") {
        return Parsed::Refused("411 Length Required");
    }
    let length = match headers.first("content-length").map(|value| value.parse::<usize>()) {
        None => 0,
        Some(Ok(length)) if length <= BODY_BYTES => length,
        Some(Ok(_)) => return Parsed::Refused("413 Content Too Large"),
        Some(Err(_)) => return Parsed::Refused("400 Bad Request"),
    };
    let Some(body) = bytes.get(head..head + length) else { return Parsed::Partial };
    let request = Request {
        method: parsed.method.unwrap_or_default().to_owned(),
        url: parsed.path.unwrap_or_default().to_owned(),
        version: if parsed.version == Some(0) { Version::Http10 } else { Version::Http11 },
        headers,
        body: Bytes::from(body),
    };
    Parsed::Whole { request, length: head + length }
}
