//! A test service for the contract tests of LaunchDarkly around the reference client, with what is
//! odd about the real ones, in memory and with a paused clock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use sseproof_check_client::{
    Broken, Carrier as _, Embedded, Ground as _, Memory, Notice, Options, Place, Service,
    StartError, play,
};
use sseproof_client_rules::client::dispatch;
use sseproof_client_rules::{
    Call, Can, CaseEnd, ClientRecord, Command, Connect, Hooks, Kind, REFERENCE, Transport, cases,
    judge, mutants,
};
use sseproof_codec::Item;
use sseproof_http::{Action, Bytes, Framing, Headers, Plan, Request, Version};
use sseproof_net::{Client, Lab, Leave, Limits};
use sseproof_rules::Status;
use tokio::sync::mpsc::unbounded_channel;

/// The oddities of a service.
#[derive(Clone, Copy, Default)]
struct Quirks {
    /// The number of the first callback.
    first: u64,
    /// It fails if the body has no `tag`.
    needs_tag: bool,
    /// A DELETE stops nothing.
    deaf: bool,
    /// A DELETE stops the stream after the one that is named.
    deletes_next: bool,
    /// The `Location` is a whole URL.
    absolute: bool,
    /// It creates nothing.
    broken: bool,
    capabilities: &'static [&'static str],
    /// Its client reconnects after 204.
    ignores_204: bool,
}

/// The requests that the service got, as `POST /` and `{…}`.
type Log = Arc<Mutex<Vec<(String, Value)>>>;

/// A service that is asked for no types delivers events of every type.
const HEARS_ALL: Hooks = Hooks {
    dispatch: |state, item| {
        if let Item::Event(event) = item {
            state.connect.types = vec![event.event_type.clone().into_owned()];
        }
        dispatch(state, item)
    },
    ..REFERENCE
};

async fn service(memory: &Memory, quirks: Quirks) -> (Box<dyn Place>, Log) {
    let log = Log::default();
    let (commands, mut waiting) = unbounded_channel::<Command>();
    let (said, mut hears) = unbounded_channel();
    let callbacks: Arc<Mutex<Vec<String>>> = Arc::default();
    let wrong = mutants().find(|(_, mutant)| mutant.id == "retries-after-204");
    let wrong = wrong.expect("a mutant").1.hooks;
    let accept = if quirks.ignores_204 { wrong.accept } else { REFERENCE.accept };
    let hooks = Hooks { accept, ..HEARS_ALL };
    let mut client = Embedded::new(hooks, Arc::new(memory.clone()));
    client.start(said).await.expect("the reference client starts");
    tokio::spawn(async move {
        while let Some(command) = waiting.recv().await {
            client.send(command);
        }
    });
    let urls = Arc::clone(&callbacks);
    let dial = Arc::new(memory.clone());
    tokio::spawn(async move {
        let mut numbers = std::collections::HashMap::<u64, u64>::new();
        while let Some(Notice::Call { id, call, .. }) = hears.recv().await {
            let body = match call {
                Call::Event(event) => json!({ "kind": "event", "event": {
                    "type": event.event_type, "data": event.data, "id": event.last_event_id,
                }}),
                Call::Comment(comment) => json!({ "kind": "comment", "comment": comment }),
                Call::Error(failed) => json!({ "kind": "error", "error": failed.message }),
                Call::Open(_) | Call::Closed(_) => continue,
            };
            let number = numbers.entry(id).or_insert(quirks.first);
            let at = usize::try_from(id - 1).expect("a small number");
            let url = format!("{}/{number}", urls.lock().expect("no panic")[at]);
            *number += 1;
            let answer = ask(&dial, "POST", &url, &body).await;
            assert_eq!(answer, Some(202), "{url}");
        }
    });
    let seen = Arc::clone(&log);
    let streams = AtomicU64::new(0);
    let origin = Arc::new(std::sync::OnceLock::<String>::new());
    let own = Arc::clone(&origin);
    let lab = Lab::new(move |visit| {
        let request = visit.request;
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        seen.lock().expect("no panic").push((request.label(), body.clone()));
        let done = |status| Plan::answer(status, "text/plain", "");
        match (request.method.as_str(), request.path()) {
            ("GET", "/") => {
                let status = json!({ "name": "odd", "capabilities": quirks.capabilities });
                Plan::answer(200, "application/json", status.to_string())
            }
            ("POST", "/") if quirks.broken => done(500),
            ("POST", "/") if quirks.needs_tag && body["tag"].is_null() => done(500),
            ("POST", "/") => {
                let id = streams.fetch_add(1, Ordering::SeqCst) + 1;
                let text = |name: &str| body[name].as_str().map(str::to_owned);
                callbacks.lock().expect("no panic").push(text("callbackUrl").expect("a URL"));
                let connect = Connect {
                    last_event_id: text("lastEventId"),
                    retry: body["initialDelayMs"].as_u64(),
                    ..Connect::to(text("streamUrl").expect("a URL"))
                };
                let command = Command { id, connect: Some(connect), close: None };
                commands.send(command).expect("the client is there");
                let base = if quirks.absolute { own.get().expect("it listens") } else { "" };
                done(201).with_header("Location", format!("{base}/streams/{id}"))
            }
            ("DELETE", "/") => done(204),
            ("DELETE", path) => {
                let id = path.strip_prefix("/streams/").and_then(|id| id.parse::<u64>().ok());
                let id = id.expect("a stream") + u64::from(quirks.deletes_next);
                if !quirks.deaf {
                    let close = Some(Default::default());
                    commands.send(Command { id, connect: None, close }).expect("it is there");
                }
                done(204)
            }
            ("POST", _) if quirks.capabilities.contains(&"event-type-listeners") => done(202),
            _ => done(404),
        }
    });
    let place = memory.place(lab, Transport::Http1).await.expect("a place");
    origin.get_or_init(|| place.origins().own.clone());
    (place, log)
}

async fn ask(dial: &Arc<Memory>, method: &str, url: &str, body: &Value) -> Option<u16> {
    let request = Request {
        method: method.to_owned(),
        url: url.to_owned(),
        version: Version::Http11,
        headers: Headers::default(),
        // As a real one does: with a line feed and without a Content-Type.
        body: Bytes::from(format!("{body}\n")),
    };
    let client = Client::new(Arc::clone(dial) as _, Limits::default());
    let mut live = client.open(request).expect("a request");
    live.wait(std::time::Duration::from_secs(5), |_| false).await;
    live.leave(Leave::Fin).await.status()
}

fn run(quirks: Quirks, kind: Kind) -> (Result<ClientRecord, Broken>, Vec<(String, Value)>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let memory = Memory::default();
        let (place, log) = service(&memory, quirks).await;
        let own = (Arc::new(memory.clone()), Arc::new(memory.clone()));
        let service = Service::over(place.origins().own.clone(), own.0, own.1);
        let mut service = service.of_kind(kind).stopped_at_end();
        let all: Vec<_> = cases().collect();
        let options = Options { idle: true, ..Options::default() };
        let never = std::future::pending();
        let played = play(&all, &mut service, &memory, &options, &mut |_| {}, never).await;
        let log = log.lock().expect("no panic").clone();
        (played, log)
    })
}

const ODD: [Quirks; 5] = {
    const PLAIN: Quirks = Quirks {
        first: 1,
        needs_tag: false,
        deaf: false,
        deletes_next: false,
        absolute: false,
        broken: false,
        capabilities: &["comments", "last-event-id", "bom", "something-new"],
        ignores_204: false,
    };
    [
        PLAIN,
        Quirks { first: 0, deletes_next: true, ..PLAIN },
        Quirks { needs_tag: true, deaf: true, ..PLAIN },
        Quirks { absolute: true, ..PLAIN },
        Quirks { capabilities: &["event-type-listeners"], ..PLAIN },
    ]
};

#[test]
fn the_reference_client_passes_in_every_odd_service() {
    for (index, quirks) in ODD.into_iter().enumerate() {
        let (played, log) = run(quirks, Kind::Eventsource);
        let record = played.expect("a service that works");
        assert_eq!(record.client.name, "odd");
        let played = record.cases.iter().filter(|case| case.end == CaseEnd::Played).count();
        assert!(played >= 3, "{index}: {played} cases were played");
        let wrong = |case: &&sseproof_client_rules::CaseRecord| {
            !matches!(case.end, CaseEnd::Played | CaseEnd::NotPlayed(_))
        };
        assert_eq!(record.cases.iter().find(wrong), None, "{index}");
        for finding in judge(&record, |_| true) {
            assert_ne!(finding.status, Status::Fail, "{index}: {finding:#?}");
        }
        let labels: Vec<_> = log.iter().map(|(label, _)| label.as_str()).collect();
        let created = labels.iter().filter(|label| **label == "POST /").count();
        let deleted = labels.iter().filter(|label| label.starts_with("DELETE /streams/")).count();
        assert_eq!((created, labels.last()), (deleted, Some(&"DELETE /")), "{index}");
        let first_deletion = labels.iter().position(|label| label.starts_with("DELETE"));
        let last_creation = labels.iter().rposition(|label| *label == "POST /");
        assert!(first_deletion > last_creation, "{index}: a stream is deleted during the run");
    }
}

#[test]
fn a_service_that_creates_nothing_is_broken() {
    let (played, _) = run(Quirks { broken: true, ..ODD[0] }, Kind::Resilient);
    let Err(Broken::Plain { why, .. }) = played else { panic!("{played:?}") };
    assert!(why.contains("status 500"), "{why}");
}

#[test]
fn a_place_without_a_service_is_named() {
    for (status, expected) in [(404, "answers with status 404"), (200, "as a test service does")] {
        let error = start(move |_| Plan::answer(status, "text/html", "<html>"));
        let Err(StartError::Unreachable(why)) = error else { panic!("{error:?}") };
        assert!(why.contains(expected), "{why}");
    }
    let silent = start(|_| {
        let head =
            Action::Head { status: 200, headers: Headers::default(), framing: Framing::None };
        Plan { actions: vec![Action::Reset, head] }
    });
    let Err(StartError::Unreachable(why)) = silent else { panic!("{silent:?}") };
    assert!(why.contains("does not answer within 10 s"), "{why}");
}

fn start(
    answer: impl Fn(&Request) -> Plan + Send + Sync + 'static,
) -> Result<sseproof_client_rules::Hello, StartError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let memory = Memory::default();
        let lab = Lab::new(move |visit| answer(visit.request));
        let place = memory.place(lab, Transport::Http1).await.expect("a place");
        let own = (Arc::new(memory.clone()), Arc::new(memory.clone()));
        let mut service = Service::over(place.origins().own.clone(), own.0, own.1);
        service.start(unbounded_channel().0).await
    })
}

#[test]
fn a_client_in_a_service_is_resilient_unless_it_is_said_to_be_another() {
    let (played, _) = run(ODD[0], Kind::Resilient);
    let client = played.expect("a service that works").client;
    assert_eq!(client.kind, Kind::Resilient);
    assert_eq!(client.retries_on, ["network", "end", "status", "204"]);
    assert!(client.can.contains(&Can::Comment) && client.can.contains(&Can::LastEventId));
    assert!(!client.can.contains(&Can::Close));
}

#[test]
fn a_service_stops_at_204_if_it_says_so() {
    for (capabilities, expected) in
        [(&[][..], Status::Pass), (&["server-directed-shutdown-request"], Status::Fail)]
    {
        let (played, _) =
            run(Quirks { capabilities, ignores_204: true, ..ODD[0] }, Kind::Resilient);
        let record = played.expect("a service that works");
        let findings = judge(&record, |rule| rule.id == "client/response-204");
        assert_eq!(findings[0].status, expected, "{capabilities:?}: {findings:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_service_is_reported() {
    let memory = Memory::default();
    let (mut place, _) = service(&memory, ODD[0]).await;
    let own = (Arc::new(memory.clone()), Arc::new(memory.clone()));
    let mut service = Service::over(place.origins().own.clone(), own.0, own.1);
    let (said, mut hears) = unbounded_channel();
    service.start(said).await.expect("a service that works");
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert!(hears.try_recv().is_err());
    place.away();
    let died = hears.recv().await;
    let Some(Notice::Died(why)) = died else { panic!("{died:?}") };
    assert!(why.contains("the test service ended"), "{why}");
}
