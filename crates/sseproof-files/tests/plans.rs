//! Plans: what is wrong with them is said with its place, and what they say is what is planned.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use sseproof_files::{Body, PlanFile, Variables, plans};
use sseproof_load_model::{
    Arrivals, Http, Lifetime, Metric, Pace, Protocol, Publishing, Rate, Reconnecting, Sequencing,
    Slow, Stage, Stamping, TimeUnit, Workload,
};

/// Files that are wrong, each in one way; a line of three dashes stands between two.
const BROKEN: &str = include_str!("plans/broken.yaml");

fn broken() -> impl Iterator<Item = &'static str> {
    BROKEN.split("---\n").map(|text| text.split_once("#\n").map_or(text, |(_, text)| text))
}

fn parse(text: &str) -> PlanFile {
    match PlanFile::parse("plan.yaml", text, &Variables::default()) {
        Ok(file) => file,
        Err(mistakes) => panic!("{mistakes}"),
    }
}

#[test]
fn each_broken_plan_gets_its_message() {
    let mut shown = String::new();
    for source in broken() {
        match PlanFile::parse("plan.yaml", source, &Variables::default()) {
            Ok(_) => panic!("it parses: {source}"),
            Err(mistakes) => write!(shown, "{mistakes}\n\n").unwrap(),
        }
    }
    insta::assert_snapshot!("plans", shown);
}

#[test]
fn no_beginning_of_a_file_breaks_the_reader() {
    for source in broken().chain(plans().iter().map(|plan| plan.source)) {
        for (end, _) in source.char_indices() {
            if let Err(mistakes) = PlanFile::parse("f", &source[..end], &Variables::default()) {
                assert!(!mistakes.0.is_empty(), "{}", &source[..end]);
                assert!(!mistakes.to_string().contains('\u{1f}'), "{mistakes}");
            }
        }
    }
}

#[test]
fn a_plan_of_clients_is_read() {
    let text = include_str!("plans/clients.yaml").replace("${env:SECRET}", "s");
    let file = parse(&text);
    assert_eq!(file.connection.ca.map(|ca| ca.path), Some("a.pem".into()));
    let plan = file.plan;
    let Workload::Subscribe(subscribe) = plan.workload else { panic!("no clients") };
    assert_eq!((plan.name.as_str(), plan.seed), ("everything at once", 7));
    let seconds = Duration::from_secs;
    assert_eq!(
        subscribe.stages,
        [
            Stage::Hold { lasting: seconds(2) },
            Stage::Ramp { to: 1000, over: seconds(10), plateaus: 4 },
            Stage::Storm { share: 0.5, lasting: seconds(20) },
            Stage::Ramp { to: 0, over: Duration::ZERO, plateaus: 1 },
            Stage::Hold { lasting: seconds(5) },
        ]
    );
    assert_eq!(subscribe.arrivals, Arrivals::Poisson);
    assert_eq!(subscribe.lifetime, Some(Lifetime::Exponential(seconds(60))));
    assert_eq!(subscribe.slow, Some(Slow { share: 0.05, pace: Pace::BytesPerSecond(1024) }));
    let wait = Duration::from_millis(1500);
    assert_eq!(
        subscribe.reconnecting,
        Reconnecting { back: true, wait, jitter: 0.2, last_event_id: false }
    );
    assert_eq!(
        plan.publishing,
        Some(Publishing { rate: 0.5, arrivals: Arrivals::Poisson, size: 2048, after: seconds(12) })
    );
    assert_eq!(plan.http, Http::Two { streams_per_connection: 50 });
    let pointer = "/meta/at".to_owned();
    assert_eq!(plan.stamping, Stamping::Json { pointer, unit: TimeUnit::Milliseconds });
    assert_eq!(plan.sequencing, Sequencing::Id);
    assert_eq!(
        (plan.interval, plan.patience, plan.drain),
        (Duration::from_millis(500), seconds(3), seconds(2))
    );
    let thresholds: Vec<_> = plan.thresholds.iter().map(ToString::to_string).collect();
    assert_eq!(thresholds, ["delivery.p99 > 50ms", "lost > 0"]);
}

#[test]
fn each_client_has_its_own_address_and_token() {
    let variables = Variables {
        given: BTreeMap::from([("room".to_owned(), "b".to_owned())]),
        environment: BTreeMap::from([("SECRET".to_owned(), "s".to_owned())]),
    };
    let text = include_str!("plans/clients.yaml");
    let file = PlanFile::parse("f", text, &variables).unwrap();
    let url = file.url.as_ref().unwrap();
    assert_eq!(url.fill(3), "http://127.0.0.1:8080/events?room=b&user=3");
    assert_eq!(url.same(), None);
    let websocket = file.websocket.as_ref().unwrap();
    assert_eq!(websocket.same(), Some("ws://127.0.0.1:8080/ws?room=b"));
    let headers: Vec<_> = file.headers.iter().map(|(name, text)| (name, text.fill(12))).collect();
    assert_eq!(headers, [(&"Authorization".to_owned(), "Bearer s-12".to_owned())]);

    let request = file.publish_request("http://h:1/events?x", "{}").unwrap().unwrap();
    assert_eq!((request.method.as_str(), request.url.as_str()), ("POST", "http://h:1/publish"));
    assert_eq!(request.body.to_text(), "{}");
    assert_eq!(request.headers.first("authorization").as_deref(), Some("Bearer s-0"));
    let silent = parse("plan: x\nclients: [{ ramp: 1 }, { hold: 1s }]\n");
    assert_eq!(silent.publish_request("http://h", "x"), Ok(None));
}

#[test]
fn what_a_plan_does_not_say_is_the_usual() {
    let file = parse("plan: x\nclients: [{ ramp: 1 }, { hold: 1s }]\n");
    let Workload::Subscribe(subscribe) = &file.plan.workload else { panic!("no clients") };
    assert_eq!(subscribe.reconnecting, Reconnecting::default());
    assert_eq!(file.plan.http, Http::One);
    let file = parse("plan: x\nhttp: 2\nclients: [{ ramp: 1 }, { hold: 1s }]\n");
    assert_eq!(file.plan.http, Http::Two { streams_per_connection: 100 });
    assert_eq!((subscribe.lifetime, subscribe.slow), (None, None));
    assert_eq!(file.plan.stamping, Stamping::None);
    assert_eq!((file.method.as_str(), file.body), ("GET", None));

    let publishing = parse(
        "plan: x\nclients: [{ ramp: 1 }, { hold: 1s }]\nreconnect: never\nlifetime: 60s\npublish: { rate: 1/s, http: { path: /p } }\n",
    );
    assert_eq!(publishing.plan.stamping, Stamping::Own);
    assert_eq!(publishing.plan.sequencing, Sequencing::Own);
    let Workload::Subscribe(subscribe) = &publishing.plan.workload else { panic!("no clients") };
    assert!(!subscribe.reconnecting.back);
    assert_eq!(subscribe.lifetime, Some(Lifetime::Fixed(Duration::from_mins(1))));
}

#[test]
fn a_plan_of_requests_is_read() {
    let file = parse(include_str!("plans/requests.yaml"));
    let Workload::Request(requests) = &file.plan.workload else { panic!("no requests") };
    assert_eq!(requests.rate, Rate::Open { from: 1.0, to: 50.0, arrivals: Arrivals::Constant });
    assert_eq!(requests.lasting, Duration::from_mins(1));
    assert_eq!(requests.protocol, Protocol::OpenaiChat);
    assert_eq!(
        requests.objectives,
        [(Metric::Ttft, 500_000_000), (Metric::EndToEnd, 10_000_000_000)]
    );
    assert_eq!(file.method, "POST");
    let Some(Body::Json(body)) = &file.body else { panic!("no JSON") };
    assert_eq!(
        body.fill(5),
        r#"{"messages":[{"content":"question 5","role":"user"}],"stream":true}"#
    );

    let closed = "plan: x\nrequests: { clients: 10, think: 1s, for: 5s, file: ask.json }\n";
    let closed = parse(closed);
    let Workload::Request(requests) = &closed.plan.workload else { panic!("no requests") };
    assert_eq!(requests.rate, Rate::Closed { clients: 10, think: Duration::from_secs(1) });
    assert_eq!(closed.body, Some(Body::File("ask.json".into())));
}

#[test]
fn the_ready_plans_are_all_that_there_are_and_each_says_what_is_realistic() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/load");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    let mut ready: Vec<_> = plans().iter().map(|plan| format!("{}.yaml", plan.id)).collect();
    ready.sort();
    assert_eq!(ready, files);
    for plan in plans() {
        let file = parse(plan.source);
        assert_eq!(file, plan.file, "{}", plan.id);
        assert!(file.why.is_some_and(|why| why.len() > 200), "{}", plan.id);
        assert!(!file.plan.thresholds.is_empty(), "{}", plan.id);
        // Without a URL it runs against the embedded server.
        assert!(file.url.unwrap().same().unwrap().starts_with('/'), "{}", plan.id);
        let is_request = matches!(file.plan.workload, Workload::Request(_));
        assert!(file.websocket.is_none() || !is_request, "{}", plan.id);
    }
}
