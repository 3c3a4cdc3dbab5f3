//! A published message reaches all subscribers, and a client that does not read blocks no other.

use std::io::Read as _;

use sseproof_load::server::{Server, ServerOptions};
use tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::client::{Client, events, publish, server};

#[test]
fn what_is_published_goes_to_all_that_listen_to_its_topic() {
    let server = server();
    let mut sse = [(); 3].map(|()| Client::events(&server, "topic=news"));
    let mut web_socket = [(); 2].map(|()| Client::web_socket(&server, "topic=news"));
    let mut other = Client::events(&server, "topic=other");
    assert_eq!(publish(&server, "news", "one"), "{\"subscribers\":5}\n");
    assert_eq!(publish(&server, "other", "else"), "{\"subscribers\":1}\n");
    assert_eq!(publish(&server, "empty", "unheard"), "{\"subscribers\":0}\n");
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
fn a_client_that_reconnects_gets_the_messages_published_meanwhile() {
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
fn a_client_that_does_not_read_is_cut_off_and_blocks_no_other() {
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
    // The rest ends in a reset, and not as if it were complete.
    let mut rest = Vec::new();
    let mut deaf = deaf.stream;
    assert!(deaf.read_to_end(&mut rest).is_err());
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
    assert_eq!(publish(&server, "t", "unheard"), "{\"subscribers\":0}\n");
}
