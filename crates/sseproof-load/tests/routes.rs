//! Load over a unix socket and through a proxy, and publishing by other means than requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sseproof_load::server::{Server, ServerOptions};
use sseproof_load::{Generator, Publisher, Route, Target, reach, run};
use sseproof_load_model::schedule::Part;
use sseproof_load_model::{
    Arrivals, Counter, ErrorKind, Interval, Metric, Plan, Publishing, Sequencing, Stage, Stamping,
    Subscribe, Workload,
};
use sseproof_net::{ConnectionOptions, Proxies};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::Instant;
use url::Url;

fn server() -> Server {
    Server::start(&ServerOptions::default()).expect("a port on loopback")
}

fn plan() -> Plan {
    let stages = vec![
        Stage::Ramp { to: 5, over: Duration::ZERO, plateaus: 1 },
        Stage::Hold { lasting: Duration::from_millis(700) },
    ];
    let subscribe = Subscribe { stages, ..Subscribe::default() };
    Plan {
        stamping: Stamping::Own,
        sequencing: Sequencing::Own,
        patience: Duration::from_secs(5),
        drain: Duration::from_millis(300),
        ..Plan::new("a test", Workload::Subscribe(subscribe))
    }
}

async fn total(target: Target, plan: Plan, publisher: Option<Publisher>) -> Interval {
    let generator = Generator {
        plan,
        target,
        publisher,
        part: Part::WHOLE,
        threads: 2,
        start: Instant::now() + Duration::from_millis(20),
        sampling: Duration::from_secs(1),
        settling: Duration::ZERO,
    };
    let (_sender, stop) = watch::channel(false);
    let played = run(generator, stop, |_| None).await;
    let mut total = Interval::default();
    played.intervals.iter().for_each(|interval| total.total(interval));
    total
}

/// Five clients got events, and nothing went wrong.
fn all_is_well(total: &Interval) {
    let count = |counter| total.counters.count(counter);
    assert_eq!(count(Counter::Streams), 5, "{:?}", total.counters);
    assert_eq!(count(Counter::Errors) + count(Counter::Lost), 0, "{:?}", total.counters);
    assert!(count(Counter::Events) >= 5, "{:?}", total.counters);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_unix_socket_carries_streams_and_messages() {
    let server = server();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("s.sock");
    let listener = tokio::net::UnixListener::bind(&path).expect("a socket");
    let address = server.address();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut server = TcpStream::connect(address).await.expect("the server");
                let _ = copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    for url in ["http://nowhere.invalid/events?every=50ms", "ws://nowhere.invalid/ws?every=50ms"] {
        let url = Url::parse(url).expect("a URL");
        let target = Target::through(url, None, Route::Unix(path.clone())).await.expect("a target");
        all_is_well(&total(target, plan(), None).await);
    }
    drop(folder);
    let url = Url::parse("http://nowhere.invalid/").expect("a URL");
    let target = Target::through(url, None, Route::Unix(path)).await.expect("a target");
    let error = reach(&plan(), target).await.expect_err("no socket");
    assert_eq!(error.kind(), ErrorKind::Unreachable, "{error}");
}

/// A proxy that needs a password, opens tunnels, and passes on what is asked in absolute form; it
/// counts both.
async fn proxy() -> (Proxies, Arc<[AtomicU64; 2]>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its address");
    let counts: Arc<[AtomicU64; 2]> = Arc::default();
    let counted = Arc::clone(&counts);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(pass(client, Arc::clone(&counted)));
        }
    });
    (Proxies::always(&format!("http://ada:b@{address}")).expect("a proxy"), counts)
}

async fn pass(mut client: TcpStream, counts: Arc<[AtomicU64; 2]>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match client.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8(head).expect("a request in ASCII");
    if !head.contains("\r\nProxy-Authorization: Basic YWRhOmI=\r\n") {
        let _ = client.write_all(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n").await;
        return;
    }
    let mut words = head.split(' ');
    let (method, place) = (words.next().expect("a method"), words.next().expect("a place"));
    let is_tunnel = method == "CONNECT";
    counts[usize::from(is_tunnel)].fetch_add(1, Ordering::Relaxed);
    let origin = place.trim_start_matches("http://");
    let authority = origin.split('/').next().expect("a host and a port");
    let mut server = TcpStream::connect(authority).await.expect("the server");
    match is_tunnel {
        true => client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.expect("the client"),
        false => {
            let own = head.replacen(&format!("http://{authority}"), "", 1);
            server.write_all(own.as_bytes()).await.expect("the server");
        }
    }
    let _ = copy_bidirectional(&mut client, &mut server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_passes_requests_on_and_opens_tunnels() {
    let server = server();
    for (scheme, path, place) in [("http", "/events", 0), ("ws", "/ws", 1)] {
        let (proxies, counts) = proxy().await;
        let options = ConnectionOptions { proxies, ..ConnectionOptions::default() };
        let url = format!("{scheme}://{}{path}?every=50ms", server.address());
        let url = Url::parse(&url).expect("a URL");
        let route = Route::of(&options, &url);
        let target = Target::through(url, None, route).await.expect("a target");
        all_is_well(&total(target, plan(), None).await);
        let counts = [0, 1].map(|at| counts[at].load(Ordering::Relaxed));
        assert_eq!((counts[place], counts[1 - place]), (5, 0), "{scheme}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_refuses_a_tunnel_is_named() {
    let (proxies, _) = proxy().await;
    let url = Url::parse("ws://nowhere.invalid/ws").expect("a URL");
    let options = ConnectionOptions { proxies, ..ConnectionOptions::default() };
    let Route::Proxy(mut proxy) = Route::of(&options, &url) else { panic!("no proxy") };
    proxy.authorization = None;
    let target = Target::through(url, None, Route::Proxy(proxy)).await.expect("a target");
    let error = reach(&plan(), target).await.expect_err("no password");
    assert!(error.text().contains("requires authentication (407)"), "{error}");
}

/// Fifty events a second for 0.7 s, of which the first is published 300 ms late.
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_publish_is_late_and_the_schedule_goes_on() {
    const LATE: Duration = Duration::from_millis(300);
    let server = server();
    let address = server.address();
    let mut plan = plan();
    let (arrivals, after) = (Arrivals::Constant, Duration::ZERO);
    plan.publishing = Some(Publishing { rate: 50.0, arrivals, size: 200, after });
    let publisher = Publisher::tasks(move |emission| {
        let emission = emission.clone();
        async move {
            if emission.number == 0 {
                tokio::time::sleep(LATE).await;
            }
            let mut stream =
                TcpStream::connect(address).await.map_err(|error| error.to_string())?;
            let request = format!(
                "POST /publish?topic=t HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{}",
                emission.data.len(),
                emission.data
            );
            stream.write_all(request.as_bytes()).await.map_err(|error| error.to_string())?;
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await.map_err(|error| error.to_string())?;
            Ok(())
        }
    });
    let url = Url::parse(&format!("http://{address}/events?topic=t")).expect("a URL");
    let target = Target::new(url, None).await.expect("an address");
    let total = total(target, plan, Some(publisher)).await;
    all_is_well(&total);
    let published = total.counters.count(Counter::Published);
    assert!(published > 5, "{:?}", total.counters);
    let times = total.histogram(Metric::Publish).expect("times of publishing");
    assert_eq!(times.count(), published);
    // The second event was due 20 ms after the first, and waited for it.
    let late = u64::try_from((LATE - Duration::from_millis(20)).as_nanos()).expect("a number");
    assert!(times.max() > late, "{}", times.max());
    let delivered = total.histogram(Metric::Delivery).expect("latencies");
    assert!(delivered.max() > late, "the stamp is the intended time");
}
