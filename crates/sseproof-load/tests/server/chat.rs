//! Streams as a language model sends them.

use std::io::Write as _;

use crate::client::{Client, chat, events, server};

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
fn a_client_that_disconnects_from_a_chat_is_not_counted_any_more() {
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
