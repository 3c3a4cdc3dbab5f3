//! The load server over loopback: what it promises exactly, whatever the machine is busy with.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::{BufRead as _, BufReader, Cursor, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use sseproof_codec::{Item, decode};
use sseproof_load::server::{Server, ServerOptions};
use sseproof_net::{Identity, IdentityOptions};
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Data, OpCode};

fn server() -> Server {
    Server::start(&ServerOptions::default()).expect("loopback has a port")
}

/// A client of a server.
struct Client {
    stream: BufReader<TcpStream>,
    head: String,
}

impl Client {
    /// Sends a request, and reads the head of the answer.
    fn ask(server: &Server, request: &str) -> Self {
        let mut stream = TcpStream::connect(server.address()).expect("the server listens");
        stream.write_all(request.replace('\n', "\r\n").as_bytes()).expect("it takes a request");
        let mut client = Self { stream: BufReader::new(stream), head: String::new() };
        client.read_head();
        client
    }

    fn read_head(&mut self) {
        self.head.clear();
        while !self.head.ends_with("\r\n\r\n") {
            let read = self.stream.read_line(&mut self.head).expect("a head comes");
            assert!(read > 0, "the connection ended in the head: {:?}", self.head);
        }
    }

    fn events(server: &Server, query: &str) -> Self {
        let client = Self::ask(server, &format!("GET /events?{query} HTTP/1.1\nHost: a\n\n"));
        assert!(client.head.starts_with("HTTP/1.1 200 OK\r\n"), "{}", client.head);
        client
    }

    fn web_socket(server: &Server, query: &str) -> Self {
        let client = Self::ask(
            server,
            &format!(
                "GET /ws?{query} HTTP/1.1\nHost: a\nConnection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n\n"
            ),
        );
        assert!(client.head.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
        client
    }

    /// The body as far as its length says.
    fn body(&mut self) -> String {
        let (_, length) = self.head.split_once("Content-Length: ").expect("it has a length");
        let length = length.lines().next().unwrap().parse().unwrap();
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).expect("it has that length");
        String::from_utf8(body).unwrap()
    }

    /// The next chunk; nothing is the last one.
    fn chunk(&mut self) -> Vec<u8> {
        let mut size = String::new();
        self.stream.read_line(&mut size).expect("a chunk comes");
        let size = usize::from_str_radix(size.trim_end(), 16).expect("a chunk has a size");
        let mut chunk = vec![0; size + 2];
        self.stream.read_exact(&mut chunk).expect("it has that size");
        assert_eq!(chunk.split_off(size), b"\r\n");
        chunk
    }

    /// The next frame.
    fn frame(&mut self) -> (OpCode, Vec<u8>) {
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
            self.stream.read_exact(&mut byte).expect("the head goes on");
            head.extend(byte);
        }
    }

    /// Everything up to the end of a stream of events.
    fn all_chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            match self.chunk() {
                chunk if chunk.is_empty() => return body,
                chunk => body.extend(chunk),
            }
        }
    }

    /// The messages up to a close with the code 1000.
    fn all_messages(&mut self) -> Vec<String> {
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

    fn ends(mut self) {
        let mut rest = Vec::new();
        self.stream.read_to_end(&mut rest).expect("it ends");
        assert_eq!(rest, b"");
    }
}

/// The id and the data of each event.
fn events(body: &[u8]) -> Vec<(String, String)> {
    let items = decode(body).into_iter();
    items
        .filter_map(|item| match item {
            Item::Event(event) => Some((event.last_event_id.into_owned(), event.data.into_owned())),
            _ => None,
        })
        .collect()
}

/// The numbers that the data has.
fn numbers<'a>(data: impl IntoIterator<Item = &'a String>) -> Vec<u64> {
    let number = |data: &String| {
        let json: serde_json::Value = serde_json::from_str(data).expect("the data is JSON");
        json["n"].as_u64().expect("it has a number")
    };
    data.into_iter().map(number).collect()
}

#[test]
fn both_transports_carry_the_same_and_end() {
    let server = server();
    let query = "every=1ms&count=20&size=200";
    let mut client = Client::events(&server, query);
    assert!(client.head.contains("Content-Type: text/event-stream\r\n"));
    let events = events(&client.all_chunks());
    client.ends();
    let mut client = Client::web_socket(&server, query);
    let messages = client.all_messages();
    client.ends();

    assert_eq!(numbers(&messages), (0..20).collect::<Vec<_>>());
    assert_eq!(numbers(events.iter().map(|(_, data)| data)), numbers(&messages));
    for (n, ((id, data), message)) in events.iter().zip(&messages).enumerate() {
        assert_eq!(*id, n.to_string());
        assert_eq!((data.len(), message.len()), (200, 200));
    }
}

#[test]
fn faults_are_exact_on_both_transports() {
    let server = server();
    for (fault, expected) in [
        ("lose=5", vec![0, 1, 2, 3, 5, 6, 7, 8]),
        ("repeat=5", vec![0, 1, 2, 3, 4, 4, 5, 6, 7, 8, 9, 9]),
        ("swap=4", vec![0, 1, 2, 4, 3, 5, 6, 8, 7, 9]),
    ] {
        // Ticks of one event and of several, with the end of a tick between two that are swapped.
        for burst in [1, 2, 10] {
            let query = format!("every=1ms&count=10&burst={burst}&{fault}");
            let body = Client::events(&server, &query).all_chunks();
            assert_eq!(numbers(events(&body).iter().map(|(_, data)| data)), expected, "{query}");
            assert_eq!(numbers(&Client::web_socket(&server, &query).all_messages()), expected);
        }
    }
}

#[test]
fn own_streams_go_on_with_the_next_number() {
    let server = server();
    let request = "GET /events?every=1ms&count=3 HTTP/1.1\nHost: a\nLast-Event-ID: 41\n\n";
    let body = Client::ask(&server, request).all_chunks();
    assert_eq!(numbers(events(&body).iter().map(|(_, data)| data)), [42, 43, 44]);
    let query = "every=1ms&count=3&last-event-id=41";
    assert_eq!(numbers(&Client::web_socket(&server, query).all_messages()), [42, 43, 44]);
}

#[test]
fn a_delayed_event_says_how_long_it_was_held() {
    let server = server();
    let messages = Client::web_socket(&server, "every=1ms&delay=5ms&count=5").all_messages();
    for message in messages {
        let json: serde_json::Value = serde_json::from_str(&message).unwrap();
        assert!(json["held"].as_u64().unwrap() >= 5_000_000, "{message}");
    }
}

/// Publishes, and gives the body of the answer.
fn publish(server: &Server, topic: &str, data: &str) -> String {
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

#[test]
fn what_is_published_goes_to_all_that_listen_to_its_topic() {
    let server = server();
    let mut sse = [(); 3].map(|()| Client::events(&server, "topic=news"));
    let mut web_socket = [(); 2].map(|()| Client::web_socket(&server, "topic=news"));
    let mut other = Client::events(&server, "topic=other");
    assert_eq!(publish(&server, "news", "one"), "{\"subscribers\":5}\n");
    assert_eq!(publish(&server, "other", "else"), "{\"subscribers\":1}\n");
    assert_eq!(publish(&server, "nobody", "hears"), "{\"subscribers\":0}\n");
    assert_eq!(publish(&server, "news", "two"), "{\"subscribers\":5}\n");
    for client in &mut sse {
        let got = [client.chunk(), client.chunk()].concat();
        assert_eq!(got, b"id: 0\ndata: one\n\nid: 1\ndata: two\n\n");
    }
    for client in &mut web_socket {
        assert_eq!(client.frame(), (OpCode::Data(Data::Text), b"one".to_vec()));
        assert_eq!(client.frame(), (OpCode::Data(Data::Text), b"two".to_vec()));
    }
    assert_eq!(other.chunk(), b"id: 0\ndata: else\n\n");
}

#[test]
fn who_comes_back_gets_what_was_published_meanwhile() {
    let server = server();
    for data in ["zero", "one", "two", "three"] {
        publish(&server, "news", data);
    }
    let request = "GET /events?topic=news&count=2 HTTP/1.1\nHost: a\nLast-Event-ID: 1\n\n";
    let body = Client::ask(&server, request).all_chunks();
    assert_eq!(body, b"id: 2\ndata: two\n\nid: 3\ndata: three\n\n");
    let mut client = Client::web_socket(&server, "topic=news&last-event-id=2");
    publish(&server, "news", "four");
    assert_eq!(client.frame().1, b"three");
    assert_eq!(client.frame().1, b"four");
}

#[test]
fn faults_are_exact_in_what_is_published_too() {
    let server = server();
    let mut lost = Client::events(&server, "topic=t&count=6&lose=3");
    let mut twice = Client::events(&server, "topic=t&count=6&repeat=3");
    let mut swapped = Client::web_socket(&server, "topic=t&count=5&swap=3");
    for n in 0..6 {
        publish(&server, "t", &n.to_string());
    }
    let data = |body: Vec<u8>| events(&body).into_iter().map(|(_, data)| data).collect::<String>();
    assert_eq!(data(lost.all_chunks()), "0134");
    assert_eq!(data(twice.all_chunks()), "01223455");
    assert_eq!(swapped.all_messages().concat(), "01324");
}

#[test]
fn who_does_not_read_is_cut_off_and_holds_up_nobody() {
    let server = Server::start(&ServerOptions { queue: 64 << 10, ..ServerOptions::default() });
    let server = server.unwrap();
    let deaf = Client::events(&server, "topic=t");
    let mut reader = Client::events(&server, "topic=t");
    let data = "x".repeat(100_000);
    let mut published = 0;
    // The kernel takes some MiB for a client that does not read.
    while publish(&server, "t", &data) == "{\"subscribers\":2}\n" {
        published += 1;
        assert!(reader.chunk().ends_with(format!("{data}\n\n").as_bytes()));
        assert!(published < 1000, "100 MB wait for a client that does not read");
    }
    assert_eq!(publish(&server, "t", &data), "{\"subscribers\":1}\n");
    // What it would read now ends in a reset, and not as if it were complete.
    let mut rest = Vec::new();
    let mut deaf = deaf.stream;
    assert!(deaf.read_to_end(&mut rest).is_err());
}

#[test]
fn a_slow_reader_of_own_events_gets_them_all() {
    let server = server();
    // More than the kernel takes, so that the server has to wait.
    let mut client = Client::events(&server, "every=1ms&burst=100&size=10000&count=2000");
    std::thread::sleep(std::time::Duration::from_millis(100));
    let body = client.all_chunks();
    let got = numbers(events(&body).iter().map(|(_, data)| data));
    assert_eq!(got, (0..2000).collect::<Vec<_>>());
}

#[test]
fn streams_end_when_they_are_told_to() {
    let server = server();
    let mut client = Client::events(&server, "every=never&end-after=1ms&retry=250");
    assert_eq!(client.all_chunks(), b"retry: 250\n\n");
    client.ends();
    assert!(Client::web_socket(&server, "every=never&end-after=1ms").all_messages().is_empty());
    let mut reset = Client::events(&server, "every=never&reset-after=1ms");
    assert!(reset.stream.read_to_end(&mut Vec::new()).is_err());
}

#[test]
fn a_web_socket_answers_pings_and_closes() {
    let server = server();
    let mut client = Client::web_socket(&server, "every=never");
    let mut send = client.stream.get_ref().try_clone().unwrap();
    send.write_all(b"\x89\x82\0\0\0\0hi\x01\x81\0\0\0\0a").unwrap();
    send.write_all(b"\x80\x81\0\0\0\0b\x88\x82\0\0\0\0\x0b\xb8").unwrap();
    let control = |first: u8| OpCode::from(first);
    assert_eq!(client.frame(), (control(10), b"hi".to_vec()));
    assert_eq!(client.frame(), (control(8), b"\x0b\xb8".to_vec()));
    client.ends();

    let mut rude = Client::web_socket(&server, "every=never");
    rude.stream.get_mut().write_all(b"\x81\x01x").unwrap();
    assert_eq!(rude.frame(), (control(8), 1002_u16.to_be_bytes().to_vec()));
    rude.ends();
}

#[test]
fn open_streams_are_counted() {
    let server = server();
    let count = || {
        let mut client = Client::ask(&server, "GET /connections HTTP/1.1\nHost: a\n\n");
        client.body()
    };
    let sse = Client::events(&server, "every=never");
    let web_socket = Client::web_socket(&server, "topic=t");
    assert_eq!(count(), "2\n");
    drop((sse, web_socket));
    // The server learns of it in its own time.
    while count() != "0\n" {
        std::thread::yield_now();
    }
    assert_eq!(publish(&server, "t", "to nobody"), "{\"subscribers\":0}\n");
}

#[test]
fn requests_that_cannot_be_are_told_what_to_write() {
    let server = server();
    for (request, status, words) in [
        ("GET /events?every=1x HTTP/1.1", "400 Bad Request", "`every=1x` is no duration"),
        ("GET /ws?lose=0 HTTP/1.1", "426 Upgrade Required", "for Server-Sent Events there is"),
        ("GET /nothing HTTP/1.1", "404 Not Found", "GET /events"),
        ("POST /events HTTP/1.1", "405 Method Not Allowed", "this takes GET, HEAD"),
        ("POST /publish HTTP/1.1", "400 Bad Request", "/publish?topic=news"),
        (
            "POST /publish?topic=t HTTP/1.1\nContent-Length: 2000000",
            "413 Content Too Large",
            "and not 2000000",
        ),
        (
            "POST /publish?topic=t HTTP/1.1\nTransfer-Encoding: chunked",
            "411 Length Required",
            "Content-Length",
        ),
        ("nonsense", "400 Bad Request", "no request of HTTP/1.1"),
    ] {
        let mut client = Client::ask(&server, &format!("{request}\nHost: a\n\n"));
        assert!(client.head.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{}", client.head);
        let body = client.body();
        assert!(body.contains(words), "{request}: {body}");
    }
}

#[test]
fn a_connection_takes_one_request_after_the_other() {
    let server = server();
    let heads = "HEAD /events HTTP/1.1\nHost: a\n\nGET /connections HTTP/1.1\nHost: a\n\n";
    let stream = "POST /publish?topic=t HTTP/1.1\nContent-Length: 2\n\nhiGET /events?every=1ms&count=1 HTTP/1.1\nHost: a\n\n";
    let mut client = Client::ask(&server, &format!("{heads}{stream}"));
    assert!(client.head.contains("text/event-stream"));
    client.read_head();
    assert_eq!(client.body(), "0\n");
    client.read_head();
    assert_eq!(client.body(), "{\"subscribers\":0}\n");
    client.read_head();
    assert!(client.all_chunks().starts_with(b"id: 0\n"));
    client.ends();
}

#[test]
fn a_client_of_http_1_0_gets_no_chunks() {
    let server = server();
    let mut client = Client::ask(&server, "GET /events?every=1ms&count=2 HTTP/1.0\n\n");
    let mut body = Vec::new();
    client.stream.read_to_end(&mut body).unwrap();
    assert_eq!(numbers(events(&body).iter().map(|(_, data)| data)), [0, 1]);
}

/// Asks for a chat, and gives the client.
fn chat(server: &Server, query: &str, body: &str) -> Client {
    let length = body.len();
    Client::ask(
        server,
        &format!("POST /v1/chat/completions?{query} HTTP/1.1\nContent-Length: {length}\n\n{body}"),
    )
}

#[test]
fn a_chat_streams_its_tokens_and_keeps_the_connection() {
    let server = server();
    let query = "first=1ms&token-every=1ms&tokens=20";
    let body = r#"{"model":"m","messages":[{"role":"user","content":"hi"}],"stream":true,"stream_options":{"include_usage":true}}"#;
    let mut client = chat(&server, query, body);
    assert!(client.head.contains("Content-Type: text/event-stream\r\n"), "{}", client.head);
    let got = client.all_chunks();
    let mut data: Vec<_> = events(&got).into_iter().map(|(_, data)| data).collect();
    assert_eq!(data.pop().as_deref(), Some("[DONE]"));
    let chunks: Vec<serde_json::Value> =
        data.iter().map(|data| serde_json::from_str(data).unwrap()).collect();
    let delta = |n: usize| &chunks[n]["choices"][0]["delta"];
    assert_eq!(delta(0)["role"], "assistant");
    assert!((1..=20).all(|n| delta(n)["content"].as_str().is_some_and(|word| !word.is_empty())));
    assert_eq!(chunks[21]["choices"][0]["finish_reason"], "stop");
    assert_eq!(chunks[22]["usage"]["completion_tokens"], 20);
    assert_eq!(chunks.len(), 23);

    let next = "GET /connections HTTP/1.1\r\n\r\n";
    client.stream.get_mut().write_all(next.as_bytes()).unwrap();
    client.read_head();
    assert_eq!(client.body(), "0\n");
}

#[test]
fn a_chat_without_a_stream_is_one_answer() {
    let server = server();
    let query = "first=1ms&token-every=1ms&tokens=3";
    let mut client = chat(&server, query, r#"{"model":"m","messages":[{"content":"hi"}]}"#);
    let answer: serde_json::Value = serde_json::from_str(&client.body()).unwrap();
    assert_eq!(answer["choices"][0]["message"]["content"], " the stream goes");
    let mut client = chat(&server, query, r#"{"messages":[]}"#);
    assert!(client.head.starts_with("HTTP/1.1 400 Bad Request\r\n"));
    let error: serde_json::Value = serde_json::from_str(&client.body()).unwrap();
    assert_eq!(error["error"]["type"], "invalid_request_error");
}

#[test]
fn who_leaves_a_chat_is_not_counted_any_more() {
    let server = server();
    let body = r#"{"model":"m","messages":[{"content":"hi"}],"stream":true}"#;
    let slow = chat(&server, "first=1h", body);
    let count = || Client::ask(&server, "GET /connections HTTP/1.1\nHost: a\n\n").body();
    assert_eq!(count(), "1\n");
    drop(slow);
    while count() != "0\n" {
        std::thread::yield_now();
    }
}

#[test]
fn tls_carries_the_same() {
    let hosts = vec!["localhost".to_owned()];
    let identity = Identity::new(&IdentityOptions { hosts, ..IdentityOptions::default() }).unwrap();
    let tls = Some(identity.server_config());
    let server = Server::start(&ServerOptions { tls, ..ServerOptions::default() }).unwrap();

    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(identity.authority().as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = "localhost".try_into().unwrap();
    let client = ClientConnection::new(Arc::new(config), name).unwrap();
    let stream = TcpStream::connect(server.address()).unwrap();
    let mut client = StreamOwned::new(client, stream);
    // More at once than TLS and the kernel take, and nobody reads for a while.
    let query = "every=1ms&burst=100&size=10000&count=2000";
    client.write_all(format!("GET /events?{query} HTTP/1.0\r\n\r\n").as_bytes()).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(100));
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).expect("it ends as TLS ends");
    let head = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let got = numbers(events(&answer[head + 4..]).iter().map(|(_, data)| data));
    assert_eq!(got, (0..2000).collect::<Vec<_>>());
}
