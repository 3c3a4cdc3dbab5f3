//! The recording client and the lab server in HTTP/2, over a pipe in memory.

mod support;

use std::sync::Arc;
use std::time::Duration;

use sseproof_http::http2::kind;
use sseproof_http::{Action, Answer, Bytes, Plan, Request, Version};
use sseproof_net::{
    Client, ConnectionOptions, Identity, IdentityOptions, Lab, Leave, Limits, RequestOptions, Tls,
    TlsOptions, Waited,
};
use sseproof_record::Ending;

use self::support::{LONG, stream, whole, write};

fn prior(answer: Answer) -> Client {
    let ways = ConnectionOptions { http: Some(Version::Http2), ..ConnectionOptions::default() };
    Client::new(Arc::new(Lab::new(answer).in_process()), Limits::default()).with(ways)
}

fn get(url: &str) -> Request {
    Request::subscribe(url)
}

async fn ending(answer: Answer) -> Ending {
    whole(&prior(answer), get("http://lab/")).await.end.how
}

#[tokio::test(start_paused = true)]
async fn a_stream_comes_piece_by_piece_with_its_frames() {
    let second = Duration::from_secs(1);
    let client = prior(|_| {
        let pause = Action::Wait(Duration::from_secs(1));
        stream([write("data: 1\n\n"), pause.clone(), write("data: 2\n\n"), pause, Action::Finish])
    });
    let exchange = whole(&client, get("http://lab/events")).await;
    assert_eq!(exchange.end.how, Ending::Complete);
    assert_eq!(exchange.request.version, Version::Http2);
    let head = exchange.head.as_ref().expect("headers");
    assert_eq!((head.version, head.status), (Version::Http2, 200));
    assert_eq!(head.headers.first("content-type").as_deref(), Some("text/event-stream"));
    assert_eq!(exchange.body_bytes(), b"data: 1\n\ndata: 2\n\n");
    assert_eq!(exchange.body[1].at - exchange.body[0].at, second);
    assert_eq!(exchange.transport.stream, Some(1));
    assert_eq!(exchange.wire_bytes()[3], kind::SETTINGS);
}

#[tokio::test(start_paused = true)]
async fn every_ending_is_distinguished() {
    assert_eq!(ending(|_| stream([write("x"), Action::Finish])).await, Ending::Complete);
    assert_eq!(ending(|_| stream([write("x")])).await, Ending::StreamReset(2));
    assert_eq!(ending(|_| stream([write("x"), Action::Close])).await, Ending::Truncated);
    assert_eq!(ending(|_| stream([write("x"), Action::Reset])).await, Ending::Reset);
    assert_eq!(ending(|_| Plan::answer(404, "text/plain", "no")).await, Ending::Complete);
    let gone = |_: &sseproof_http::Visit<'_>| {
        let frame = Bytes::from(b"\0\0\x08\x07\0\0\0\0\0\0\0\0\x01\0\0\0\x0b");
        stream([Action::Raw(frame), Action::Close])
    };
    assert_eq!(ending(gone).await, Ending::GoneAway(11));
    assert!(matches!(ending(|_| Plan { actions: vec![Action::Hold] }).await, Ending::TimedOut(_)));
}

#[tokio::test(start_paused = true)]
async fn large_bodies_pass_the_windows_both_ways() {
    let client = prior(|visit| Plan::answer(200, "text/plain", visit.request.body.clone()));
    let mut request = get("http://lab/");
    request.method = "POST".to_owned();
    request.body = Bytes::from("x".repeat(1 << 20));
    let exchange = whole(&client, request).await;
    assert_eq!(
        (exchange.end.how, exchange.body.iter().map(|c| c.bytes.len()).sum::<usize>()),
        (Ending::Complete, 1 << 20)
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_agreed_on_over_tls_is_spoken() {
    for (alpn, http, version) in [
        (&["h2", "http/1.1"][..], None, Some(Version::Http2)),
        (&["h2", "http/1.1"], Some(Version::Http11), Some(Version::Http11)),
        (&["http/1.1"], None, Some(Version::Http11)),
        (&[], None, Some(Version::Http11)),
        (&["http/1.1"], Some(Version::Http2), None),
        (&[], Some(Version::Http2), None),
    ] {
        let options = IdentityOptions {
            hosts: vec!["lab".to_owned()],
            alpn: alpn.iter().map(|name| (*name).to_owned()).collect(),
            ..IdentityOptions::default()
        };
        let identity = Identity::new(&options).expect("an identity");
        let tls = Tls::new(TlsOptions { insecure: true, ..TlsOptions::default() }).expect("TLS");
        let lab = Lab::new(|_| stream([write("data: x\n\n"), Action::Finish]));
        let dial = Arc::new(lab.over_tls(identity).in_process());
        let client = Client::new(dial, Limits::default()).with(ConnectionOptions {
            tls,
            http,
            ..ConnectionOptions::default()
        });
        let exchange = whole(&client, get("https://lab/")).await;
        assert_eq!(exchange.head.map(|head| head.version), version, "{alpn:?} {http:?}");
        if version.is_none() {
            assert!(matches!(exchange.end.how, Ending::Handshake(_)), "{:?}", exchange.end);
        }
    }
}

/// A server that sends an event every second.
fn ticking(_: &sseproof_http::Visit<'_>) -> Plan {
    let tick = [write("data: x\n\n"), Action::Wait(Duration::from_secs(1))];
    stream(tick.into_iter().cycle().take(20).chain([Action::Finish]))
}

#[tokio::test(start_paused = true)]
async fn streams_share_a_connection_and_leave_it_one_by_one() {
    let client = prior(ticking);
    let mut first = client.open(get("http://lab/")).expect("an exchange");
    first.wait(LONG, |progress| progress.events() == 2).await;
    let on = RequestOptions { on: Some(&first), ..RequestOptions::default() };
    let mut second = client.open_with(get("http://lab/"), on).expect("an exchange");
    let elsewhere = client.open_with(get("http://lab:81/"), on).expect("an exchange");
    assert!(second.joins() && !elsewhere.joins() && !first.joins());
    second.wait(LONG, |progress| progress.events() == 2).await;

    // The client that disconnects first cancels only its own stream.
    let first = first.leave(Leave::Reset).await;
    second.wait(LONG, |progress| progress.events() == 5).await;
    let second = second.leave(Leave::Fin).await;
    assert_eq!((first.end.how, second.end.how), (Ending::Disconnected, Ending::Disconnected));
    assert_eq!((first.transport.stream, second.transport.stream), (Some(1), Some(3)));
    assert!(second.phases.connected.is_none() && second.phases.sent.is_some());
    let cancel = b"\0\0\x04\x03\0\0\0\0\x01\0\0\0\x08";
    let sent: Vec<u8> = second.sent.iter().flat_map(|chunk| chunk.bytes.to_vec()).collect();
    assert!(sent.windows(cancel.len()).any(|window| window == cancel));
}

#[tokio::test(start_paused = true)]
async fn a_stream_without_a_window_gets_no_more_than_it_allows() {
    let client = prior(ticking);
    for (window, bytes) in [(0, 0), (12, 12)] {
        let options = RequestOptions { window: Some(window), ..RequestOptions::default() };
        let mut slow = client.open_with(get("http://lab/"), options).expect("an exchange");
        slow.wait(LONG, |progress| progress.exchange.head.is_some()).await;
        let on = RequestOptions { on: Some(&slow), ..RequestOptions::default() };
        let mut quick = client.open_with(get("http://lab/"), on).expect("an exchange");
        assert_eq!(quick.wait(LONG, |progress| progress.events() == 10).await, Waited::Reached);
        let (slow, quick) = (slow.leave(Leave::Fin).await, quick.leave(Leave::Fin).await);
        assert_eq!((slow.body_len(), slow.transport.window), (bytes, Some(window)));
        assert_eq!((quick.body_len(), quick.transport.window), (90, None));
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_streams_are_begun_than_the_server_allows() {
    let client = prior(|visit| {
        let one = Bytes::from(b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0\x01");
        stream([Action::Raw(one)].into_iter().chain(ticking(visit).actions.into_iter().skip(1)))
    });
    let mut first = client.open(get("http://lab/")).expect("an exchange");
    first.wait(LONG, |progress| progress.events() == 1).await;
    let on = RequestOptions { on: Some(&first), ..RequestOptions::default() };
    let waits = client.open_with(get("http://lab/"), on).expect("an exchange");
    let mut next = client.open_with(get("http://lab/"), on).expect("an exchange");
    first.wait(Duration::from_secs(2), |_| false).await;
    assert_eq!(waits.leave(Leave::Fin).await.transport.stream, None);
    first.leave(Leave::Fin).await;
    assert_eq!(next.wait(LONG, |progress| progress.events() == 1).await, Waited::Reached);
    assert_eq!(next.leave(Leave::Fin).await.transport.stream, Some(3));
}

/// A server of HTTP/1.1 that knows no better.
#[tokio::test]
async fn a_server_with_http1_only_is_reported() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let _ = socket.read(&mut [0; 1024]).await;
            let _ = socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    let ways = ConnectionOptions { http: Some(Version::Http2), ..ConnectionOptions::default() };
    let client = Client::new(Arc::new(sseproof_net::Direct), Limits::default()).with(ways);
    let exchange = whole(&client, get(&url)).await;
    let Ending::Handshake(why) = exchange.end.how else { panic!("{:?}", exchange.end) };
    assert!(why.contains("remove --http 2"), "{why}");
}
