//! The generator counts exactly the faults that the server makes on purpose, on both transports.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sseproof_load::server::{Server, ServerOptions};
use sseproof_load::{Generator, Played, Publisher, Target, run};
use sseproof_load_model::schedule::Part;
use sseproof_load_model::{
    Arrivals, Counter, Interval, Metric, Pace, Plan, Protocol, Publishing, Rate, Reconnecting,
    Requests, Sequencing, Slow, Stage, Stamping, Subscribe, Workload,
};
use sseproof_net::{Identity, IdentityOptions, Tls, TlsOptions};
use tokio::sync::watch;
use url::Url;

const SECOND: Duration = Duration::from_secs(1);

fn server() -> Server {
    Server::start(&ServerOptions::default()).expect("a port on loopback")
}

fn subscribe(clients: u64, stages: &[Stage]) -> Plan {
    let mut all = vec![Stage::Ramp { to: clients, over: Duration::ZERO, plateaus: 1 }];
    all.extend_from_slice(stages);
    let reconnecting = Reconnecting { wait: Duration::from_millis(20), ..Reconnecting::default() };
    let subscribe = Subscribe { stages: all, reconnecting, ..Subscribe::default() };
    Plan {
        stamping: Stamping::Own,
        sequencing: Sequencing::Own,
        interval: Duration::from_millis(200),
        patience: 5 * SECOND,
        drain: Duration::from_millis(300),
        ..Plan::new("a test", Workload::Subscribe(subscribe))
    }
}

fn hold(seconds: f64) -> Stage {
    Stage::Hold { lasting: Duration::from_secs_f64(seconds) }
}

async fn generator(server: &Server, path: &str, plan: Plan) -> Generator {
    generator_at(server.address(), path, plan).await
}

async fn generator_at(address: SocketAddr, path: &str, plan: Plan) -> Generator {
    let scheme = if path.starts_with("/ws") { "ws" } else { "http" };
    let url = Url::parse(&format!("{scheme}://{address}{path}")).expect("a URL");
    Generator {
        plan,
        target: Target::new(url, None).await.expect("an address"),
        publisher: None,
        part: Part::WHOLE,
        threads: 2,
        start: tokio::time::Instant::now() + Duration::from_millis(20),
        sampling: SECOND,
        settling: Duration::ZERO,
    }
}

async fn total(generator: Generator) -> Interval {
    let (_sender, stop) = watch::channel(false);
    let played: Played = run(generator, stop, |_| None).await;
    assert_eq!(played.broken, Vec::<String>::new());
    let mut total = Interval::default();
    for interval in &played.intervals {
        total.total(interval);
    }
    total
}

fn counts(total: &Interval) -> [u64; 5] {
    use Counter::{Duplicated, Errors, Events, Lost, Reordered};
    [Events, Lost, Duplicated, Reordered, Errors].map(|counter| total.counters.count(counter))
}

/// Each stream has events 0 to 19 and ends; clients reconnect once, and get no more events.
async fn streams(path: &str) -> Interval {
    let server = server();
    let mut plan = subscribe(5, &[hold(0.8)]);
    if let Workload::Subscribe(subscribe) = &mut plan.workload {
        subscribe.reconnecting.back = false;
    }
    total(generator(&server, path, plan).await).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_does_wrong_is_counted_exactly() {
    for kind in ["/events", "/ws"] {
        for (fault, expected) in [
            ("", [100, 0, 0, 0, 0]),
            ("&lose=5", [80, 15, 0, 0, 0]),
            ("&repeat=5", [120, 0, 20, 0, 0]),
            ("&swap=5", [100, 0, 0, 15, 0]),
        ] {
            let path = format!("{kind}?every=10ms&count=20{fault}");
            let total = streams(&path).await;
            assert_eq!(counts(&total), expected, "{path}\n{:?}", total.counters);
            assert_eq!(total.counters.count(Counter::Ended), 5, "{path}");
            let delivered = total.histogram(Metric::Delivery).map_or(0, |seen| seen.count());
            assert_eq!(delivered + total.counters.count(Counter::Negative), expected[0], "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_is_cut_reconnects_and_loses_no_event_that_can_be_resumed() {
    for kind in ["/events", "/ws"] {
        let server = server();
        let storm = Stage::Storm { share: 1.0, lasting: SECOND };
        let plan = subscribe(10, &[hold(0.3), storm]);
        let total = total(generator(&server, &format!("{kind}?every=50ms"), plan).await).await;
        assert_eq!(total.counters.count(Counter::Reconnects), 10, "{:?}", total.counters);
        assert_eq!(total.histogram(Metric::Reconnect).map(|seen| seen.count()), Some(10));
        assert_eq!(total.counters.count(Counter::Errors), 0, "{:?}", total.counters);
        assert_eq!(total.counters.count(Counter::Streams), 20);
    }
}

fn publisher(target: &Target) -> Publisher {
    Publisher::requests(target.clone(), move |emission| {
        let (data, length) = (&emission.data, emission.data.len());
        let bytes = format!(
            "POST /publish?topic=t HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n{data}"
        );
        Ok(bytes.into_bytes())
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_published_reaches_everybody_once() {
    for kind in ["/events", "/ws"] {
        let total = published(kind, Duration::ZERO).await;
        let published = total.counters.count(Counter::Published);
        assert!(published > 5, "{:?}", total.counters);
        let [events, lost, duplicated, reordered, errors] = counts(&total);
        assert_eq!([lost, duplicated, reordered, errors], [0; 4], "{:?}", total.counters);
        assert!(events <= published * 10 && events > (published - 5) * 10, "{events} {published}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_published_before_its_time() {
    let total = published("/events", 3600 * SECOND).await;
    assert_eq!(total.counters.count(Counter::Streams), 10);
    assert_eq!(total.counters.count(Counter::Published), 0);
    assert_eq!(counts(&total), [0; 5]);
}

/// Ten clients for a second, and fifty publishes a second after so long.
async fn published(kind: &str, after: Duration) -> Interval {
    let server = server();
    let mut plan = subscribe(10, &[hold(1.0)]);
    let arrivals = Arrivals::Constant;
    plan.publishing = Some(Publishing { rate: 50.0, arrivals, size: 200, after });
    let mut generator = generator(&server, &format!("{kind}?topic=t"), plan).await;
    generator.publisher = Some(publisher(&generator.target));
    total(generator).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_published_over_tls_arrives() {
    let options = IdentityOptions { hosts: vec!["127.0.0.1".to_owned()], ..Default::default() };
    let identity = Identity::new(&options).expect("a certificate");
    let tls = Some(identity.server_config());
    let server = Server::start(&ServerOptions { tls, ..ServerOptions::default() }).expect("a port");
    let ca = ("ca".to_owned(), identity.authority().as_bytes().to_vec());
    let tls = Tls::new(TlsOptions { ca: Some(ca), ..TlsOptions::default() }).expect("its CA");
    let config = Arc::new(tls.client_config(&["http/1.1"]).expect("a configuration"));
    let mut plan = subscribe(2, &[hold(0.5)]);
    let (arrivals, after) = (Arrivals::Constant, Duration::ZERO);
    plan.publishing = Some(Publishing { rate: 50.0, arrivals, size: 200, after });
    let mut generator = generator(&server, "/events?topic=t", plan).await;
    let url = Url::parse(&format!("https://{}/events?topic=t", server.address())).expect("a URL");
    generator.target = Target::new(url, Some(config)).await.expect("an address");
    generator.publisher = Some(publisher(&generator.target));
    let total = total(generator).await;
    let [events, lost, _, _, errors] = counts(&total);
    assert_eq!([lost, errors], [0; 2], "{:?}", total.counters);
    assert!(events > 5 && total.counters.count(Counter::Published) > 5, "{:?}", total.counters);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_connection_is_reported() {
    let server = server();
    let generator = generator(&server, "/events", subscribe(3, &[hold(0.2)])).await;
    drop(server);
    let total = total(generator).await;
    let errors: Vec<_> = total.counters.errors().map(|(kind, _)| kind.to_owned()).collect();
    assert_eq!(errors, ["connect: refused"]);
    assert_eq!(total.counters.count(Counter::Streams), 0);
    assert_eq!(unopened(&total), [0, 0, 3]);
}

/// Arrivals that never got a stream: unanswered, rejected, unconnected.
fn unopened(total: &Interval) -> [u64; 3] {
    use Counter::{Rejected, Unanswered, Unconnected};
    [Unanswered, Rejected, Unconnected].map(|counter| total.counters.count(counter))
}

/// The kernel accepts their connections, and no response ever comes.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_hangs_is_counted_with_its_wait() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    for patience in [5 * SECOND, SECOND / 4] {
        let mut plan = subscribe(3, &[hold(0.3)]);
        plan.patience = patience;
        let total = total(generator_at(address, "/events", plan).await).await;
        assert_eq!(unopened(&total), [3, 0, 0], "{patience:?} {:?}", total.counters);
        let waits = total.histogram(Metric::Wait).expect("their waits");
        assert_eq!(waits.count(), 3);
        assert!(waits.min() > 500_000_000, "{}", waits.min());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_with_all_streams_open_counts_none_of_them() {
    let server = server();
    let total = total(generator(&server, "/events", subscribe(3, &[hold(0.2)])).await).await;
    assert_eq!(unopened(&total), [0; 3]);
    assert!(total.histogram(Metric::Wait).is_none());
}

/// A server that sends each subscriber only its first events, and then nothing, or closes the
/// stream; `/hang` never gets a response.
fn withholding(events: usize, closes: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    let all: Arc<Mutex<Vec<(TcpStream, usize)>>> = Arc::default();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, all) = (stream.expect("a connection"), Arc::clone(&all));
            std::thread::spawn(move || {
                let mut request = Vec::new();
                let mut buffer = [0; 64 * 1024];
                loop {
                    let Ok(read @ 1..) = stream.read(&mut buffer) else { return };
                    request.extend_from_slice(&buffer[..read]);
                    let text = String::from_utf8_lossy(&request).into_owned();
                    let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                    if head.starts_with("GET /hang") {
                        continue;
                    }
                    if head.starts_with("GET") {
                        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
                        stream.write_all(head.as_bytes()).expect("a subscriber");
                        all.lock().expect("them").push((stream, events));
                        return;
                    }
                    let length = head.split_once("Content-Length: ").map(|(_, rest)| {
                        rest.split("\r\n").next().unwrap_or_default().parse().unwrap_or(0)
                    });
                    if body.len() < length.unwrap_or(0) {
                        continue;
                    }
                    for (subscriber, left) in &mut *all.lock().expect("them") {
                        if *left > 0 {
                            *left -= 1;
                            write!(subscriber, "data: {body}\n\n").expect("a subscriber");
                        } else if closes {
                            let _ = subscriber.shutdown(std::net::Shutdown::Both);
                        }
                    }
                    request.clear();
                    let answer = "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n";
                    stream.write_all(answer.as_bytes()).expect("a publisher");
                }
            });
        }
    });
    address
}

/// Four clients, all slow, and about a hundred events.
async fn slowly(address: SocketAddr, path: &str, pace: Pace) -> Interval {
    let mut plan = subscribe(4, &[hold(1.0)]);
    plan.drain = SECOND;
    if let Workload::Subscribe(subscribe) = &mut plan.workload {
        subscribe.slow = Some(Slow { share: 1.0, pace });
        subscribe.reconnecting.back = false;
    }
    let (arrivals, after) = (Arrivals::Constant, Duration::from_millis(100));
    plan.publishing = Some(Publishing { rate: 100.0, arrivals, size: 3000, after });
    let mut generator = generator_at(address, path, plan).await;
    generator.publisher = Some(publisher(&generator.target));
    total(generator).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rest_that_waits_for_a_slow_client_is_not_lost() {
    for pace in [Pace::Never, Pace::BytesPerSecond(8 << 10)] {
        let server = server();
        let total = slowly(server.address(), "/events?topic=t", pace).await;
        let [events, lost, duplicated, ..] = counts(&total);
        assert_eq!([lost, duplicated], [0; 2], "{pace:?} {:?}", total.counters);
        assert_eq!(total.counters.count(Counter::Unread), 0, "{:?}", total.counters);
        assert_eq!(events, 4 * total.counters.count(Counter::Published));
        // How long they took is the plan's doing, and says nothing about the server.
        for metric in [Metric::Delivery, Metric::FirstEvent, Metric::Gap] {
            assert!(total.histogram(metric).is_none(), "{pace:?} {metric:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_a_slow_client_never_gets_are_lost() {
    let pace = Pace::BytesPerSecond(8 << 10);
    let total = slowly(withholding(10, false), "/events", pace).await;
    let missing = 4 * (total.counters.count(Counter::Published) - 10);
    assert_eq!(counts(&total)[..3], [40, missing, 0], "{:?}", total.counters);
    assert_eq!(total.counters.count(Counter::Unread), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_for_clients_that_never_got_a_stream() {
    let total = slowly(withholding(10, false), "/hang", Pace::Never).await;
    assert!(total.counters.count(Counter::Published) > 10);
    assert_eq!(counts(&total), [0; 5], "{:?}", total.counters);
    assert_eq!(unopened(&total), [4, 0, 0]);
    assert_eq!(total.counters.count(Counter::Unread), 0);
}

/// A server that closes the stream of a slow client has lost nothing: it may reconnect.
#[tokio::test(flavor = "multi_thread")]
async fn events_after_a_close_are_unread_and_not_lost() {
    let pace = Pace::BytesPerSecond(8 << 10);
    let total = slowly(withholding(10, true), "/events", pace).await;
    let missing = 4 * (total.counters.count(Counter::Published) - 10);
    assert_eq!(counts(&total)[..3], [40, 0, 0], "{:?}", total.counters);
    assert_eq!(total.counters.count(Counter::Unread), missing);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_no_stream_is_not_asked_for_again() {
    let server = server();
    let plan = subscribe(3, &[hold(0.3)]);
    let total = total(generator(&server, "/nothing", plan).await).await;
    let errors: Vec<_> = total.counters.errors().collect();
    assert_eq!(errors, [("status 404", 3)]);
    assert_eq!(unopened(&total), [0, 3, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_good_where_it_meets_every_objective() {
    let server = server();
    let minute = 60_000_000_000;
    use Metric::{EndToEnd, FirstEvent, Head, Itl, Tpot, Ttft};
    let all = [EndToEnd, FirstEvent, Head, Itl, Tpot, Ttft];
    for metric in all {
        for (limit, is_good) in [(minute, true), (1, false)] {
            let mut objectives: Vec<_> = all.map(|metric| (metric, minute)).into();
            objectives.push((metric, limit));
            let total = total(chat(&server, 20.0, SECOND / 5, objectives).await).await;
            let good = total.counters.count(Counter::Good);
            let expected = if is_good { total.counters.count(Counter::Completed) } else { 0 };
            assert_eq!(good, expected, "{metric:?} {:?}", total.counters);
        }
    }
}

async fn chat(
    server: &Server,
    rate: f64,
    lasting: Duration,
    objectives: Vec<(Metric, u64)>,
) -> Generator {
    let mut plan = subscribe(0, &[]);
    plan.stamping = Stamping::None;
    plan.sequencing = Sequencing::None;
    plan.workload = Workload::Request(Requests {
        rate: Rate::Open { from: rate, to: rate, arrivals: Arrivals::Poisson },
        lasting,
        protocol: Protocol::OpenaiChat,
        objectives,
    });
    let path = "/chat?first=10ms&token-every=2ms&tokens=20";
    let mut generator = generator(server, path, plan).await;
    generator.target.method = "POST".to_owned();
    let body = r#"{"model":"m","stream":true,"messages":[{"role":"user","content":"Hi"}]}"#;
    generator.target.body = Some(sseproof_load::PerClient::Same(body.to_owned()));
    generator
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_timed_token_by_token() {
    let server = server();
    let total = total(chat(&server, 50.0, SECOND, Vec::new()).await).await;
    let count = |counter| total.counters.count(counter);
    let arrivals = count(Counter::Arrivals);
    assert!(arrivals > 20, "{:?}", total.counters);
    assert_eq!(count(Counter::Completed), arrivals, "{:?}", total.counters);
    assert_eq!(count(Counter::Good), arrivals);
    assert_eq!(count(Counter::Tokens), arrivals * 20);
    let samples = |metric| total.histogram(metric).map_or(0, |seen| seen.count());
    assert_eq!(samples(Metric::Ttft), arrivals);
    // A busy machine may read two tokens at once.
    assert_eq!(samples(Metric::Itl) + count(Counter::Unresolved), arrivals * 19);
    assert!(samples(Metric::Itl) > count(Counter::Unresolved));
    // A connection is used again when an answer is whole.
    assert!(count(Counter::Connected) < arrivals, "{:?}", total.counters);
}

/// A server that answers each connection with these bytes, all in one write, and closes it.
fn answering(answer: String) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let _ = stream.read(&mut [0; 4096]).expect("a request");
            stream.write_all(answer.as_bytes()).expect("a client");
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_of_one_read_have_no_gap() {
    let token = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n";
    // The clock of this machine is ours, whatever the server says.
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\
        Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nConnection: close\r\n\r\n";
    let address = answering(format!("{head}{}data: [DONE]\n\n", token.repeat(5)));
    let limits = vec![(Metric::Itl, 1_000_000), (Metric::Tpot, 1_000_000)];
    let mut generator = chat(&server(), 20.0, SECOND / 5, limits).await;
    generator.target.addresses = vec![address];
    let total = total(generator).await;
    let answers = total.counters.count(Counter::Completed);
    assert!(answers > 0, "{:?}", total.counters);
    assert_eq!(total.offset, None);
    assert_eq!(total.counters.count(Counter::Unresolved), answers * 4);
    // To a client that waits for them there is no gap at all, so they are good.
    assert_eq!(total.counters.count(Counter::Good), answers);
    for metric in [Metric::Itl, Metric::Tpot] {
        assert!(total.histogram(metric).is_none(), "{metric:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_that_begin_anew_with_each_stream_are_not_duplicates() {
    let server = server();
    for (restarts, duplicated) in [(true, false), (false, true)] {
        let mut plan = subscribe(4, &[hold(0.9)]);
        plan.restarts_numbers = restarts;
        // Each stream has events 0 to 9 and ends, and clients do not say where to go on.
        if let Workload::Subscribe(subscribe) = &mut plan.workload {
            subscribe.reconnecting.last_event_id = false;
        }
        let total = total(generator(&server, "/events?every=10ms&count=10", plan).await).await;
        assert!(total.counters.count(Counter::Reconnects) > 4, "{:?}", total.counters);
        let [_, lost, again, ..] = counts(&total);
        assert_eq!((lost, again > 0), (0, duplicated), "{:?}", total.counters);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_place_of_stamps_and_numbers_is_found_before_a_run() {
    let server = server();
    for path in ["/events?every=100ms", "/ws?every=100ms"] {
        let plan =
            Plan { stamping: Stamping::Auto, sequencing: Sequencing::Auto, ..subscribe(0, &[]) };
        let generator = generator(&server, path, plan).await;
        let events = sseproof_load::first_events(&generator.plan, generator.target).await;
        let found = sseproof_load::find(&events, &Stamping::Auto, &Sequencing::Auto);
        assert_eq!((found.stamping, found.sequencing), (Stamping::Own, Sequencing::Own), "{path}");
    }
}
