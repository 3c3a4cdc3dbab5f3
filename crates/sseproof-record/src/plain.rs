//! A transcript from a plain file, as `curl -isN URL > file` writes it: headers, and a body.
//!
//! Such a file has no times and does not say how the stream ended, so everything has the same
//! time, and the client counts as the one that disconnected.

use std::time::Duration;

use bstr::ByteSlice as _;
use sseproof_http::http1::{Body, ChunkFlaw, Flaw, FlawKind, Piece, ResponseHead};

use crate::{Chunk, End, Ending, Exchange, Follows, Head, Reason, Source, Target, Transcript};
use sseproof_http::{Bytes, Headers, Request, Version};

/// The URL of a file, which names none.
const URL: &str = "http://unknown/";

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlainError {
    #[error("the file is empty")]
    Empty,
    #[error("line {line}: `{text}` is not a header field, and no empty line ends the headers")]
    Field { line: usize, text: String },
    /// The file ends before the end of the headers.
    #[error("line {line}: the file ends before the end of the headers")]
    Headless { line: usize },
    #[error(
        "it starts neither with a status line (`HTTP/1.1 200 OK`) nor with a field of a stream (`data: …`)"
    )]
    Foreign,
}

/// Reads headers and a body, or a body alone.
///
/// Of several responses, interim ones (`100`), those of proxies and of rejected first attempts are
/// skipped; a redirect becomes an exchange of its own.
/// A body that still has its chunks (`curl --raw`) loses them, and is kept on the wire with them.
///
/// # Errors
/// [`PlainError`], with the line.
pub fn read_plain(file: &[u8]) -> Result<Transcript, PlainError> {
    if file.trim_ascii().is_empty() {
        return Err(PlainError::Empty);
    }
    let target = Target { url: URL.to_owned(), method: "GET".to_owned(), profile: None };
    if !begins_with_head(file) {
        if !looks_like_a_stream(file) {
            return Err(PlainError::Foreign);
        }
        let headers = [("Content-Type", sseproof_http::EVENT_STREAM)].into_iter().collect();
        let head = Head { at: Duration::ZERO, version: Version::Http11, status: 200, headers };
        let exchange = exchange(1, URL, head, file);
        let exchanges = vec![exchange];
        return Ok(Transcript {
            target,
            source: Source::BodyOnly,
            exchanges,
            ..Transcript::default()
        });
    }
    let mut exchanges: Vec<Exchange> = Vec::new();
    let mut url = URL.to_owned();
    let mut rest = file;
    loop {
        let line = 1 + count_lines(&file[..file.len() - rest.len()]);
        let (head, after) = head(rest, line)?;
        let another = begins_with_head(after);
        let location = head.headers.first("location");
        let is_redirect = (300..400).contains(&head.status) && location.is_some();
        if another && !is_redirect {
            rest = after;
            continue;
        }
        let number = exchanges.len() + 1;
        let body = if another { &[] } else { after };
        let mut exchange = exchange(number, &url, head, body);
        exchange.follows = exchanges
            .last()
            .map(|before| Follows { exchange: before.number, reason: Reason::Redirect });
        if another {
            exchange.end.how = Ending::Complete;
            url = location.filter(|to| to.contains("://")).unwrap_or(url);
        } else if exchange.head.as_ref().is_some_and(|head| is_chunked(&head.headers)) {
            let start = file.len() - rest.len();
            dechunk(&mut exchange, &file[start..], after);
        }
        exchanges.push(exchange);
        if !another {
            break;
        }
        rest = after;
    }
    Ok(Transcript { target, source: Source::HeadAndBody, exchanges, ..Transcript::default() })
}

fn exchange(number: usize, url: &str, head: Head, body: &[u8]) -> Exchange {
    let chunk = Chunk { at: Duration::ZERO, bytes: Bytes::from(body) };
    let mut exchange = Exchange {
        scenario: "file".to_owned(),
        head: Some(undone(head, body)),
        body: if body.is_empty() { Vec::new() } else { vec![chunk] },
        end: End { at: Duration::ZERO, how: Ending::Disconnected },
        ..Exchange::begun(number, Request::subscribe(url), Duration::ZERO)
    };
    exchange.decode_body();
    exchange
}

/// The headers without a content coding that curl has decoded (`--compressed`): curl writes the
/// field, and the body would be read as compressed bytes.
fn undone(mut head: Head, body: &[u8]) -> Head {
    if head.headers.has("content-encoding") && looks_like_a_stream(body) {
        head.headers.remove("content-encoding");
    }
    head
}

fn begins_with_head(bytes: &[u8]) -> bool {
    let status_line = bytes.lines().next().unwrap_or_default();
    let alone = [status_line, b"\r\n\r\n"].concat();
    ResponseHead::parse(&alone).is_ok_and(|head| head.is_some_and(|head| head.version.is_some()))
}

/// The headers at the start of the bytes, which begin in line `first`, and the bytes after them.
fn head(bytes: &[u8], first: usize) -> Result<(Head, &[u8]), PlainError> {
    let line_of = |offset: usize| first + count_lines(&bytes[..offset]);
    let parsed = ResponseHead::parse(bytes).map_err(|_| PlainError::Foreign)?;
    let parsed = parsed.ok_or_else(|| PlainError::Headless { line: line_of(bytes.len()) })?;
    for Flaw { offset, kind } in &parsed.flaws {
        if matches!(kind, FlawKind::NoColon(_)) {
            let text = bytes[*offset..].lines().next().unwrap_or_default();
            let text = String::from_utf8_lossy(&text[..text.len().min(60)]).into_owned();
            return Err(PlainError::Field { line: line_of(*offset), text });
        }
    }
    let version = parsed.version.ok_or(PlainError::Foreign)?;
    let headers = parsed.fields.headers();
    let head = Head { at: Duration::ZERO, version, status: parsed.status, headers };
    Ok((head, &bytes[parsed.length..]))
}

fn is_chunked(headers: &Headers) -> bool {
    headers.list("transfer-encoding").iter().any(|coding| coding == "chunked")
}

fn dechunk(exchange: &mut Exchange, wire: &[u8], body: &[u8]) {
    let at = Duration::ZERO;
    let mut pieces = Vec::new();
    let mut rest = body;
    let mut chunks = Body::CHUNKED;
    let whole = loop {
        match chunks.next(&mut rest) {
            Ok(Piece::Payload(payload)) => pieces.push(Chunk { at, bytes: Bytes::from(payload) }),
            Ok(Piece::More) | Err(ChunkFlaw::NoSize | ChunkFlaw::LongSize) => break false,
            Ok(Piece::End) => break true,
            // These are not chunks after all.
            Err(ChunkFlaw::NoEnd) => return,
            Err(ChunkFlaw::SizeBareLf | ChunkFlaw::DataBareLf) => {}
        }
    };
    // A stream whose first line happens to be a number has no line end where the chunk would end.
    if pieces.is_empty() && !whole {
        return;
    }
    exchange.body = pieces;
    exchange.coded.clear();
    exchange.decode_body();
    exchange.wire = vec![Chunk { at, bytes: Bytes::from(wire) }];
    if whole {
        exchange.end.how = Ending::Complete;
    }
}

/// Whether a line at the beginning is a field or a comment of a stream.
fn looks_like_a_stream(bytes: &[u8]) -> bool {
    let start = &bytes[..bytes.len().min(64 << 10)];
    start.split(|byte| matches!(byte, b'\n' | b'\r')).any(|line| {
        let line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line);
        [&b"data:"[..], b"event:", b"id:", b"retry:", b":"]
            .iter()
            .any(|field| line.starts_with(field))
    })
}

fn count_lines(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Transcript {
        read_plain(text.as_bytes()).unwrap()
    }

    const HEAD: &str =
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

    #[test]
    fn texts_are_one_exchange_or_an_error() {
        let rows = include_str!("../tests/plain.json");
        for row in serde_json::from_str::<Vec<serde_json::Value>>(rows).unwrap() {
            let read = read_plain(row["text"].as_str().unwrap().as_bytes());
            if let Some(error) = row["error"].as_str() {
                assert!(format!("{:?}", read.unwrap_err()).starts_with(error), "{row}");
                continue;
            }
            let read = read.unwrap();
            let [exchange] = read.exchanges.as_slice() else { panic!("{read:?}") };
            assert!(exchange.is_stream(), "{row}");
            assert_eq!(row["source"], format!("{:?}", read.source), "{row}");
            assert_eq!(row["body"], String::from_utf8(exchange.body_bytes()).unwrap());
            assert_eq!(row["end"], format!("{:?}", exchange.end.how), "{row}");
            let (wire, ends) = (exchange.wire_bytes(), row["wire_ends"].as_str().unwrap());
            assert!(wire.ends_with(ends.as_bytes()), "{row}");
            assert_eq!(wire.is_empty(), ends.is_empty(), "{row}");
        }
    }

    #[test]
    fn only_the_last_head_counts_and_redirects_are_kept() {
        let read = read(&format!(
            "HTTP/1.1 200 Connection established\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/2 307 \r\nlocation: http://b/s\r\n\r\nHTTP/2 401\r\nx: y\r\n\r\n{HEAD}data: HTTP/1.1 200 OK\n\n"
        ));
        let of: Vec<_> = read
            .exchanges
            .iter()
            .map(|exchange| (exchange.status().unwrap(), exchange.request.url.as_str()))
            .collect();
        assert_eq!(of, [(307, URL), (200, "http://b/s")]);
        assert_eq!(read.exchanges[1].body_bytes(), b"data: HTTP/1.1 200 OK\n\n");
        assert_eq!(read.exchanges[1].follows.unwrap().reason, Reason::Redirect);
    }

    #[test]
    fn a_coding_that_curl_has_undone_is_none() {
        let coded = |body: &[u8]| {
            let head =
                b"HTTP/1.1 200 OK\nContent-Type: text/event-stream\nContent-Encoding: gzip\n\n";
            let read = read_plain(&[&head[..], body].concat()).unwrap();
            read.exchanges[0].head.as_ref().unwrap().headers.has("content-encoding")
        };
        assert!(!coded(b"data: x\n\n"));
        assert!(coded(b"\x1f\x8b\x08"));
    }
}
