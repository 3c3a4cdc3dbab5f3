//! A client of the load server that checks every byte.

use std::io::{BufRead as _, BufReader, Cursor, Read as _, Write as _};
use std::net::TcpStream;

use sseproof_codec::{Item, decode};
use sseproof_load::server::{Server, ServerOptions};
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Data, OpCode};

pub(crate) fn server() -> Server {
    Server::start(&ServerOptions::default()).expect("loopback has a port")
}

pub(crate) struct Client {
    pub(crate) stream: BufReader<TcpStream>,
    pub(crate) head: String,
}

impl Client {
    pub(crate) fn ask(server: &Server, request: &str) -> Self {
        let mut stream = TcpStream::connect(server.address()).expect("the server listens");
        stream.write_all(request.replace('\n', "\r\n").as_bytes()).expect("it takes a request");
        let mut client = Self { stream: BufReader::new(stream), head: String::new() };
        client.read_head();
        client
    }

    pub(crate) fn read_head(&mut self) {
        self.head.clear();
        while !self.head.ends_with("\r\n\r\n") {
            let read = self.stream.read_line(&mut self.head).expect("response headers");
            assert!(read > 0, "the connection ended in the headers: {:?}", self.head);
        }
    }

    pub(crate) fn events(server: &Server, query: &str) -> Self {
        let client = Self::ask(server, &format!("GET /events?{query} HTTP/1.1\nHost: a\n\n"));
        assert!(client.head.starts_with("HTTP/1.1 200 OK\r\n"), "{}", client.head);
        client
    }

    pub(crate) fn web_socket(server: &Server, query: &str) -> Self {
        let client = Self::ask(
            server,
            &format!(
                "GET /ws?{query} HTTP/1.1\nHost: a\nConnection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n\n"
            ),
        );
        assert!(client.head.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
        client
    }

    pub(crate) fn body(&mut self) -> String {
        let (_, length) = self.head.split_once("Content-Length: ").expect("it has a length");
        let length = length.lines().next().unwrap().parse().unwrap();
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).expect("it has that length");
        String::from_utf8(body).unwrap()
    }

    /// The next chunk; nothing is the last one.
    pub(crate) fn chunk(&mut self) -> Vec<u8> {
        let mut size = String::new();
        self.stream.read_line(&mut size).expect("a chunk comes");
        let size = usize::from_str_radix(size.trim_end(), 16).expect("a chunk has a size");
        let mut chunk = vec![0; size + 2];
        self.stream.read_exact(&mut chunk).expect("it has that size");
        assert_eq!(chunk.split_off(size), b"\r\n");
        chunk
    }

    pub(crate) fn frame(&mut self) -> (OpCode, Vec<u8>) {
        let mut head = vec![0; 2];
        self.stream.read_exact(&mut head).expect("a frame comes");
        loop {
            if let Some((header, length)) = FrameHeader::parse(&mut Cursor::new(&head)).unwrap() {
                assert_eq!((header.is_final, header.mask), (true, None));
                let mut payload = vec![0; usize::try_from(length).unwrap()];
                self.stream.read_exact(&mut payload).expect("it has that length");
                return (header.opcode, payload);
            }
            let mut byte = [0];
            self.stream.read_exact(&mut byte).expect("the rest of the headers");
            head.extend(byte);
        }
    }

    /// Everything up to the end of a stream of events.
    pub(crate) fn all_chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            match self.chunk() {
                chunk if chunk.is_empty() => return body,
                chunk => body.extend(chunk),
            }
        }
    }

    /// The messages up to a close with the code 1000.
    pub(crate) fn all_messages(&mut self) -> Vec<String> {
        let mut messages = Vec::new();
        loop {
            match self.frame() {
                (OpCode::Data(Data::Text), payload) => {
                    messages.push(String::from_utf8(payload).unwrap());
                }
                (_, payload) => {
                    assert_eq!(payload, 1000_u16.to_be_bytes());
                    return messages;
                }
            }
        }
    }

    pub(crate) fn ends(mut self) {
        let mut rest = Vec::new();
        self.stream.read_to_end(&mut rest).expect("it ends");
        assert_eq!(rest, b"");
    }
}

pub(crate) fn events(body: &[u8]) -> Vec<(String, String)> {
    let items = decode(body).into_iter();
    items
        .filter_map(|item| match item {
            Item::Event(event) => Some((event.last_event_id.into_owned(), event.data.into_owned())),
            _ => None,
        })
        .collect()
}

pub(crate) fn numbers<'a>(data: impl IntoIterator<Item = &'a String>) -> Vec<u64> {
    let number = |data: &String| {
        let json: serde_json::Value = serde_json::from_str(data).expect("the data is JSON");
        json["n"].as_u64().expect("it has a number")
    };
    data.into_iter().map(number).collect()
}

/// Publishes, and gives the body of the answer.
pub(crate) fn publish(server: &Server, topic: &str, data: &str) -> String {
    let length = data.len();
    let mut client = Client::ask(
        server,
        &format!(
            "POST /publish?topic={topic} HTTP/1.1\nHost: a\nContent-Length: {length}\n\n{data}"
        ),
    );
    assert!(client.head.starts_with("HTTP/1.1 200 OK\r\n"), "{}", client.head);
    client.body()
}

pub(crate) fn chat(server: &Server, query: &str, body: &str) -> Client {
    let length = body.len();
    Client::ask(
        server,
        &format!("POST /v1/chat/completions?{query} HTTP/1.1\nContent-Length: {length}\n\n{body}"),
    )
}
