//! Compressed streams: what the embedded server sends is read, and what is wrong is counted.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};
use sseproof_load::server::{Server, ServerOptions};
use sseproof_load::{Generator, Publisher, Target, run};
use sseproof_load_model::schedule::Part;
use sseproof_load_model::{
    Arrivals, Counter, Interval, Plan, Protocol, Publishing, Rate, Reconnecting, Requests,
    Sequencing, Stage, Stamping, Subscribe, Workload,
};
use tokio::sync::watch;
use tungstenite::handshake::derive_accept_key;
use url::Url;

/// Five clients; those whose stream ends do not reconnect.
fn plan(stages: &[Stage], back: bool) -> Plan {
    let mut all = vec![Stage::Ramp { to: 5, over: Duration::ZERO, plateaus: 1 }];
    all.extend_from_slice(stages);
    let wait = Duration::from_millis(20);
    let reconnecting = Reconnecting { back, wait, ..Reconnecting::default() };
    let subscribe = Subscribe { stages: all, reconnecting, ..Subscribe::default() };
    Plan {
        compress: true,
        stamping: Stamping::Own,
        sequencing: Sequencing::Own,
        drain: Duration::from_millis(300),
        ..Plan::new("a test", Workload::Subscribe(subscribe))
    }
}

fn hold(milliseconds: u64) -> Stage {
    Stage::Hold { lasting: Duration::from_millis(milliseconds) }
}

async fn total(
    address: SocketAddr,
    path: &str,
    plan: Plan,
    publisher: Option<Publisher>,
) -> Interval {
    let scheme = if path.starts_with("/ws") { "ws" } else { "http" };
    let url = Url::parse(&format!("{scheme}://{address}{path}")).expect("a URL");
    let generator = Generator {
        plan,
        target: Target::new(url, None).await.expect("an address"),
        publisher,
        part: Part::WHOLE,
        threads: 1,
        start: tokio::time::Instant::now() + Duration::from_millis(20),
        sampling: Duration::from_secs(1),
        settling: Duration::ZERO,
    };
    let (_sender, stop) = watch::channel(false);
    let played = run(generator, stop, |_| None).await;
    let mut total = Interval::default();
    played.intervals.iter().for_each(|interval| total.total(interval));
    total
}

fn counts<const N: usize>(total: &Interval, counters: [Counter; N]) -> [u64; N] {
    counters.map(|counter| total.counters.count(counter))
}

use Counter::{Bytes, Compressed, Duplicated, Errors, Events, Lost, Reconnects, Streams};

#[tokio::test(flavor = "multi_thread")]
async fn the_same_events_arrive_in_fewer_bytes() {
    let server = Server::start(&ServerOptions::default()).expect("a port");
    for kind in ["/events", "/ws"] {
        for (more, expected) in
            [("", [100, 0, 0, 0]), ("&lose=5", [80, 15, 0, 0]), ("&repeat=5", [120, 0, 20, 0])]
        {
            let path = format!("{kind}?every=10ms&burst=3&count=20&size=400{more}");
            let compressed = total(server.address(), &path, plan(&[hold(600)], false), None).await;
            let plain = Plan { compress: false, ..plan(&[hold(600)], false) };
            let plain = total(server.address(), &path, plain, None).await;
            for total in [&plain, &compressed] {
                let seen = counts(total, [Events, Lost, Duplicated, Errors]);
                assert_eq!(seen, expected, "{path} {:?}", total.counters);
            }
            assert_eq!(counts(&compressed, [Streams, Compressed]), [5, 5], "{path}");
            assert_eq!(counts(&plain, [Streams, Compressed]), [5, 0], "{path}");
            let [fewer, more] = [&compressed, &plain].map(|total| total.counters.count(Bytes));
            assert!(2 * fewer < more, "{path}: {fewer} of {more}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_stream_of_a_client_that_reconnects_is_read_anew() {
    let server = Server::start(&ServerOptions::default()).expect("a port");
    let address = server.address();
    for kind in ["/events", "/ws"] {
        let storm = Stage::Storm { share: 1.0, lasting: Duration::from_millis(500) };
        let mut plan = plan(&[hold(300), storm], true);
        let (rate, size, after) = (50.0, 200, Duration::from_millis(50));
        plan.publishing = Some(Publishing { rate, arrivals: Arrivals::Constant, size, after });
        let url = Url::parse(&format!("http://{address}/publish")).expect("a URL");
        let to = Target::new(url, None).await.expect("an address");
        let publisher = Publisher::requests(to, move |emission| {
            let (data, length) = (&emission.data, emission.data.len());
            let bytes = format!(
                "POST /publish?topic=t HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n{data}"
            );
            Ok(bytes.into_bytes())
        });
        let total = total(address, &format!("{kind}?topic=t"), plan, Some(publisher)).await;
        let seen = counts(&total, [Streams, Compressed, Reconnects, Duplicated, Errors]);
        assert_eq!(seen, [10, 10, 5, 0, 0], "{:?}", total.counters);
        assert!(total.counters.count(Events) > 100, "{:?}", total.counters);
        // A WebSocket does not resume.
        if kind == "/events" {
            assert_eq!(total.counters.count(Lost), 0, "{:?}", total.counters);
        }
    }
}

/// A server that answers each request with these bytes, and closes the connection.
fn answering(answer: impl Fn(&str) -> Vec<u8> + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut request = vec![0; 4096];
            let read = stream.read(&mut request).expect("a request");
            let request = String::from_utf8_lossy(&request[..read]).into_owned();
            stream.write_all(&answer(&request)).expect("a client");
        }
    });
    address
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text).expect("a Vec");
    encoder.finish().expect("a Vec")
}

/// The kinds of the errors of five clients, each of which has one.
async fn kinds(address: SocketAddr, path: &str, plan: Plan) -> Vec<String> {
    let total = total(address, path, plan, None).await;
    assert_eq!(total.counters.count(Errors), 5, "{:?}", total.counters);
    total.counters.errors_with_kinds().map(|(_, kind)| kind.key().into_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_that_is_not_compressed_as_it_says_is_an_error() {
    let events = b"data: 1\n\ndata: 2\n\n";
    let good = gzip(events);
    for (coding, body, compress, kind) in [
        ("gzip", events.to_vec(), true, "coding"),
        ("gzip", good[..good.len() - 9].to_vec(), true, "truncated"),
        ("gzip", gzip(&vec![b'a'; 64 << 20]), true, "coding"),
        ("br", good.clone(), true, "no-stream"),
        ("gzip, gzip", good.clone(), true, "no-stream"),
        ("gzip", good.clone(), false, "no-stream"),
    ] {
        let address = answering(move |_| {
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: {coding}\r\n\r\n"
            );
            [head.as_bytes(), &body].concat()
        });
        let plan = Plan { compress, ..plan(&[hold(200)], false) };
        assert_eq!(kinds(address, "/events", plan).await, [kind], "{coding}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_that_breaks_its_agreement_is_an_error() {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(b"a message").expect("a Vec");
    encoder.flush().expect("a Vec");
    let message = encoder.get_ref()[..encoder.get_ref().len() - 4].to_vec();
    let cut = message[..message.len() - 3].to_vec();
    for (extensions, payload, compress, kind) in [
        ("", message.clone(), true, "protocol"),
        ("permessage-deflate", cut, true, "coding"),
        ("permessage-deflate", b"a message".to_vec(), true, "coding"),
        ("permessage-deflate; level=9", message.clone(), true, "protocol"),
        ("permessage-deflate", message.clone(), false, "protocol"),
        // The stream itself is right, and is closed without a close frame.
        ("permessage-deflate; server_no_context_takeover", message, true, "truncated"),
    ] {
        let address = answering(move |request| {
            let (_, key) = request.split_once("Sec-WebSocket-Key: ").expect("a key");
            let accept = derive_accept_key(key.split("\r\n").next().unwrap_or_default().as_bytes());
            let more = match extensions {
                "" => String::new(),
                some => format!("Sec-WebSocket-Extensions: {some}\r\n"),
            };
            let head = format!(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n{more}\r\n"
            );
            let frame = [0xC1, u8::try_from(payload.len()).expect("a short one")];
            [head.as_bytes(), &frame, &payload].concat()
        });
        let plan = Plan { compress, ..plan(&[hold(200)], false) };
        assert_eq!(kinds(address, "/ws", plan).await, [kind], "{extensions}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_compressed_too() {
    let body = gzip(b"data: one\n\ndata: two\n\n");
    for (cut, completed, errors) in [(0, 10, 0), (3, 0, 10)] {
        let body = body[..body.len() - cut].to_vec();
        let address = answering(move |request| {
            assert!(request.contains("\r\nAccept-Encoding: gzip\r\n"), "{request}");
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            [head.as_bytes(), &body].concat()
        });
        let rate = Rate::Open { from: 20.0, to: 20.0, arrivals: Arrivals::Constant };
        let (lasting, protocol) = (Duration::from_millis(500), Protocol::Plain);
        let requests = Requests { rate, lasting, protocol, objectives: Vec::new() };
        let plan = Plan { compress: true, ..Plan::new("a test", Workload::Request(requests)) };
        let total = total(address, "/events", plan, None).await;
        let seen = counts(&total, [Counter::Completed, Errors, Compressed, Events]);
        assert_eq!(seen, [completed, errors, 10, 20], "{:?}", total.counters);
    }
}
