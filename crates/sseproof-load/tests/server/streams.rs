//! Own streams: both transports carry the same, faults are exact, and ends are ends.

use std::io::{Read as _, Write as _};
use std::time::Duration;

use tungstenite::protocol::frame::coding::OpCode;

use crate::client::{Client, events, numbers, server};

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
fn a_client_that_accepts_gzip_gets_the_same_compressed() {
    let server = server();
    for (version, end) in
        [("1.1", "every=1ms&count=20&size=200&retry=5"), ("1.0", "every=1ms&count=20")]
    {
        let request = format!("GET /events?{end} HTTP/{version}\nAccept-Encoding: gzip\n\n");
        let mut client = Client::ask(&server, &request);
        assert!(client.head.contains("\r\nContent-Encoding: gzip\r\n"), "{}", client.head);
        let mut body = Vec::new();
        match version {
            "1.1" => body = client.all_chunks(),
            _ => drop(client.stream.read_to_end(&mut body).expect("a body")),
        }
        let mut text = Vec::new();
        flate2::read::GzDecoder::new(&body[..]).read_to_end(&mut text).expect("gzip with its end");
        assert!(body.len() < text.len(), "{} of {}", body.len(), text.len());
        assert_eq!(
            numbers(events(&text).iter().map(|(_, data)| data)),
            (0..20).collect::<Vec<_>>()
        );
    }
    assert!(!Client::events(&server, "count=1").head.contains("Content-Encoding"));
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

#[test]
fn a_slow_reader_of_own_events_gets_them_all() {
    let server = server();
    // More than the kernel takes, so that the server has to wait.
    let mut client = Client::events(&server, "every=1ms&burst=100&size=10000&count=2000");
    std::thread::sleep(Duration::from_millis(100));
    let body = client.all_chunks();
    let got = numbers(events(&body).iter().map(|(_, data)| data));
    assert_eq!(got, (0..2000).collect::<Vec<_>>());
}

#[test]
fn streams_end_as_their_parameters_say() {
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
