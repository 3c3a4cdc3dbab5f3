//! Any bytes as HTTP/2 from a server and from a client, in any chunks: no panic, always the same
//! parts, and replies that are bounded by what came.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sseproof_http::Bytes;
use sseproof_http::http2::{Asked, Client, PREFACE, Part, Server};

mod cuts;

/// A body, so that windows matter.
const BODY: &[u8] = &[b'x'; 100];

fuzz_target!(|input: ([u8; 4], &[u8])| {
    let (sizes, wire) = input;
    let chunks = cuts::cut(wire, sizes);
    assert_eq!(answers(&chunks), answers(&[wire]));
    assert_eq!(requests(&chunks), requests(&[wire]));
});

/// The parts of the answers, and whether the connection failed.
fn answers(chunks: &[&[u8]]) -> (Vec<(u32, Part)>, bool) {
    let mut client = Client::new(Some(10));
    for _ in 0..2 {
        client.ask(b"", BODY.into(), false);
    }
    client.wrote(client.out().len());
    let mut parts = Vec::new();
    let (mut fed, mut written) = (0, 0);
    for chunk in chunks {
        fed += chunk.len();
        client.feed(&Bytes::from(*chunk));
        loop {
            match client.part() {
                Ok(Some(part)) => parts.push(part),
                Ok(None) => break,
                Err(_) => return (parts, true),
            }
        }
        written += client.out().len();
        assert!(written <= 3 * fed + 4 * BODY.len(), "{written} bytes for {fed}");
        client.wrote(client.out().len());
    }
    (parts, false)
}

/// The requests, and whether the connection failed.
fn requests(chunks: &[&[u8]]) -> (Vec<Asked>, bool) {
    let mut server = Server::default();
    server.feed(&PREFACE.into());
    let mut requests = Vec::new();
    let (mut fed, mut written) = (0, 0);
    for chunk in chunks {
        fed += chunk.len();
        server.feed(&Bytes::from(*chunk));
        loop {
            match server.asked() {
                Ok(Some(asked)) => {
                    if let Asked::Request(stream, _) = &asked {
                        server.data(*stream, BODY, true);
                        assert!(server.take_out().len() <= 3 * fed + 4 * BODY.len());
                    }
                    requests.push(asked);
                }
                Ok(None) => break,
                Err(_) => return (requests, true),
            }
        }
        written += server.take_out().len();
        assert!(written <= 3 * fed + 4 * BODY.len(), "{written} bytes for {fed}");
    }
    (requests, false)
}
