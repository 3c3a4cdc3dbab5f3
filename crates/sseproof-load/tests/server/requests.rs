//! Requests, and the messages to invalid ones.

use std::io::Read as _;

use crate::client::{Client, events, numbers, server};

#[test]
fn a_mistake_in_a_request_is_answered_with_a_suggestion() {
    let server = server();
    let rows = include_str!("mistakes.json");
    for (request, status, words) in
        serde_json::from_str::<Vec<(String, String, String)>>(rows).unwrap()
    {
        let mut client = Client::ask(&server, &format!("{request}\nHost: a\n\n"));
        assert!(client.head.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{}", client.head);
        let body = client.body();
        assert!(body.contains(&words), "{request}: {body}");
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
    assert!(client.head.contains("Connection: close\r\n"), "{}", client.head);
    assert!(!client.head.contains("Transfer-Encoding"), "{}", client.head);
    let mut body = Vec::new();
    client.stream.read_to_end(&mut body).unwrap();
    assert_eq!(numbers(events(&body).iter().map(|(_, data)| data)), [0, 1]);
}
