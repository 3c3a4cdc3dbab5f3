//! The whole report on servers with the worst faults.
//!
//! Over a pipe in memory with a paused clock: the runner, the rules and the report are those of a
//! real check.
#![expect(clippy::unwrap_used, reason = "a test ends where its surroundings fail")]

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sseproof_files::{Scenario, Target, probes};
use sseproof_http::{Action, Answer, Bytes, Framing, Header, Headers, Plan, Version, Visit};
use sseproof_net::{Client, Dial, DialError, Dialling, InProcess, Lab, Limits, ReceiveBuffer};
use sseproof_report::terminal::{self, Detail, Options};
use sseproof_report::{Judged, Outcome, Report};
use sseproof_rules::{Record, Status, judge, reference};
use sseproof_runner::{Stopped, run_all};

/// A finished check: the report, and its duration by the clock of the run.
struct Checked {
    report: Report,
    lasted: Duration,
    stopped: Option<Stopped>,
}

fn check(answer: Answer) -> Checked {
    dialled(answer, |lab| Arc::new(lab))
}

fn dialled(answer: Answer, dial: impl FnOnce(InProcess) -> Arc<dyn Dial>) -> Checked {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let client = Client::new(dial(Lab::new(answer).in_process()), Limits::default());
        let target = Target::new("http://lab/events");
        let scenarios: Vec<&Scenario> = probes()
            .iter()
            .filter(|probe| !probe.scenario.idle)
            .map(|probe| &probe.scenario)
            .collect();
        let never = pin!(std::future::pending());
        let results = run_all(&scenarios, &target, &client, "", &mut |_| {}, never).await;
        let record = Record::new(&results.transcript);
        let report = Report {
            target: target.url,
            findings: judge(&record, |_| true).into_iter().map(Judged::from).collect(),
            partial: results.stopped.as_ref().map(|stopped| match stopped {
                Stopped::NoStream(seen) => format!("there was no event stream ({seen})"),
                Stopped::Lost(seen) => format!("the server cannot be reached any more ({seen})"),
                other => format!("{other:?}"),
            }),
            ..Report::default()
        };
        Checked { report, lasted: client.now(), stopped: results.stopped }
    })
}

impl Checked {
    /// Without the time that it took, which changes with the pauses of the probes, and without the
    /// totals of rules, which change with every new one.
    fn text(&self) -> String {
        let failing: Vec<_> = self.failing();
        let options = Options { detail: Detail::Quiet, ..Options::default() };
        let text = terminal::render(&Report { strict: true, ..self.report.clone() }, &options);
        let lines = text.lines().filter(|line| !line.starts_with("  rules: "));
        let text: Vec<_> = lines.collect();
        format!("{:?}: {}\n\n{}", self.report.outcome(), failing.join(", "), text.join("\n"))
    }

    fn failing(&self) -> Vec<&str> {
        let failed = self.report.findings.iter().filter(|one| one.status == Status::Fail);
        failed.map(|one| one.rule.as_str()).collect()
    }
}

fn is_stream_request(visit: &Visit<'_>) -> bool {
    visit.request.method == "GET" && visit.request.headers.has("accept")
}

/// The plan if a client subscribes as a browser does; otherwise the response of the reference.
fn to_subscribers(visit: &Visit<'_>, plan: Plan) -> Plan {
    let is_old = visit.request.version == Version::Http10;
    if is_stream_request(visit) && !is_old { plan } else { reference::answer(visit) }
}

fn stream(actions: impl IntoIterator<Item = Action>) -> Plan {
    let headers = [
        ("Content-Type", "text/event-stream"),
        ("Cache-Control", "no-store, no-transform"),
        ("X-Accel-Buffering", "no"),
    ];
    let head = Action::Head {
        status: 200,
        headers: headers.into_iter().collect(),
        framing: Framing::Chunked,
    };
    Plan { actions: [head].into_iter().chain(actions).collect() }
}

fn raw(text: &str) -> Action {
    Action::Raw(Bytes::from(text))
}

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
const EVENT: &[u8] = b"id: 1\ndata: {\"n\":1}\n\n";

/// The bytes, one each second.
fn drip(bytes: &[u8], action: fn(Bytes) -> Action) -> impl Iterator<Item = Action> {
    bytes.iter().flat_map(move |byte| {
        [action(Bytes::from(vec![*byte])), Action::Wait(Duration::from_secs(1))]
    })
}

/// A must fails, or nothing is proven, and the check ends soon.
#[test]
fn each_of_the_worst_faults_has_its_report() {
    let cases: [(&str, Answer); 15] = [
        ("plain-404", |_| Plan::answer(404, "text/plain", "not found\n")),
        ("html-page", |_| {
            let page = "<!doctype html><title>Sign in</title>\n";
            Plan::answer(200, "text/html; charset=utf-8", page)
        }),
        ("no-head", |_| Plan { actions: vec![Action::Hold] }),
        ("slow-head", |_| Plan { actions: drip(HEAD, Action::Raw).collect() }),
        ("endless-line", |visit| {
            let piece = Action::Write(Bytes::from(vec![b'x'; 60_000]));
            to_subscribers(visit, stream((0..100).flat_map(|_| [piece.clone(), Action::Flush])))
        }),
        ("reset-in-chunk", |visit| {
            to_subscribers(visit, stream([raw("20\r\ndata: half of the ev"), Action::Reset]))
        }),
        ("wrong-chunk-size", |visit| {
            to_subscribers(visit, stream([raw("5\r\ndata: hello\n\n\r\n"), Action::Hold]))
        }),
        ("no-chunk-size", |visit| {
            to_subscribers(visit, stream([raw("data: hello\n\n"), Action::Hold]))
        }),
        ("huge-head", |_| stream([]).with_header("X-Padding", "y".repeat(1 << 20))),
        ("redirect-loop", |_| {
            Plan::answer(307, "text/plain", "").with_header("Location", "/events")
        }),
        ("no-http", |_| Plan { actions: vec![raw("SSH-2.0-OpenSSH_9.6\r\n"), Action::Hold] }),
        ("closes", |_| Plan { actions: vec![Action::Close] }),
        // It answers only subscriptions, and closes on every other request.
        ("closes-on-others", |visit| {
            let closes = Plan { actions: vec![Action::Close] };
            if is_stream_request(visit) { reference::answer(visit) } else { closes }
        }),
        ("slow-body", |visit| {
            to_subscribers(visit, stream(drip(&EVENT.repeat(10), Action::Write)))
        }),
        ("endless-events", |visit| {
            let piece = Action::Write(Bytes::from(b"id\ndata\n\n:\n".repeat(8_000)));
            to_subscribers(visit, stream((0..100).flat_map(|_| [piece.clone(), Action::Flush])))
        }),
    ];
    for (name, answer) in cases {
        let checked = check(answer);
        insta::assert_snapshot!(name, checked.text());
        let may_pass = ["closes-on-others", "slow-body", "endless-events"].contains(&name);
        assert!(may_pass || checked.report.outcome() != Outcome::Held, "{name} passes");
        assert!(checked.lasted < Duration::from_secs(180), "{name}: {:?}", checked.lasted);
    }
}

#[test]
fn a_header_that_is_not_utf_8() {
    let checked = check(|visit| {
        let mut plan = reference::answer(visit);
        if let Some(Headers(headers)) = plan.headers() {
            let value = Bytes::from(b"M\xfcnchen".to_vec());
            headers.push(Header { name: "X-City".to_owned(), value });
        }
        plan
    });
    insta::assert_snapshot!("header-not-utf-8", checked.text());
    assert_eq!(checked.failing(), ["response/ascii-headers"]);
}

struct Dies {
    lab: InProcess,
    left: AtomicUsize,
}

impl Dial for Dies {
    fn dial<'a>(&'a self, host: &'a str, port: u16, room: ReceiveBuffer) -> Dialling<'a> {
        let lives =
            self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        match lives {
            Ok(_) => self.lab.dial(host, port, room),
            Err(_) => Box::pin(async {
                Err(DialError::Unconnected("Connection refused (os error 111)".to_owned()))
            }),
        }
    }
}

#[test]
fn a_server_that_dies_in_mid_check() {
    let checked =
        dialled(reference::answer, |lab| Arc::new(Dies { lab, left: AtomicUsize::new(3) }));
    insta::assert_snapshot!("dies", checked.text());
    assert_ne!(checked.report.outcome(), Outcome::Held, "a dead server proves nothing");
}

#[test]
fn a_server_that_is_not_there() {
    let checked =
        dialled(reference::answer, |lab| Arc::new(Dies { lab, left: AtomicUsize::new(0) }));
    assert!(matches!(checked.stopped, Some(Stopped::Unreachable(_))), "{:?}", checked.stopped);
}
