//! Steps that drive a target: publish, read its gauges, restart it.

mod lab;

use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sseproof_files::{Scenario, Target, Variables, probes};
use sseproof_http::{Action, Plan};
use sseproof_net::{Client, Lab, Limits};
use sseproof_record::{
    Exchange, Gauge, Lack, PublishOutcome, Role, RunEvent, RunEventKind, Transcript,
};
use sseproof_rules::{Record, Verdict, reference};
use sseproof_runner::run_all;
use tokio::time::Instant;

async fn driven(steps: &str) -> (Transcript, Vec<String>) {
    let file = "publish: { stream: /published, http: { path: /publish, body: \"${data}\" } }\n\
                active: { http: { path: /active }, pointer: /value }\n\
                memory: { http: { path: /memory }, regex: 'value\":(\\d+)' }\n\
                restart: { http: { path: /restart } }\nvia: http://lab.test/via/events\n";
    let scenario = lab::scenario("s", &format!("scenario: s\nsteps:\n{steps}"));
    let target = Target { pour: 1 << 17, ..target(file) };
    played_by(&lab::client(), &target, &[&scenario]).await
}

/// The target of a file, with the URL of the lab.
fn target(file: &str) -> Target {
    let file = Target::parse("f", file, &Variables::default()).expect("a target");
    Target { url: lab::target().url, ..file }
}

async fn played(file: &str, scenario: &Scenario) -> (Transcript, Vec<String>) {
    played_by(&lab::client(), &target(file), &[scenario]).await
}

async fn played_by(
    client: &Client,
    target: &Target,
    scenarios: &[&Scenario],
) -> (Transcript, Vec<String>) {
    let never = pin!(std::future::pending());
    let results = run_all(scenarios, target, client, "", &mut |_| {}, never).await;
    let failures = results.failures.into_iter().map(|failure| failure.message).collect();
    (results.transcript, failures)
}

fn probe(id: &str) -> &'static Scenario {
    &probes().iter().find(|probe| probe.id == id).expect("the probe").scenario
}

fn readings(transcript: &Transcript) -> Vec<(&str, Gauge, Result<u64, &str>)> {
    let reading = |run_event| match run_event {
        &RunEvent { ref name, what: RunEventKind::Reading(ref reading), .. } => {
            let value = reading.value.as_ref().map_err(String::as_str);
            Some((name.as_str(), reading.gauge, value.copied()))
        }
        _ => None,
    };
    transcript.run_events.iter().filter_map(reading).collect()
}

#[tokio::test(start_paused = true)]
async fn gauges_are_read_until_the_client_is_gone() {
    let (transcript, failures) = driven(
        "  - gauge: { as: before }\n  - connect: { published: true }\n  - gauge: { as: during }\n  \
         - drop: stream\n  - gauge: { as: after, until: { at-most: before } }\n",
    )
    .await;
    assert!(failures.is_empty(), "{failures:?}");
    let active: Vec<_> = readings(&transcript)
        .into_iter()
        .filter(|(_, gauge, _)| *gauge == Gauge::Active)
        .map(|(name, _, value)| (name, value))
        .collect();
    assert_eq!(active, [("before", Ok(0)), ("during", Ok(1)), ("after", Ok(0))]);
    assert!(transcript.exchanges[0].request.url.ends_with("/published"));
}

#[tokio::test(start_paused = true)]
async fn a_gauge_that_gives_no_number_says_why() {
    for (gauge, message) in [
        ("{ http: { path: /missing } }", "GET /missing answered 404"),
        ("{ http: { path: /late } }", "GET /late had no answer in 2s"),
        ("{ http: { path: /active }, pointer: /x }", "GET /active: nothing stands at /x of "),
    ] {
        let scenario = lab::scenario("s", "scenario: s\nsteps:\n  - gauge: { as: a }\n");
        let (transcript, _) = played(&format!("active: {gauge}\n"), &scenario).await;
        let [(_, Gauge::Active, Err(why))] = readings(&transcript)[..] else {
            panic!("{:?}", transcript.run_events)
        };
        assert!(why.starts_with(message), "{why}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stalled_client_receives_nothing_and_the_others_everything() {
    let (transcript, failures) = driven(
        "  - connect: { published: true, narrow: true, as: slow }\n  \
         - connect: { published: true, as: quick }\n  - stall: slow\n  - pour: {}\n  \
         - publish: \"${mark} last\"\n  \
         - expect: { from: quick, event: { data: { contains: \"${mark} last\" } } }\n  \
         - drop: slow\n  - drop: quick\n",
    )
    .await;
    assert!(failures.is_empty(), "{failures:?}");
    let [slow, quick] = [0, 1].map(|index| transcript.exchanges[index].body_len());
    assert!(slow < 1 << 10 && quick > 1 << 17, "{slow} {quick}");
    let did =
        |what: &RunEventKind| transcript.run_events.iter().any(|run_event| run_event.what == *what);
    assert!(did(&RunEventKind::Stalled { exchange: 1 }));
    let poured = transcript.run_events.iter().find_map(|run_event| match &run_event.what {
        RunEventKind::Poured { bytes, stopped, events } => Some((*bytes, stopped, events)),
        _ => None,
    });
    let (bytes, stopped, events) = poured.expect("the result of `pour`");
    assert_eq!((bytes, stopped), (1 << 17, &PublishOutcome::Accepted));
    assert_eq!(events.as_ref().map(|events| (events.first, events.count)), Some((0, 2)));
    assert!(did(&RunEventKind::Unread { exchange: 1, bytes: Ok(1 << 16) }));
    assert!(!did(&RunEventKind::Unread { exchange: 2, bytes: Ok(1 << 16) }));
}

#[tokio::test(start_paused = true)]
async fn a_restart_cuts_open_streams() {
    let (transcript, failures) = driven(
        "  - connect: { published: true }\n  - connect: { via: true, as: via }\n  - restart: {}\n  \
         - expect: { from: stream, end: truncated }\n",
    )
    .await;
    assert!(failures.is_empty(), "{failures:?}");
    let via = &transcript.exchanges[1];
    assert!(via.via && !via.judged && via.is_stream());
    let restarted = transcript.run_events.iter().find_map(|run_event| match &run_event.what {
        RunEventKind::Restarted { ready_us, failed } => Some((ready_us.is_some(), failed.clone())),
        _ => None,
    });
    assert_eq!(restarted, Some((true, None)));
}

#[tokio::test(start_paused = true)]
async fn many_clients_come_and_go() {
    let (transcript, failures) = driven("  - churn: { as: many, times: 40 }\n").await;
    assert!(failures.is_empty(), "{failures:?}");
    let last = transcript.run_events.iter().rev().find_map(|run_event| match run_event.what {
        RunEventKind::Churned { connections, streams, last } => Some((connections, streams, last)),
        _ => None,
    });
    assert_eq!(last, Some((41, 40, 1)));
    assert_eq!(transcript.exchanges.len(), 1);
    let many = readings(&transcript);
    assert_eq!(many.iter().filter(|(_, gauge, _)| *gauge == Gauge::Memory).count(), 9);
    assert_eq!(many.last().unwrap().2, Ok(8 << 20));
}

/// As with the idle connections of a proxy, which the readings themselves make.
#[tokio::test(start_paused = true)]
async fn a_server_with_more_than_before_is_read_again_after_a_silence() {
    static CLIENTS: AtomicU64 = AtomicU64::new(0);
    static LATEST: Mutex<Option<Instant>> = Mutex::new(None);
    let lab = Lab::new(|visit| {
        let mut latest = LATEST.lock().expect("the latest request");
        if visit.request.path() == "/events" {
            CLIENTS.fetch_add(1, Ordering::Relaxed);
        } else if latest.is_some_and(|latest| latest.elapsed() > Duration::from_secs(5)) {
            CLIENTS.store(0, Ordering::Relaxed);
        }
        *latest = Some(Instant::now());
        match visit.request.path() {
            "/active" => reference::number(CLIENTS.load(Ordering::Relaxed)),
            _ => reference::answer(visit),
        }
    });
    let client = Client::new(Arc::new(lab.in_process()), Limits::default());
    let target = target("active: { http: { path: /active }, pointer: /value }\n");
    let (transcript, _) = played_by(&client, &target, &[probe("churn")]).await;
    let values: Vec<_> = readings(&transcript).into_iter().map(|(_, _, value)| value).collect();
    let [.., last, again] = values[..] else { panic!("{values:?}") };
    assert_eq!((last, again), (Ok(201), Ok(0)));
    let verdict = (sseproof_rules::rule("lifecycle/no-leak").expect("the rule").judge)(
        &Record::new(&transcript),
    );
    assert!(matches!(verdict, Verdict::Pass(_)), "{verdict:?}");
}

#[tokio::test(start_paused = true)]
async fn a_feature_that_the_target_lacks_is_named() {
    for (need, line) in [
        ("publish", "publish: {"),
        ("restart", "restart: {"),
        ("via", "via: http"),
        ("active", "active: {"),
        ("memory", "start: {"),
        ("http2", "--http 2"),
    ] {
        let source = format!("scenario: s\nneeds: [{need}]\nsteps:\n  - connect: {{}}\n");
        let (transcript, failures) = played("url: http://h/\n", &lab::scenario("s", &source)).await;
        assert!(failures[0].contains(line), "{failures:?}");
        assert!(transcript.exchanges.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn published_events_are_noted_at_the_stream() {
    let hook = "publish:\n  stream: /published\n  http: { path: /publish, body: \"${data}\" }\n";
    let (transcript, failures) = played(hook, probe("encode")).await;
    assert!(failures.is_empty(), "{failures:?}");
    let subscriber = &transcript.exchanges[0];
    assert!(!subscriber.judged && subscriber.is_stream());
    let payloads = || subscriber.published.iter().filter(|one| one.payload.is_some());
    assert!(payloads().any(|one| one.outcome == PublishOutcome::Accepted && one.data == "a\nb"));
    let cr = payloads().find(|one| one.data == "a\rb").unwrap();
    assert_eq!(cr.outcome.said(), Some("POST /publish answered 422"));
    // A sentinel before each, and one after the last.
    assert_eq!(subscriber.published.len(), 2 * payloads().count() + 1);
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_does_not_work_ends_the_probe_early() {
    for (path, message) in
        [("/missing", "POST /missing answered 404"), ("/late", "POST /late had no answer in 5s")]
    {
        let hook = format!("publish:\n  http: {{ path: {path}, body: \"${{data}}\" }}\n");
        let (transcript, _) = played(&hook, probe("encode")).await;
        let published = &transcript.exchanges[0].published;
        assert_eq!(published.len(), 1, "{published:?}");
        assert_eq!(published[0].outcome.said(), Some(message));
    }
}

#[tokio::test(start_paused = true)]
async fn a_missing_response_is_not_reported_as_a_closed_connection() {
    let target = target("publish:\n  http: { path: /late, body: \"${data}\" }\n");
    // The client gives up at the same time as the step, or sooner.
    let limits = Limits { head: Duration::from_secs(1), ..Limits::default() };
    let client = Client::new(Arc::new(Lab::new(lab::answer).in_process()), limits);
    let (transcript, _) = played_by(&client, &target, &[probe("encode")]).await;
    let published = &transcript.exchanges[0].published;
    assert_eq!(published[0].outcome.said(), Some("POST /late got no answer in time"));
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_carries_nothing_ends_the_probe_early() {
    let hook = "publish:\n  stream: /silent\n  http: { path: /publish, body: \"${data}\" }\n";
    let (transcript, _) = played(hook, probe("encode")).await;
    assert!(transcript.exchanges[0].published.iter().all(|one| one.payload.is_none()));
}

#[tokio::test]
async fn a_publish_step_publishes_as_the_target_says() {
    let scenario = lab::scenario("s", "scenario: s\nsteps:\n  - publish: \"it's $x\"\n");
    let (_, failures) = played(
        "publish:\n  run: sh -c 'test \"$1\" = \"it'\"'\"'s \\$x\"' sh ${data}\n",
        &scenario,
    )
    .await;
    assert!(failures.is_empty(), "{failures:?}");
    let (transcript, failures) =
        played("publish:\n  run: sh -c 'exit 3' ${data}\n", &scenario).await;
    let broke = "the command should exit with code 0, and ended with code 3";
    assert_eq!(failures, [broke]);
    let [run_event] = transcript.run_events.as_slice() else { panic!("{transcript:?}") };
    let RunEventKind::Published { what, answered_us: Some(_) } = &run_event.what else {
        panic!("{run_event:?}")
    };
    assert_eq!(what.data, "it's $x");
    assert_eq!(what.outcome, PublishOutcome::Failed(broke.to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_step_that_needs_a_hook_says_so() {
    let scenario = lab::scenario("s", "scenario: s\nsteps:\n  - payloads: {}\n");
    let (_, failures) = played("url: http://h/\n", &scenario).await;
    assert!(failures[0].contains("does not say how to publish"), "{failures:?}");
}

#[tokio::test(start_paused = true)]
async fn a_silent_stream_is_given_events_and_the_record_says_so() {
    let hook = "publish:\n  http: { path: /publish, body: \"${data}\" }\n";
    for (path, fed) in [("/only-published", true), ("/events", false)] {
        let target = Target { url: format!("http://lab.test{path}"), ..target(hook) };
        let scenarios = ["find", "baseline", "accept"].map(probe);
        let (transcript, _) = played_by(&lab::client(), &target, &scenarios).await;
        let streams =
            transcript.exchanges.iter().filter(|exchange| exchange.request.method == "GET");
        // The second client of the probe that finds the stream waits for no event.
        let waits =
            |exchange: &&Exchange| (&*exchange.scenario, &*exchange.name) != ("find", "second");
        for stream in streams.filter(waits).filter(|exchange| exchange.is_stream()) {
            assert_eq!(!stream.published.is_empty(), fed, "{}", stream.number);
            let body = String::from_utf8(stream.body_bytes()).expect("text");
            assert_eq!(body.contains("data: sseproof-event-"), fed, "{body}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn headers_that_come_with_the_first_event_do_not_delay_published_events() {
    let hook =
        "publish:\n  stream: /late-published\n  http: { path: /publish, body: \"${data}\" }\n";
    let (transcript, _) = played(hook, probe("deliver")).await;
    let marked: Vec<_> = transcript
        .run_events
        .iter()
        .filter_map(|run_event| match &run_event.what {
            RunEventKind::Published { what, .. } => Some(what.data.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(marked.len(), 5, "{:?}", transcript.run_events);
    let streams: Vec<_> =
        transcript.exchanges.iter().filter(|exchange| exchange.is_stream()).collect();
    assert_eq!(streams.len(), 5);
    for stream in streams {
        let body = String::from_utf8(stream.body_bytes()).expect("text");
        assert!(
            body.contains("sseproof-event-"),
            "nothing was published to release the headers: {body}"
        );
        assert!(marked.iter().all(|data| body.contains(data)), "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn generated_payloads_depend_on_the_seed() {
    let hook = "publish:\n  stream: /published\n  http: { path: /publish, body: \"${data}\" }\n";
    let (transcript, _) = played(hook, probe("encode")).await;
    let generated: Vec<_> =
        transcript.exchanges[0].published.iter().filter(|one| one.seed == Some(0)).collect();
    assert_eq!(generated.len(), 40);
    // The server rejects a CR: this is known by then, and none is generated.
    assert!(generated.iter().all(|one| !one.data.contains('\r')));
    assert!(generated.iter().any(|one| one.data.contains('\n')));
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_the_stream_of_its_publication() {
    let hook = "publish:\n  answer: true\n  http: { path: /echo, json: { data: \"${data}\", event: \"${event}\" } }\n";
    let (transcript, failures) = played(hook, probe("encode")).await;
    assert!(failures.is_empty(), "{failures:?}");
    let answers = transcript.exchanges.as_slice();
    assert!(answers.iter().all(|one| one.role == Some(Role::Answer) && !one.judged));
    assert!(answers.iter().all(|one| one.published.len() == 1));
    // One sentinel shows what an answer looks like.
    let is_sentinel = |one: &&Exchange| one.published[0].payload.is_none();
    assert_eq!(answers.iter().filter(is_sentinel).count(), 1);
    let record = Record::new(&transcript);
    for (id, is_offered) in
        [("encode/injection", true), ("encode/event-name", true), ("encode/id", false)]
    {
        let verdict = (sseproof_rules::rule(id).expect(id).judge)(&record);
        assert_eq!(matches!(verdict, Verdict::Pass(_)), is_offered, "{id}: {verdict:?}");
    }
    let (transcript, _) = played(hook, probe("deliver")).await;
    let lacking = |happening: &RunEvent| happening.what == RunEventKind::Lacking(Lack::Stream);
    assert!(transcript.run_events.iter().any(lacking), "{:?}", transcript.run_events);
}

/// A server may fail or lose any text by chance.
#[tokio::test(start_paused = true)]
async fn a_failed_or_empty_answer_is_asked_for_again() {
    let hook = "publish:\n  answer: true\n  http: { path: /echo, json: { data: \"${data}\" } }\n";
    for fails in [true, false] {
        static ASKED: AtomicUsize = AtomicUsize::new(0);
        static FAILS: AtomicBool = AtomicBool::new(false);
        ASKED.store(0, Ordering::Relaxed);
        FAILS.store(fails, Ordering::Relaxed);
        let lab = Lab::new(|visit| match ASKED.fetch_add(1, Ordering::Relaxed) % 5 {
            3 if FAILS.load(Ordering::Relaxed) => Plan::answer(503, "text/plain", "busy\n"),
            3 => Plan { actions: vec![reference::head(visit), Action::Finish] },
            _ => reference::answer(visit),
        });
        let client = Client::new(Arc::new(lab.in_process()), Limits::default());
        let (transcript, failures) = played_by(&client, &target(hook), &[probe("encode")]).await;
        assert!(failures.is_empty(), "{failures:?}");
        let is_noted = |one: &&Exchange| !one.published.is_empty();
        let (asked, noted) =
            (transcript.exchanges.len(), transcript.exchanges.iter().filter(is_noted).count());
        assert_eq!(asked - noted, (asked + 1) / 5, "{asked} {noted}");
        let record = Record::new(&transcript);
        for id in ["encode/data-intact", "encode/injection"] {
            let verdict = (sseproof_rules::rule(id).expect(id).judge)(&record);
            assert!(matches!(verdict, Verdict::Pass(_)), "{id}: {verdict:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_header_field_cannot_carry_is_left_out() {
    let hook = "publish:\n  stream: /published\n  http: { path: /publish, body: \"${data}\", headers: { X-Event: \"${event}\" } }\n";
    let (transcript, _) = played(hook, probe("encode")).await;
    let published = &transcript.exchanges[0].published;
    let of = |name: &str| published.iter().find(|one| one.event.as_deref() == Some(name));
    assert_eq!(of("sseproof-plain").map(|one| &one.outcome), Some(&PublishOutcome::Accepted));
    // The lab ignores the field, so that the other names prove nothing, and are not tried.
    assert!(of("a b").is_none());
}

#[tokio::test(start_paused = true)]
async fn a_silent_stream_is_given_events_before_its_client_disconnects() {
    for (path, stream) in [
        ("/only-published", ""),
        ("/only-published", "  stream: /only-published\n"),
        // An event that greets the client does not make the stream less quiet.
        ("/greets", ""),
    ] {
        let hook = format!(
            "active: {{ http: {{ path: /active }} }}\npublish:\n{stream}  http: {{ path: /publish, body: \"${{data}}\" }}\n"
        );
        let url = format!("http://lab.test{path}");
        let target = Target { url, ..target(&hook) };
        let scenarios = ["find", "leave", "leave-idle"].map(probe);
        let (transcript, _) = played_by(&lab::client(), &target, &scenarios).await;
        let record = Record::new(&transcript);
        for id in
            ["lifecycle/stops-on-close", "lifecycle/stops-on-reset", "lifecycle/stops-when-idle"]
        {
            let verdict = (sseproof_rules::rule(id).expect(id).judge)(&record);
            assert!(matches!(verdict, Verdict::Pass(_)), "{id}: {verdict:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_part_that_the_target_offers_is_tried() {
    let hook = "publish:\n  stream: /published\n  http:\n    path: /publish/parts\n    json: { data: \"${data}\", id: \"${id}\" }\n";
    let (transcript, _) = played(hook, probe("encode")).await;
    let published = &transcript.exchanges[0].published;
    assert!(published.iter().any(|one| one.id.as_deref() == Some("a\0b")));
    assert!(published.iter().all(|one| one.event.is_none() && one.comment.is_none()));
}
