//! Target files: what is wrong with them is said with its place, and what they say is done.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use sseproof_files::{Readiness, RestartHook, Signal, StopHook, Target, Variables};

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
    "start: \"\"\n",
    "start: { ready: { port: 1 } }\n",
    "start:\n  run: ./x\n  ready: { port: 1, http: /x }\n",
    "start: ./x\nstop: { signal: TERMINATE }\n",
    "start: ./x\nstop: {}\n",
    "stop: ./x\n",
    "restart: true\n",
    "restart: {}\n",
    "restart:\n  run: ./x\n  http: { path: /x }\n",
    "active: {}\n",
    "active: { http: { path: active } }\n",
    "active: { http: { path: /x }, process: true }\n",
    "active: { http: { path: /x }, pointer: open }\n",
    "active: { http: { path: /x }, pointer: /a, regex: b }\n",
    "active: { http: { path: /x }, regex: '(' }\n",
    "active: { process: maybe }\n",
    "active: { process: true, regex: x }\n",
    "via: 127.0.0.1:8081\n",
    "ca: \"\"\n",
    "ca: [ca.pem]\n",
    "ca: \"${certs}/ca.pem\"\n",
    "insecure: perhaps\n",
    "ca: ca.pem\ninsecure: true\n",
    "cacert: ca.pem\n",
    "via: \"http://${proxy}/x\"\n",
    "url: \"http://h/${room}\"\nvars: { rom: a }\n",
    "vars: { a: \"${b}\", b: c }\n",
    "vars: { a: \"${env:NOWHERE}\" }\n",
    "vars: { data: x }\n",
    "url: a\nurl: b\n",
    "url: a\n---\nurl: b\n",
];

#[test]
fn a_command_may_have_variables_of_each_kind() {
    let variables = Variables {
        given: [("topic".to_owned(), "news of today".to_owned())].into(),
        environment: [("TOKEN".to_owned(), "abc".to_owned())].into(),
    };
    let text = "start: ./server --token ${env:TOKEN}\npublish: { run: \"./publish ${topic} ${env:TOKEN} ${data}\" }\n";
    let file = Target::parse("target.yaml", text, &variables).unwrap();
    assert_eq!(file.start.unwrap().command, "./server --token abc");
    assert!(file.publish.is_some());
}

#[test]
fn each_broken_target_gets_its_message() {
    let mut shown = String::new();
    for source in BROKEN {
        match Target::parse("target.yaml", source, &Variables::default()) {
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
            if let Err(mistakes) = Target::parse("f", &source[..end], &Variables::default()) {
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
    let file = Target::parse("f", source, &variables).unwrap();
    assert_eq!(file.url, "http://h/ada");
    assert_eq!(file.headers.first("authorization").as_deref(), Some("Bearer abc"));
    assert_eq!(file.publish, None);
}

#[test]
fn whatever_drives_a_target_is_read() {
    let read = |source: &str| Target::parse("f", source, &Variables::default()).unwrap();
    let start = |source: &str| read(source).start.expect("a start");
    assert_eq!(start("start: python app.py\n").ready, Readiness::Listening);
    let slow = start("start: { run: ./x, ready: { output: 'on (\\d+)', within: 30s } }\n");
    assert_eq!(slow.ready, Readiness::Output("on (\\d+)".to_owned()));
    assert_eq!(slow.within, Some(Duration::from_secs(30)));
    let http = start("start: { run: ./x, ready: { http: /health } }\n");
    assert_eq!(http.ready, Readiness::Http("/health".to_owned()));
    let port = start("start: { run: ./x, ready: { port: 81 } }\n");
    assert_eq!(port.ready, Readiness::Port(81));

    let file = read("start: ./x\nstop: { signal: INT }\nrestart: true\nvia: http://h/x\n");
    assert_eq!(file.stop, Some(StopHook::Signal(Signal::Int)));
    assert_eq!(file.restart, Some(RestartHook::Again(None)));
    assert_eq!(file.via.as_deref(), Some("http://h/x"));
    let by = read("restart: docker restart app\n").restart;
    assert_eq!(by, Some(RestartHook::Run("docker restart app".to_owned())));
    assert_eq!(read("start: ./x\nrestart: false\n").restart, None);
    assert_eq!(read("active: { process: 12 }\n").process, Some(12));
    assert!(read("memory: { http: { path: /x } }\n").memory.is_some());
}

#[test]
fn a_variable_of_the_file_gives_way_to_one_that_was_given() {
    let text = "url: \"http://h/${room}\"\nvars: { room: a, model: \"${env:MODEL}\" }\n";
    let environment = BTreeMap::from([("MODEL".to_owned(), "small".to_owned())]);
    let read = |given: &[(&str, &str)]| {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let given = given.iter().map(own).collect();
        let variables = Variables { given, environment: environment.clone() };
        Target::parse("sseproof.yaml", text, &variables).expect("a target")
    };
    assert_eq!(read(&[]).url, "http://h/a");
    assert_eq!(read(&[]).vars["model"], "small");
    assert_eq!(read(&[("room", "b")]).url, "http://h/b");
}
