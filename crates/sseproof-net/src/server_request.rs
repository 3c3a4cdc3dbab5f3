//! Reads one request from a connection.

use std::io;

use sseproof_http::http1::{Body, Piece, RequestHead};
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
    let (mut request, mut body) = loop {
        match parse(rest) {
            Parsed::Head { request, body, length } => {
                rest.drain(..length);
                break (request, body);
            }
            Parsed::Refused(status) => return refuse(socket, status).await,
            Parsed::Partial => {}
        }
        if socket.read_buf(rest).await? == 0 {
            return Ok(None);
        }
    };
    let mut bytes = Vec::new();
    loop {
        let mut input = rest.as_slice();
        let is_whole = loop {
            match body.next(&mut input) {
                Ok(Piece::Payload(piece)) => bytes.extend_from_slice(piece),
                Ok(Piece::End) => break true,
                Ok(Piece::More) => break false,
                Err(_) => return refuse(socket, "400 Bad Request").await,
            }
        };
        let taken = rest.len() - input.len();
        rest.drain(..taken);
        if bytes.len() > BODY_BYTES {
            return refuse(socket, "413 Content Too Large").await;
        }
        if is_whole {
            request.body = Bytes::from(bytes);
            return Ok(Some(request));
        }
        if socket.read_buf(rest).await? == 0 {
            return Ok(None);
        }
    }
}

async fn refuse(socket: &mut Box<dyn Socket>, status: &str) -> io::Result<Option<Request>> {
    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    socket.write_all(answer.as_bytes()).await?;
    Ok(None)
}

enum Parsed {
    /// A request whose body follows these bytes.
    Head {
        request: Request,
        body: Body,
        length: usize,
    },
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
    let body = match head.body() {
        Ok(Body::Length(length)) if length > BODY_BYTES as u64 => {
            return Parsed::Refused("413 Content Too Large");
        }
        Ok(Body::UntilClose) => return Parsed::Refused("411 Length Required"),
        Ok(body) => body,
        Err(_) => return Parsed::Refused("400 Bad Request"),
    };
    let request = Request {
        method: head.method.to_owned(),
        url: head.target.to_owned(),
        version: head.version.unwrap_or_default(),
        headers: head.fields.headers(),
        body: Bytes::default(),
    };
    Parsed::Head { request, body, length: head.length }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bodies of the requests that are read from these bytes, which arrive so many at a time,
    /// and the response to one that is refused.
    async fn read(bytes: &str, at_once: usize) -> (Vec<String>, String) {
        let (mut client, server) = crate::pipe();
        let mut server: Box<dyn Socket> = Box::new(server);
        let sends = async {
            for piece in bytes.as_bytes().chunks(at_once) {
                client.write_all(piece).await.expect("the server reads");
                tokio::task::yield_now().await;
            }
            client.shutdown().await.expect("it is open");
            let mut answer = String::new();
            client.read_to_string(&mut answer).await.expect("text");
            answer
        };
        let reads = async {
            let (mut rest, mut bodies) = (Vec::new(), Vec::new());
            while let Some(request) = read_request(&mut server, &mut rest).await.expect("it reads")
            {
                bodies.push(request.body.to_text());
            }
            drop(server);
            bodies
        };
        let (answer, bodies) = tokio::join!(sends, reads);
        (bodies, answer)
    }

    #[tokio::test]
    async fn bodies_of_both_framings_are_read_one_after_the_other() {
        let requests = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\none\
             POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
             1\r\nt\r\n2;x=y\r\nwo\r\n0\r\n\r\n\
             GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        for at_once in [1, 7, 1000] {
            let (bodies, answer) = read(requests, at_once).await;
            assert_eq!(bodies, ["one", "two", ""], "{at_once}");
            assert_eq!(answer, "");
        }
    }

    #[tokio::test]
    async fn other_bodies_are_refused() {
        let head = "POST / HTTP/1.1\r\nHost: a\r\n";
        for (rest, status) in [
            ("Content-Length: 99999999\r\n\r\n", "413"),
            ("Transfer-Encoding: chunked\r\n\r\nxyz\r\n", "400"),
        ] {
            let (bodies, answer) = read(&format!("{head}{rest}"), 1000).await;
            assert!(bodies.is_empty());
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        }
    }
}
