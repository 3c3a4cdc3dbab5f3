//! Reads one request from a connection.

use std::io;

use sseproof_http::http1::{Body, RequestHead};
use sseproof_http::{Bytes, Request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::Socket;

/// The most bytes that the request line and headers may have.
const HEAD_BYTES: usize = 64 << 10;
/// The most bytes that its body may have.
const BODY_BYTES: usize = 16 << 20;

/// The next request on the connection; `None` if the client disconnected, or sent an invalid
/// request (and got a response that reports it).
///
/// `rest` has the bytes read after the previous request; those after this one stay there.
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
    let head = match RequestHead::parse(bytes) {
        Ok(Some(head)) if head.refusal().is_none() => head,
        Ok(None) if bytes.len() < HEAD_BYTES => return Parsed::Partial,
        Ok(None) => return Parsed::Refused("431 Request Header Fields Too Large"),
        Ok(Some(_)) | Err(_) => return Parsed::Refused("400 Bad Request"),
    };
    let length = match head.body() {
        Ok(Body::Length(length)) => usize::try_from(length).unwrap_or(usize::MAX),
        Ok(Body::Chunked(_) | Body::UntilClose) => return Parsed::Refused("411 Length Required"),
        Err(_) => return Parsed::Refused("400 Bad Request"),
    };
    if length > BODY_BYTES {
        return Parsed::Refused("413 Content Too Large");
    }
    let whole = head.length + length;
    let Some(body) = bytes.get(head.length..whole) else { return Parsed::Partial };
    let request = Request {
        method: head.method.to_owned(),
        url: head.target.to_owned(),
        version: head.version.unwrap_or_default(),
        headers: head.fields.headers(),
        body: Bytes::from(body),
    };
    Parsed::Whole { request, length: whole }
}
