//! Streams of HTTP/2 share connections, as many on each as the plan says and the server permits.

mod server;

use std::sync::Arc;
use std::time::Duration;

use h2::Reason;
use sseproof_load::{Generator, PerClient, Publisher, Target, find, first_events, reach, run};
use sseproof_load_model::schedule::Part;
use sseproof_load_model::{
    Arrivals, Counter, ErrorKind, Http, Interval, LoadError, Metric, Pace, Plan, Protocol,
    Publishing, Rate, Reconnecting, Requests, Sequencing, Slow, Stage, Stamping, Subscribe,
    Workload,
};
use sseproof_net::{Identity, IdentityOptions, Tls, TlsOptions};
use tokio::sync::watch;
use url::Url;

use self::server::Server;

/// So many clients at once, for so long, with so many streams on a connection.
fn plan(clients: u64, lasting: Duration, streams_per_connection: u32) -> Plan {
    let ramp = Stage::Ramp { to: clients, over: Duration::ZERO, plateaus: 1 };
    let wait = Duration::from_millis(20);
    let subscribe = Subscribe {
        stages: vec![ramp, Stage::Hold { lasting }],
        reconnecting: Reconnecting { back: false, wait, ..Reconnecting::default() },
        ..Subscribe::default()
    };
    Plan {
        http: Http::Two { streams_per_connection },
        stamping: Stamping::Own,
        sequencing: Sequencing::Own,
        interval: Duration::from_millis(200),
        patience: Duration::from_secs(5),
        drain: Duration::from_millis(200),
        ..Plan::new("a test", Workload::Subscribe(subscribe))
    }
}

fn subscribe(plan: &mut Plan) -> &mut Subscribe {
    match &mut plan.workload {
        Workload::Subscribe(subscribe) => subscribe,
        Workload::Request(_) => unreachable!("it subscribes"),
    }
}

async fn total(server: &Server, path: &str, plan: Plan) -> Interval {
    let url = Url::parse(&format!("http://{}{path}", server.address)).expect("a URL");
    let target = Target::new(url, None).await.expect("an address");
    played(target, plan).await
}

async fn played(target: Target, plan: Plan) -> Interval {
    published(target, plan, None).await
}

async fn published(target: Target, plan: Plan, publisher: Option<Publisher>) -> Interval {
    let generator = Generator {
        plan,
        target,
        publisher,
        part: Part::WHOLE,
        threads: 1,
        start: tokio::time::Instant::now() + Duration::from_millis(20),
        sampling: Duration::from_secs(1),
        settling: Duration::ZERO,
    };
    let (_sender, stop) = watch::channel(false);
    let played = run(generator, stop, |_| None).await;
    assert_eq!(played.broken, Vec::<String>::new());
    let mut total = Interval::default();
    played.intervals.iter().for_each(|interval| total.total(interval));
    total
}

fn errors(total: &Interval) -> Vec<(&str, u64)> {
    total.counters.errors().collect()
}

const SHORT: Duration = Duration::from_millis(500);

#[tokio::test(flavor = "multi_thread")]
async fn clients_share_as_few_connections_as_the_plan_says() {
    let server = Server::start(None, None).await;
    let total = total(&server, "/twenty", plan(10, SHORT, 4)).await;
    let count = |counter| total.counters.count(counter);
    assert_eq!(errors(&total), []);
    assert_eq!(server.connections(), [2, 4, 4]);
    assert_eq!((count(Counter::Connected), count(Counter::Streams)), (3, 10));
    assert_eq!((count(Counter::Events), count(Counter::Ended)), (200, 10));
    assert_eq!((count(Counter::Lost), count(Counter::Duplicated)), (0, 0));
    // All of them have waited for their connection.
    assert_eq!(total.histogram(Metric::Connect).map(|times| times.count()), Some(10));
    assert_eq!(total.histogram(Metric::Head).map(|times| times.count()), Some(10));
    // Each event has 29 bytes or more, and a frame's head of nine.
    assert!(count(Counter::Bytes) > 200 * 38, "{:?}", total.counters);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_events_are_read_over_http2_too() {
    let server = Server::start(None, None).await;
    let url = Url::parse(&format!("http://{}/twenty", server.address)).expect("a URL");
    let target = Target::new(url, None).await.expect("an address");
    let events = first_events(&plan(1, SHORT, 100), target).await;
    assert_eq!(events.len(), 20);
    assert_eq!(find(&events, &Stamping::None, &Sequencing::Auto).sequencing, Sequencing::Id);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_connection_has_more_streams_than_the_server_permits() {
    let server = Server::start(Some(3), None).await;
    let total = total(&server, "/twenty", plan(10, SHORT, 100)).await;
    assert_eq!(errors(&total), []);
    assert_eq!(server.connections(), [1, 3, 3, 3]);
    assert_eq!(total.counters.count(Counter::Events), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_reset_is_an_error_of_its_own() {
    for (path, error) in [
        ("/reset", "http2: RST_STREAM INTERNAL_ERROR"),
        ("/refused", "http2: RST_STREAM REFUSED_STREAM"),
    ] {
        let server = Server::start(None, None).await;
        let total = total(&server, path, plan(5, SHORT, 100)).await;
        assert_eq!(errors(&total), [(error, 5)], "{path}");
        assert_eq!(server.connections(), [5], "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_reconnects_after_goaway() {
    let server = Server::start(None, Some(4)).await;
    let mut plan = plan(4, SHORT * 2, 100);
    subscribe(&mut plan).reconnecting.back = true;
    let total = total(&server, "/twenty", plan).await;
    assert_eq!(errors(&total), []);
    // The streams of the ending connection end first.
    let connections = server.connections();
    assert!(connections.len() > 1, "{connections:?}");
    assert!(connections.iter().all(|streams| (1..=4).contains(streams)), "{connections:?}");
    let reconnects = total.counters.count(Counter::Reconnects);
    // A client that is disconnected at the end may have started another request.
    let asked = connections.iter().sum::<u64>();
    assert!((4 + reconnects..=8 + reconnects).contains(&asked) && reconnects > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_disconnects_resets_its_stream_and_the_last_closes_the_connection() {
    let server = Server::start(None, None).await;
    let mut plan = plan(6, SHORT / 2, 3);
    subscribe(&mut plan).stages.push(Stage::Ramp { to: 0, over: Duration::ZERO, plateaus: 1 });
    subscribe(&mut plan).stages.push(Stage::Hold { lasting: SHORT });
    let total = total(&server, "/quiet", plan).await;
    assert_eq!(errors(&total), []);
    assert_eq!(total.counters.count(Counter::Closed), 6);
    let seen = server.seen.lock().expect("what it has seen");
    assert_eq!((seen.resets.as_slice(), seen.closed), ([Reason::CANCEL; 6].as_slice(), 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_is_cut_reconnects_on_the_connection_of_others() {
    let server = Server::start(None, None).await;
    let mut plan = plan(10, SHORT / 2, 100);
    subscribe(&mut plan).reconnecting.back = true;
    subscribe(&mut plan).stages.push(Stage::Storm { share: 0.5, lasting: SHORT });
    let total = total(&server, "/quiet", plan).await;
    assert_eq!(errors(&total), []);
    let back = total.counters.count(Counter::Reconnects);
    assert!((1..10).contains(&back), "{:?}", total.counters);
    assert_eq!(server.connections(), [10 + back]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_read_blocks_the_server_and_none_of_its_neighbours() {
    let server = Server::start(None, None).await;
    let mut plan = plan(4, SHORT * 2, 100);
    subscribe(&mut plan).slow = Some(Slow { share: 0.5, pace: Pace::Never });
    plan.drain = Duration::ZERO;
    let total = total(&server, "/much", plan).await;
    assert_eq!(server.connections(), [4]);
    let mut sent = server.seen.lock().expect("what it has seen").sent.clone();
    sent.sort_unstable();
    let whole = sent[3];
    assert!(whole > 800_000);
    let slow = sent.iter().filter(|sent| **sent < whole).count();
    assert!((1..4).contains(&slow), "{sent:?}");
    // Not a byte more than its window.
    assert!(sent[..slow].iter().all(|sent| *sent == 65_535), "{sent:?}");
    assert_eq!(total.counters.count(Counter::Events), 200 * (4 - slow as u64));
    assert_eq!(errors(&total), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_leave_their_connection_to_those_that_follow() {
    let server = Server::start(None, None).await;
    let mut plan = plan(0, SHORT, 100);
    plan.workload = Workload::Request(Requests {
        rate: Rate::Closed { clients: 2, think: Duration::from_millis(20) },
        lasting: SHORT,
        protocol: Protocol::Plain,
        objectives: Vec::new(),
    });
    let url = Url::parse(&format!("http://{}/twenty?a=b", server.address)).expect("a URL");
    let mut target = Target::new(url, None).await.expect("an address");
    target.method = "POST".to_owned();
    target.body = Some(PerClient::Same("{}".to_owned()));
    target.headers = vec![
        ("Host".to_owned(), PerClient::Same("example.org".to_owned())),
        ("X-Token".to_owned(), PerClient::Same("t".to_owned())),
    ];
    let total = played(target, plan).await;
    assert_eq!(errors(&total), []);
    let completed = total.counters.count(Counter::Completed);
    assert!(completed >= 4, "{:?}", total.counters);
    assert_eq!(total.counters.count(Counter::Events), completed * 20);
    assert_eq!(server.connections(), [completed]);
    let seen = server.seen.lock().expect("what it has seen");
    let (request, body) = seen.last.as_ref().expect("a request");
    assert_eq!((request.method().as_str(), body.as_slice()), ("POST", b"{}".as_slice()));
    assert_eq!(request.uri(), "http://example.org/twenty?a=b");
    let headers = request.headers();
    assert_eq!(headers["x-token"], "t");
    assert_eq!((headers.get("host"), &headers["content-length"]), (None, &"2".parse().unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn over_tls_it_is_agreed_upon() {
    let no_h2 = "http2: the server does not offer it by ALPN";
    for (offered, error) in
        [(vec!["h2"], None), (vec!["http/1.1"], Some(no_h2)), (vec![], Some(no_h2))]
    {
        let identity = Identity::new(&IdentityOptions {
            hosts: vec!["127.0.0.1".to_owned()],
            alpn: offered.into_iter().map(str::to_owned).collect(),
            ..IdentityOptions::default()
        });
        let identity = identity.expect("a certificate");
        let server = Server::over_tls(identity.server_config()).await;
        let ca = ("ca".to_owned(), identity.authority().as_bytes().to_vec());
        let tls = Tls::new(TlsOptions { ca: Some(ca), ..TlsOptions::default() }).expect("its CA");
        let config = tls.client_config(&["h2"]).expect("a configuration");
        let url = Url::parse(&format!("https://{}/twenty", server.address)).expect("a URL");
        let target = Target::new(url, Some(Arc::new(config))).await.expect("an address");
        let plan = plan(4, SHORT, 2);
        let reached = reach(&plan, target.clone()).await;
        assert_eq!(reached.as_ref().err().map(LoadError::text), error);
        let total = played(target, plan).await;
        assert_eq!(errors(&total), error.map(|error| (error, 4)).into_iter().collect::<Vec<_>>());
        if error.is_none() {
            assert_eq!(
                server.connections(),
                [0, 2, 2],
                "who looks whether it is there asks nothing"
            );
            assert_eq!(total.counters.count(Counter::Events), 80);
            assert_eq!(total.histogram(Metric::Tls).map(|times| times.count()), Some(2));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn publishing_to_a_server_with_only_http2_is_an_error() {
    let server = Server::start(None, None).await;
    let mut plan = plan(1, SHORT, 2);
    let (arrivals, after) = (Arrivals::Constant, Duration::ZERO);
    plan.publishing = Some(Publishing { rate: 10.0, arrivals, size: 100, after });
    let url = Url::parse(&format!("http://{}/quiet", server.address)).expect("a URL");
    let target = Target::new(url, None).await.expect("an address");
    let publisher =
        Publisher::requests(target.clone(), |_| Ok(b"POST / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec()));
    let total = published(target, plan, Some(publisher)).await;
    let (kind, count) = errors(&total)[0];
    assert!(kind.contains("supports only HTTP/2"), "{kind}");
    assert_eq!(count, total.counters.count(Counter::PublishFailed));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_http2_is_an_error() {
    let server = sseproof_load::server::Server::start(&Default::default()).expect("a port");
    let url = Url::parse(&format!("http://{}/events", server.address())).expect("a URL");
    let (target, plan) = (Target::new(url, None).await.expect("an address"), plan(3, SHORT, 2));
    let reached = reach(&plan, target.clone()).await;
    let error = reached.expect_err("no HTTP/2");
    assert_eq!(error.kind(), ErrorKind::Protocol);
    let text = "http2: broken frames: FRAME_SIZE_ERROR (HTTP/2 was requested";
    assert!(error.text().starts_with(text), "{error}");
    let total = played(target, plan).await;
    let kinds: Vec<_> = total.counters.errors().collect();
    assert_eq!(kinds, [("http2: broken frames: FRAME_SIZE_ERROR", 3)]);
    assert_eq!(total.counters.errors_of(ErrorKind::Protocol), 3);
}
