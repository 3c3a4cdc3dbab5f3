//! Target files: what is wrong with them is said with its place, and what they say is done.

mod lab;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::pin::pin;

use sseproof_exchange::{PublishOutcome, Transcript, What};
use sseproof_scenario::{Scenario, TargetConfig, TargetFile, Variables, probes, run_all};

/// Files that are wrong, each in one way.
const BROKEN: &[&str] = &[
    "- url\n",
    "url: http://h/events\npublsh: {}\n",
    "url: http://h/events\nheaders: { Authorization: \"Bearer ${token}\" }\n",
    "url: \"${env:NOWHERE}\"\n",
    "publish: {}\n",
    "publish:\n  http: { path: /x, body: \"${data}\" }\n  run: ./x ${data}\n",
    "publish:\n  http: { body: \"${data}\" }\n",
    "publish:\n  http: { path: /x, url: http://h/x, body: \"${data}\" }\n",
    "publish:\n  http: { path: /x, body: \"${data}\", json: {} }\n",
    "publish:\n  http: { path: /x }\n",
    "publish:\n  http: { path: x, body: \"${data}\" }\n",
    "publish:\n  http: { path: /x, method: post, body: \"${data}\" }\n",
    "publish:\n  http: { path: /x, body: \"${dta}\" }\n",
    "publish:\n  http:\n    path: /x\n    json: { text: \"${data}\", user: \"${user:json}\" }\n",
    "publish:\n  http: { path: /x, body: \"${data:yaml}\" }\n",
    "publish:\n  http: { path: \"/x?text=${data}\" }\n",
    "publish:\n  http: { path: /x, headers: { X-Text: \"${data}\" } }\n",
    "publish:\n  run: ./publish\n",
    "publish:\n  run: ./publish 'x ${data}\n",
    "publish:\n  stream: events\n  run: ./publish ${data}\n",
    "publish:\n  http: { path: /x, body: ${data} }\n",
    "url: a\nurl: b\n",
    "url: a\n---\nurl: b\n",
];

#[test]
fn each_broken_target_gets_its_message() {
    let mut shown = String::new();
    for source in BROKEN {
        match TargetFile::parse("target.yaml", source, &Variables::default()) {
            Ok(_) => panic!("it parses: {source}"),
            Err(mistakes) => write!(shown, "{mistakes}\n\n").unwrap(),
        }
    }
    insta::assert_snapshot!("targets", shown);
}

#[test]
fn no_beginning_of_a_file_breaks_the_reader() {
    for source in BROKEN {
        for (end, _) in source.char_indices() {
            if let Err(mistakes) = TargetFile::parse("f", &source[..end], &Variables::default()) {
                assert!(!mistakes.0.is_empty());
                assert!(!mistakes.to_string().contains('\u{1f}'), "{mistakes}");
            }
        }
    }
}

#[test]
fn variables_and_the_environment_are_filled_in() {
    let variables = Variables {
        given: BTreeMap::from([("user".to_owned(), "ada".to_owned())]),
        environment: BTreeMap::from([("TOKEN".to_owned(), "abc".to_owned())]),
    };
    let source = "url: http://h/${user}\nheaders:\n  Authorization: Bearer ${env:TOKEN}\n";
    let file = TargetFile::parse("f", source, &variables).unwrap();
    assert_eq!(file.url.as_deref(), Some("http://h/ada"));
    assert_eq!(file.headers.first("authorization").as_deref(), Some("Bearer abc"));
    assert_eq!(file.publish, None);
}

/// Plays the scenario with this way to publish.
async fn played(publish: &str, scenario: &Scenario) -> (Transcript, Vec<String>) {
    let file = TargetFile::parse("f", publish, &Variables::default()).expect("a target");
    let target = TargetConfig { publish: file.publish, ..lab::target() };
    let never = pin!(std::future::pending());
    let client = lab::client();
    let results = run_all(&[scenario], &target, &client, "", &mut |_| {}, never).await;
    let failures = results.failures.into_iter().map(|failure| failure.message).collect();
    (results.transcript, failures)
}

fn probe() -> &'static Scenario {
    &probes().iter().find(|probe| probe.id == "encode").expect("the probe").scenario
}

#[tokio::test(start_paused = true)]
async fn what_was_meant_stands_beside_the_stream() {
    let hook = "publish:\n  stream: /published\n  http: { path: /publish, body: \"${data}\" }\n";
    let (transcript, failures) = played(hook, probe()).await;
    assert!(failures.is_empty(), "{failures:?}");
    let subscriber = &transcript.exchanges[0];
    assert!(!subscriber.judged && subscriber.is_stream());
    let payloads = || subscriber.published.iter().filter(|one| one.payload.is_some());
    assert!(payloads().any(|one| one.outcome == PublishOutcome::Accepted && one.data == "a\nb"));
    let cr = payloads().find(|one| one.data == "a\rb").unwrap();
    assert_eq!(cr.outcome.said(), Some("POST /publish answered 422"));
    // A sentinel before each, and one behind the last.
    assert_eq!(subscriber.published.len(), 2 * payloads().count() + 1);
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_does_not_work_ends_the_probe_early() {
    for (path, said) in
        [("/missing", "POST /missing answered 404"), ("/late", "POST /late had no answer in 5s")]
    {
        let hook = format!("publish:\n  http: {{ path: {path}, body: \"${{data}}\" }}\n");
        let (transcript, _) = played(&hook, probe()).await;
        let published = &transcript.exchanges[0].published;
        assert_eq!(published.len(), 1, "{published:?}");
        assert_eq!(published[0].outcome.said(), Some(said));
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_carries_nothing_ends_the_probe_early() {
    let hook = "publish:\n  stream: /silent\n  http: { path: /publish, body: \"${data}\" }\n";
    let (transcript, _) = played(hook, probe()).await;
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
    let broke = "the command was to end with exit code 0, and ended with 3";
    assert_eq!(failures, [broke]);
    let [happening] = transcript.happenings.as_slice() else { panic!("{transcript:?}") };
    let What::Published { what, answered_us: Some(_) } = &happening.what else {
        panic!("{happening:?}")
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
