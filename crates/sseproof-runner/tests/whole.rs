//! Runs as a whole: numbers and marks, redirects and reconnects, cancelling, what stops a run.

mod lab;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use sseproof_files::{Scenario, probes};
use sseproof_http::{Plan, Version, Visit};
use sseproof_net::{
    Client, ConnectionOptions, Dial, DialError, Dialling, Lab, Limits, ReceiveBuffer,
};
use sseproof_record::{Ending, Exchange, Reason};
use sseproof_rules::reference;
use sseproof_runner::{FailureKind, Outcome, Results, RunProgress, Stopped, run, run_all};

async fn play(source: &str) -> Outcome {
    let scenario = lab::scenario("own.yaml", source);
    let never = pin!(std::future::pending());
    run(&scenario, &lab::target(), &lab::client(), 5, &mut |_| {}, never).await
}

async fn play_all(scenarios: &[&Scenario], client: &Client) -> Results {
    let never = pin!(std::future::pending());
    run_all(scenarios, &lab::target(), client, "2026-01-01T00:00:00Z", &mut |_| {}, never).await
}

fn against(answer: fn(&Visit<'_>) -> Plan) -> Client {
    Client::new(Arc::new(Lab::new(answer).in_process()), Limits::default())
}

fn all_probes() -> Vec<&'static Scenario> {
    probes().iter().map(|probe| &probe.scenario).collect()
}

fn sent_id(exchange: &Exchange) -> Option<String> {
    exchange.request.last_event_id().map(|id| id.to_text())
}

#[tokio::test(start_paused = true)]
async fn streams_share_a_connection_where_http2_carries_them() {
    let source = "scenario: a\nsteps:\n  - connect: { as: first }\n  - connect: { on: first, as: second }\n  - read: { events: 2 }\n";
    let scenario = lab::scenario("own.yaml", source);
    let by = async |http| {
        let client = lab::client().with(ConnectionOptions { http, ..ConnectionOptions::default() });
        let never = pin!(std::future::pending());
        run(&scenario, &lab::target(), &client, 5, &mut |_| {}, never).await
    };
    let outcome = by(Some(Version::Http2)).await;
    assert_eq!(outcome.failures, []);
    let shares = |exchange: &Exchange| {
        (exchange.transport.shares, exchange.transport.stream, exchange.judged)
    };
    let lines: Vec<_> = outcome.exchanges.iter().map(shares).collect();
    assert_eq!(lines, [(Some(5), Some(1), true), (Some(5), Some(3), true)]);

    let outcome = by(Some(Version::Http11)).await;
    assert!(outcome.failures[0].message.contains("only HTTP/2 carries"), "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn exchanges_are_numbered_named_and_linked() {
    let outcome = play(
        "scenario: a\nsteps:\n  - connect: { path: /redirect/2, as: first }\n  - read: { events: 2 }\n  \
         - drop: first\n  - reconnect: { from: first, as: second }\n  - http: { path: /missing, status: 404 }\n",
    )
    .await;
    assert_eq!(outcome.failures, []);
    let lines: Vec<_> = outcome
        .exchanges
        .iter()
        .map(|exchange| {
            let follows = exchange.follows.map(|follows| (follows.exchange, follows.reason));
            let Exchange { number, name, judged, .. } = exchange;
            (*number, name.as_str(), exchange.request.target(), follows, *judged)
        })
        .collect();
    assert_eq!(
        lines,
        [
            (5, "first", "/redirect/2", None, true),
            (6, "first", "/redirect/1", Some((5, Reason::Redirect)), true),
            (7, "first", "/redirect/0", Some((6, Reason::Redirect)), true),
            (8, "second", "/redirect/2", Some((7, Reason::Reconnect)), true),
            (9, "second", "/redirect/1", Some((8, Reason::Redirect)), true),
            (10, "second", "/redirect/0", Some((9, Reason::Redirect)), true),
            (11, "", "/missing", None, false),
        ]
    );
    assert!(outcome.exchanges.iter().all(|exchange| exchange.scenario == "own.yaml"));
    assert_eq!(sent_id(&outcome.exchanges[2]), None);
    assert_eq!(sent_id(&outcome.exchanges[5]).as_deref(), Some("2"));
    let reconnected_after = outcome.exchanges[3].started - outcome.exchanges[2].end.at;
    assert_eq!(reconnected_after, reference::RETRY, "the announced time");
}

#[tokio::test(start_paused = true)]
async fn without_an_announced_time_a_client_reconnects_after_three_seconds() {
    let steps = "  - connect: { path: /cut, as: first }\n  - expect: { end: truncated }\n";
    for (wait, millis) in [("", 3_000), (", wait: 700ms", 700), (", wait: 0s", 0)] {
        let again = format!("  - reconnect: {{ from: first, as: second{wait} }}\n");
        let outcome = play(&format!("scenario: a\nsteps:\n{steps}{again}")).await;
        assert_eq!(outcome.failures, []);
        let [first, second] = outcome.exchanges.as_slice() else { panic!("{outcome:?}") };
        assert_eq!(second.started - first.end.at, Duration::from_millis(millis));
        assert_eq!(sent_id(second).as_deref(), Some("1"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_response_that_is_expected_not_to_be_a_stream_is_not_judged() {
    for (expect, judged) in [
        ("{ status: 404 }", false),
        ("{ status: [200, 404] }", true),
        ("{ headers: { Content-Type: text/plain } }", false),
        ("{ headers: { Content-Type: { contains: text } } }", true),
    ] {
        let steps = format!("  - connect: {{ path: /missing }}\n  - expect: {expect}\n");
        let outcome = play(&format!("scenario: a\nsteps:\n{steps}")).await;
        assert_eq!(outcome.failures, [], "{expect}");
        assert_eq!(outcome.exchanges[0].judged, judged, "{expect}");
    }
}

#[tokio::test(start_paused = true)]
async fn every_way_of_closing_is_recorded() {
    let outcome = play(
        "scenario: a\nsteps:\n  - connect: { as: left }\n  - connect: { as: reset }\n  \
         - drop: { from: reset, reset: true }\n  - connect: { path: /silent, as: kept }\n  - wait: 1s\n",
    )
    .await;
    assert!(outcome.exchanges.iter().all(|exchange| exchange.end.how == Ending::Disconnected));
    let ends: Vec<_> = outcome.exchanges.iter().map(|exchange| exchange.end.at).collect();
    assert_eq!(ends[0], ends[2], "open connections are closed at the end");
    assert!(ends[1] < ends[0]);
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_run_keeps_every_exchange() {
    let source = "scenario: a\nsteps:\n  - connect: { as: first }\n  - connect: { path: /silent, as: second }\n  - wait: 10m\n";
    let scenario = lab::scenario("own.yaml", source);
    let other = lab::scenario("other.yaml", source);
    let cancel = pin!(tokio::time::sleep(Duration::from_secs(1)));
    let client = lab::client();
    let scenarios = [&scenario, &other];
    let results = run_all(&scenarios, &lab::target(), &client, "", &mut |_| {}, cancel).await;
    assert_eq!(results.stopped, Some(Stopped::Cancelled));
    assert_eq!(results.left_out, ["other.yaml"]);
    assert_eq!(client.now(), Duration::from_secs(1));
    let [first, second] = results.transcript.exchanges.as_slice() else { panic!() };
    assert!(first.body_len() > 500, "earlier bytes are kept");
    assert_eq!(second.status(), Some(200));
}

#[tokio::test(start_paused = true)]
async fn a_run_can_be_cancelled_while_it_waits_for_a_response() {
    let scenario = lab::scenario("own.yaml", "scenario: a\nsteps:\n  - connect: { path: /late }\n");
    let cancel = pin!(tokio::time::sleep(Duration::from_millis(10)));
    let outcome = run(&scenario, &lab::target(), &lab::client(), 1, &mut |_| {}, cancel).await;
    assert_eq!(outcome.stopped, Some(Stopped::Cancelled));
    assert_eq!(outcome.exchanges.len(), 1);
    assert_eq!(outcome.exchanges[0].end.at, Duration::from_millis(10));
}

struct Unreachable;

impl Dial for Unreachable {
    fn dial<'a>(&'a self, _: &'a str, _: u16, _: ReceiveBuffer) -> Dialling<'a> {
        Box::pin(async { Err(DialError::Unconnected("connection refused".to_owned())) })
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_without_a_server_stops_at_once() {
    let results =
        play_all(&all_probes(), &Client::new(Arc::new(Unreachable), Limits::default())).await;
    let Some(Stopped::Unreachable(why)) = &results.stopped else { panic!("{:?}", results.stopped) };
    assert_eq!(why, "http://lab.test/events: no connection: connection refused");
    assert_eq!(results.transcript.exchanges.len(), 1);
    assert_eq!(results.failures, []);
    // All but the one that finds the stream, and the one that finds late headers.
    assert_eq!(results.left_out.len(), probes().len() - 2);
}

#[tokio::test(start_paused = true)]
async fn without_a_stream_the_other_probes_are_left_out_and_own_scenarios_are_not() {
    let own = lab::scenario(
        "own.yaml",
        "scenario: a\nsteps:\n  - connect: {}\n  - expect: { status: 404 }\n",
    );
    let mut scenarios = all_probes();
    scenarios.push(&own);
    let client = against(|_| Plan::answer(404, "text/plain", "no\n"));
    let results = play_all(&scenarios, &client).await;
    let Some(Stopped::NoStream(seen)) = &results.stopped else { panic!("{:?}", results.stopped) };
    assert_eq!(seen, "GET /events was answered by 404 text/plain");
    // All but the one that finds the stream, and the one that finds late headers.
    assert_eq!(results.left_out.len(), probes().len() - 2);
    let last = results.transcript.exchanges.last().unwrap();
    assert_eq!((last.scenario.as_str(), last.judged), ("own.yaml", false));
    assert_eq!(results.failures, []);
}

#[tokio::test(start_paused = true)]
async fn the_probes_provoke_the_reference_server_and_never_fail() {
    let results = play_all(&all_probes(), &against(reference::answer)).await;
    assert_eq!((&results.failures, &results.stopped), (&vec![], &None));
    let exchanges = &results.transcript.exchanges;
    assert!(exchanges.iter().enumerate().all(|(index, exchange)| exchange.number == index + 1));
    let mut lines = String::new();
    for exchange in exchanges {
        let follows = exchange.follows.map(|follows| format!(" after {}", follows.exchange));
        let events = exchange.body_bytes().windows(6).filter(|bytes| bytes == b"\ndata:").count();
        let id = sent_id(exchange).map(|id| match id.len() {
            300 => " id of 300 bytes".to_owned(),
            _ => format!(" id {id:?}"),
        });
        lines.push_str(&format!(
            "{:>2} {} {}: {} {:?}{}{}: {} events, {:?}\n",
            exchange.number,
            exchange.scenario,
            exchange.name,
            exchange.request.method,
            exchange.request.version,
            id.unwrap_or_default(),
            follows.unwrap_or_default(),
            events,
            exchange.end.how,
        ));
    }
    insta::assert_snapshot!("probes", lines);
}

#[tokio::test(start_paused = true)]
async fn the_probes_survive_servers_that_do_all_wrong() {
    let wrong: [fn(&Visit<'_>) -> Plan; 4] = [
        |_| Plan { actions: vec![sseproof_http::Action::Close] },
        |_| Plan { actions: vec![sseproof_http::Action::Reset] },
        |_| {
            Plan::answer(
                200,
                "text/event-stream",
                "retry: 99999999999999999999\nid: x\n\ndata: a\n\n",
            )
        },
        |_| Plan { actions: vec![sseproof_http::Action::Hold] },
    ];
    for answer in wrong {
        let results = play_all(&all_probes(), &against(answer)).await;
        assert_eq!(results.failures, []);
        assert!(!matches!(results.stopped, Some(Stopped::Unreachable(_))));
    }
}

#[tokio::test(start_paused = true)]
async fn progress_is_reported() {
    let scenario = lab::scenario(
        "own.yaml",
        "scenario: a\nsteps:\n  - connect: {}\n  - repeat:\n      times: 2\n      steps:\n        - expect: { event: {} }\n",
    );
    let mut lines = Vec::new();
    let mut on_progress = |progressed: RunProgress<'_>| {
        lines.push(match progressed {
            RunProgress::Begins(scenario) => format!("begins {}", scenario.title),
            RunProgress::Step(_, line) => line.to_string(),
            RunProgress::Ends(_, failures) => format!("ends with {}", failures.len()),
            _ => "?".to_owned(),
        });
    };
    let never = pin!(std::future::pending());
    run(&scenario, &lab::target(), &lab::client(), 1, &mut on_progress, never).await;
    assert_eq!(lines, ["begins a", "3", "4", "7", "7", "ends with 0"]);
}

// A command is a process of the real world: the clock runs.
#[tokio::test]
async fn commands_run_and_fail() {
    let holds = "scenario: a\nvars: { word: \"two words\" }\nsteps:\n  - run: test ${word} = 'two words'\n  - run: { command: sh -c 'exit 3', exit: 3 }\n";
    assert_eq!(play(holds).await.failures, []);
    let fails = |step: &str| format!("scenario: a\nsteps:\n  - run: {step}\n");
    let outcome = play(&fails("sh -c 'echo no luck >&2; exit 1'")).await;
    assert_eq!(outcome.failures[0].seen, ["no luck"]);
    assert_eq!(outcome.failures[0].kind, FailureKind::Unmet);
    let outcome = play(&fails("/nowhere/at/all")).await;
    assert_eq!(outcome.failures[0].kind, FailureKind::Impossible);
    let outcome = play(&fails("{ command: sleep 30, within: 50ms }")).await;
    assert!(outcome.failures[0].message.contains("took longer than 50ms"), "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn the_examples_for_the_reference_server_hold() {
    for name in ["smallest", "resume", "publish"] {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios/examples");
        let source = std::fs::read_to_string(format!("{folder}/{name}.yaml")).unwrap();
        let outcome = play(&source).await;
        assert_eq!(outcome.failures, [], "{name}");
    }
}
