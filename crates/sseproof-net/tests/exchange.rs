//! The recording client against the lab server, over a pipe in memory, with a paused clock.

mod support;

use std::sync::Arc;
use std::time::Duration;

use sseproof_http::{Action, Answer, Bytes, Framing, Headers, Plan, Request, Version};
use sseproof_net::{
    Client, Lab, Leave, Limits, ReceiveBuffer, RequestError, RequestOptions, Waited,
};
use sseproof_record::{BodyLimits, Ending, Phase};

use self::support::{LONG, stream, whole, write};

fn client(answer: Answer) -> Client {
    Client::new(Arc::new(Lab::new(answer).in_process()), Limits::default())
}

fn get() -> Request {
    Request::subscribe("http://lab/events")
}

async fn ending(answer: Answer) -> Ending {
    whole(&client(answer), get()).await.end.how
}

#[tokio::test(start_paused = true)]
async fn every_piece_is_recorded_with_its_time() {
    let client = client(|_| {
        let second = Duration::from_secs(1);
        let pieces = ["data: 1\n\n", "data: 2", "\n\n"].into_iter();
        let actions = pieces.flat_map(|piece| [Action::Wait(Duration::from_secs(1)), write(piece)]);
        stream(actions.chain([Action::Wait(second), Action::Finish]))
    });
    let exchange = whole(&client, get()).await;
    let seconds: Vec<_> =
        exchange.body.iter().map(|chunk| (chunk.at.as_secs(), chunk.bytes.to_text())).collect();
    let expected = [(1, "data: 1\n\n"), (2, "data: 2"), (3, "\n\n")];
    assert_eq!(seconds, expected.map(|(at, text)| (at, text.to_owned())));
    assert_eq!(exchange.end.how, Ending::Complete);
    assert_eq!(exchange.end.at.as_secs(), 4);
    let wire = exchange.wire_bytes();
    assert!(wire.starts_with(b"HTTP/1.1 200 OK\r\n"), "{wire:?}");
    assert!(
        wire.ends_with(b"9\r\ndata: 1\n\n\r\n7\r\ndata: 2\r\n2\r\n\n\n\r\n0\r\n\r\n"),
        "{wire:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_we_write_is_recorded_as_it_was_written() {
    let client = client(|_| Plan::answer(200, "text/plain", "x"));
    let request = Request { method: "POST".to_owned(), body: Bytes::from("hello"), ..get() };
    let exchange = whole(&client, request).await;
    let sent: Vec<u8> = exchange.sent.iter().flat_map(|chunk| chunk.bytes.to_vec()).collect();
    let sent = String::from_utf8(sent).unwrap();
    assert!(sent.starts_with("POST /events HTTP/1.1\r\n"), "{sent}");
    assert!(sent.contains("\r\nHost: lab\r\n"), "what the client adds is in it: {sent}");
    assert!(sent.ends_with("\r\n\r\nhello"), "{sent}");
    assert_eq!(exchange.phases.sent, exchange.sent.last().map(|chunk| chunk.at));
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_with_what_it_waits_for() {
    let client = client(|_| {
        let event = || [write("data: x\n\n"), Action::Wait(Duration::from_secs(1))];
        stream((0..10).flat_map(|_| event()).chain([Action::Finish]))
    });
    let mut live = client.open(get()).unwrap();
    assert_eq!(live.wait(LONG, |progress| progress.events() == 3).await, Waited::Reached);
    assert_eq!(client.now().as_secs(), 2);
    assert_eq!(live.wait(Duration::from_secs(1), |_| false).await, Waited::TimedOut);
    let exchange = live.leave(Leave::Fin).await;
    assert_eq!(exchange.end.how, Ending::Disconnected);
    assert_eq!(exchange.end.at.as_secs(), 3);
}

#[tokio::test(start_paused = true)]
async fn every_ending_is_distinguished() {
    assert_eq!(ending(|_| stream([write("data: x\n\n"), Action::Finish])).await, Ending::Complete);
    assert_eq!(ending(|_| stream([write("data: x\n\n"), Action::Close])).await, Ending::Truncated);
    assert_eq!(ending(|_| stream([write("data: x\n\n"), Action::Reset])).await, Ending::Reset);
    assert_eq!(ending(|_| Plan::default().cut(0, [Action::Close])).await, Ending::Truncated);
    assert_eq!(ending(|_| Plan::default().cut(0, [Action::Reset])).await, Ending::Reset);
    assert_eq!(
        ending(|_| Plan::default().cut(0, [Action::Hold])).await,
        Ending::TimedOut(Phase::Head)
    );
    for garbage in [
        "SSH-2.0-OpenSSH\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type text\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    ] {
        // An answer is a plain function, so the garbage travels in the request.
        let request = get().with("x-garbage", garbage.replace("\r\n", "|"));
        let exchange = whole(
            &client(|visit| {
                let bytes = visit.request.headers.first("x-garbage").unwrap_or_default();
                Plan::default().cut(0, [Action::Raw(Bytes::from(bytes.replace('|', "\r\n")))])
            }),
            request,
        )
        .await;
        assert!(matches!(exchange.end.how, Ending::Malformed(_)), "{garbage}: {exchange:?}");
        assert_eq!(exchange.wire_bytes(), garbage.as_bytes());
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_without_end_is_cut_at_the_limit() {
    let answer: Answer = |_| {
        let piece = "x".repeat(60_000);
        stream((0..1_000).flat_map(|_| [write(&piece), Action::Flush]).chain([Action::Hold]))
    };
    let limits =
        Limits { body: BodyLimits { received: 1 << 20, ..BodyLimits::RUN }, ..Limits::default() };
    let client = Client::new(Arc::new(Lab::new(answer).in_process()), limits);
    let exchange = whole(&client, get()).await;
    assert_eq!(exchange.end.how, Ending::OverLimit(1 << 20));
    assert_eq!(exchange.body_len(), 1 << 20);
    assert!(exchange.wire_bytes().len() <= (2 << 20) + (1 << 20));
}

#[tokio::test(start_paused = true)]
async fn a_head_without_end_is_refused_in_bounded_memory() {
    let exchange = whole(
        &client(|_| {
            let headers = Headers::from_iter([("x", "y".repeat(1 << 20))]);
            let head = Action::Head { status: 200, headers, framing: Framing::Chunked };
            Plan { actions: vec![head, Action::Hold] }
        }),
        get(),
    )
    .await;
    assert!(matches!(exchange.end.how, Ending::Malformed(_)), "{:?}", exchange.end);
    assert!(exchange.head.is_none());
}

#[tokio::test(start_paused = true)]
async fn head_and_old_requests_go_out_as_they_are() {
    let client = client(|visit| {
        let request = visit.request;
        let text = format!("{:?} {:?}", request.version, request.headers.0);
        let framing = match request.version {
            Version::Http10 => Framing::Close,
            _ => Framing::Length(text.len() as u64),
        };
        Plan::answer(200, "text/plain", text).with_framing(framing)
    });
    let old = whole(&client, Request { version: Version::Http10, ..get() }).await;
    assert_eq!(old.end.how, Ending::Complete);
    let text = String::from_utf8(old.body_bytes()).unwrap();
    assert!(
        text.starts_with("Http10") && text.contains("Host") && !text.contains("onnection"),
        "{text}"
    );
    let head = whole(&client, Request { method: "HEAD".to_owned(), ..get() }).await;
    assert_eq!((head.body_len(), head.end.how), (0, Ending::Complete));
}

#[tokio::test(start_paused = true)]
async fn bytes_after_the_end_are_on_the_wire() {
    let exchange = whole(
        &client(|_| {
            stream([write("data: x\n\n"), Action::Finish, Action::Raw(Bytes::from("more"))])
        }),
        get(),
    )
    .await;
    assert_eq!(exchange.end.how, Ending::Complete);
    assert!(exchange.wire_bytes().ends_with(b"0\r\n\r\nmore"));
}

#[tokio::test(start_paused = true)]
async fn the_server_counts_connected_and_disconnected_clients() {
    let client = client(|visit| {
        let text = format!("{} {}", visit.earlier, visit.open);
        match visit.request.path() {
            "/hold" => stream([write(&text), Action::Hold]),
            _ => Plan::answer(200, "text/plain", text),
        }
    });
    let mut first = client.open(Request::subscribe("http://lab/hold")).unwrap();
    assert_eq!(
        first.wait(LONG, |progress| progress.exchange.body_len() > 0).await,
        Waited::Reached
    );
    assert_eq!(whole(&client, get()).await.body_bytes(), b"1 1");
    for how in [Leave::Reset, Leave::Fin] {
        let left = first.leave(how).await;
        assert_eq!(left.end.how, Ending::Disconnected);
        tokio::time::sleep(Duration::from_millis(1)).await;
        let seen = String::from_utf8(whole(&client, get()).await.body_bytes()).unwrap();
        assert!(seen.ends_with(" 0"), "{seen}");
        first = client.open(Request::subscribe("http://lab/hold")).unwrap();
        first.wait(LONG, |progress| progress.exchange.body_len() > 0).await;
    }
}

#[tokio::test(start_paused = true)]
async fn followers_of_a_topic_get_published_events() {
    let client = client(|visit| match visit.request.method.as_str() {
        "POST" => {
            let bytes = Bytes::from(&[b"data: ", &visit.request.body[..], b"\n\n"].concat());
            let publish = Action::Publish { topic: "t".to_owned(), bytes };
            let mut plan = Plan::answer(200, "text/plain", "");
            plan.actions.insert(0, publish);
            plan
        }
        _ => {
            let after = visit.request.last_event_id().map_or(u64::MAX, |_| 1);
            stream([Action::Follow { topic: "t".to_owned(), after }])
        }
    });
    let post = |text: &str| Request {
        method: "POST".to_owned(),
        body: Bytes::from(text),
        ..Request::subscribe("http://lab/publish")
    };
    whole(&client, post("before")).await;
    let mut live = client.open(get()).unwrap();
    live.wait(LONG, |progress| progress.exchange.head.is_some()).await;
    whole(&client, post("one")).await;
    whole(&client, post("two")).await;
    assert_eq!(live.wait(LONG, |progress| progress.events() == 2).await, Waited::Reached);
    let live = live.leave(Leave::Fin).await;
    assert_eq!(live.body_bytes(), b"id: 2\ndata: one\n\nid: 3\ndata: two\n\n");
    let mut resumed = client.open(get().with("Last-Event-ID", "1")).unwrap();
    assert_eq!(resumed.wait(LONG, |progress| progress.events() == 2).await, Waited::Reached);
}

#[tokio::test]
async fn unsendable_and_unreachable_are_distinguished() {
    let refused = |request: Request| client(|_| Plan::default()).open(request).err().unwrap();
    assert!(matches!(refused(Request::subscribe("nonsense")), RequestError::Url { .. }));
    assert_eq!(
        refused(Request::subscribe("gopher://h/")),
        RequestError::Scheme("gopher".to_owned())
    );
    assert!(matches!(refused(get().with("x", b"\n")), RequestError::Field { .. }));
    assert!(matches!(refused(get().with("x y", "")), RequestError::Field { .. }));

    let direct = Client::new(Arc::new(sseproof_net::Direct), Limits::default());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let exchange = whole(&direct, Request::subscribe(format!("http://127.0.0.1:{port}/"))).await;
    assert!(matches!(exchange.end.how, Ending::Unconnected(_)), "{:?}", exchange.end);
    let exchange = whole(&direct, Request::subscribe("http://sseproof.invalid/")).await;
    assert!(matches!(exchange.end.how, Ending::Unresolved(_)), "{:?}", exchange.end);
}

#[tokio::test]
async fn over_tcp_the_endings_are_the_same() {
    let lab = Lab::new(|visit| {
        let last = match visit.request.path() {
            "/finish" => Action::Finish,
            "/close" => Action::Close,
            _ => Action::Reset,
        };
        // A moment between the last byte and the end, so that a reset cannot overtake it.
        let pause = Action::Wait(Duration::from_millis(50));
        stream([write("data: x\n\n"), pause, last])
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move { lab.listen(listener).await });
    let direct = Client::new(Arc::new(sseproof_net::Direct), Limits::default());
    for (path, how) in
        [("finish", Ending::Complete), ("close", Ending::Truncated), ("reset", Ending::Reset)]
    {
        let request = Request::subscribe(format!("http://{address}/{path}"));
        let exchange = whole(&direct, request).await;
        assert_eq!((exchange.body_bytes(), exchange.end.how), (b"data: x\n\n".to_vec(), how));
    }
    server.abort();
}

fn gzipped(trailing: &'static [u8]) -> Plan {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut plan = Plan::answer(200, "text/event-stream", "")
        .with_header("Content-Encoding", "gzip")
        .with_framing(Framing::Chunked);
    plan.actions.truncate(1);
    for n in 0..3 {
        write!(encoder, "data: {n}\n\n").expect("a vector takes it");
        encoder.flush().expect("a vector takes it");
        let bytes = Bytes::from(std::mem::take(encoder.get_mut()));
        plan.actions.extend([Action::Write(bytes), Action::Wait(Duration::from_secs(1))]);
    }
    plan.actions.extend([Action::Write(Bytes::from(trailing)), Action::Finish]);
    plan
}

#[tokio::test(start_paused = true)]
async fn a_compressed_stream_is_read_as_it_comes() {
    let second = Duration::from_secs(1);
    let client = client(|_| gzipped(b""));
    let mut live = client.open(Request::subscribe("http://lab/")).expect("an exchange");
    assert_eq!(live.wait(second / 2, |progress| progress.events() == 1).await, Waited::Reached);
    live.wait(second * 10, |_| false).await;
    let exchange = live.leave(Leave::Fin).await;
    assert_eq!(exchange.body_bytes(), b"data: 0\n\ndata: 1\n\ndata: 2\n\n");
    assert_eq!(exchange.body[2].at - exchange.body[0].at, second * 2);
    assert!(exchange.came_len() > exchange.body_len(), "{exchange:?}");
    assert_eq!(exchange.coding_fault, None);
}

#[tokio::test(start_paused = true)]
async fn faults_in_a_compressed_stream_are_reported() {
    let client = client(|_| gzipped(b"data: past the compressor\n\n"));
    let mut live = client.open(Request::subscribe("http://lab/")).expect("an exchange");
    live.wait(Duration::from_secs(10), |_| false).await;
    let exchange = live.leave(Leave::Fin).await;
    assert_eq!(exchange.body.len(), 3);
    assert!(exchange.coding_fault.is_some_and(|fault| fault.at > 20 && !fault.too_much));
}

#[tokio::test(start_paused = true)]
async fn a_kept_connection_carries_the_next_exchange() {
    let client = client(|_| Plan::answer(200, "text/plain", "whole"));
    let keep = RequestOptions { keep: true, ..RequestOptions::default() };
    let mut first = client.open_with(get(), keep).unwrap();
    first.wait(LONG, |progress| progress.ended).await;
    assert!(first.keeps().await);
    let on = RequestOptions { on: Some(&first), ..keep };
    let mut second = client.open_with(get(), on).unwrap();
    assert!(!first.keeps().await, "the second exchange has the connection");
    second.wait(LONG, |progress| progress.ended).await;
    assert!(second.keeps().await);
    let second = second.leave(Leave::Fin).await;
    assert_eq!(second.body_bytes(), b"whole");
    assert!(second.phases.connected.is_none(), "no connection was opened for it");
    assert!(second.wire_bytes().starts_with(b"HTTP/1.1 200 OK\r\n"));

    let mut alone = client.open(get()).unwrap();
    alone.wait(LONG, |progress| progress.ended).await;
    assert!(!alone.keeps().await, "only on request");
}

#[tokio::test(start_paused = true)]
async fn a_connection_is_not_kept_after_an_answer_that_closes_it() {
    let client = client(|_| Plan::answer(200, "text/plain", "").with_header("Connection", "close"));
    let keep = RequestOptions { keep: true, ..RequestOptions::default() };
    let mut live = client.open_with(get(), keep).unwrap();
    live.wait(LONG, |progress| progress.ended).await;
    assert!(!live.keeps().await);
    assert!(live.leave(Leave::Fin).await.status() == Some(200));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_a_narrow_connection_takes_unread_is_little_and_known() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let client = Client::new(Arc::new(sseproof_net::Direct), Limits::default());
    let options =
        RequestOptions { receive_buffer: ReceiveBuffer::Small, ..RequestOptions::default() };
    let mut live = client.open_with(Request::subscribe(url), options).unwrap();
    let (server, _) = listener.accept().await.unwrap();
    let head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
    assert_eq!(server.try_write(head).unwrap(), head.len());
    live.wait(LONG, |progress| progress.exchange.head.is_some()).await;
    assert_eq!(live.unread(), None);

    live.stall();
    let mut written = 0;
    // The kernel takes more when some of it has arrived; then it takes no more.
    while tokio::time::timeout(Duration::from_millis(200), server.writable()).await.is_ok() {
        written += server.try_write(&[b'x'; 4096]).unwrap_or(0) as u64;
    }
    assert_eq!(live.unread(), Some(Ok(written)));
    assert!(written > 0 && written < 1 << 20, "{written}");
    drop(server);
    assert!(live.unread().unwrap().unwrap() <= written);
}
