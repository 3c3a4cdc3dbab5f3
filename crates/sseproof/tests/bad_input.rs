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
use sseproof_http::{Answer, Bytes, Header, Headers};
use sseproof_net::{Client, Dial, DialError, Dialling, InProcess, Lab, Limits, ReceiveBuffer};
use sseproof_report::terminal::{self, Detail, Options};
use sseproof_report::{Judged, Outcome, Report};
use sseproof_rules::{Hostile, Record, Status, hostile, judge, reference};
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
                Stopped::TooMuch(_) => "the responses took too much memory".to_owned(),
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

/// A must fails, or nothing is proven, and the check ends soon.
#[test]
fn each_of_the_worst_faults_has_its_report() {
    for Hostile { id: name, may_pass, serve, .. } in
        hostile().filter(|server| !server.http2 && !server.slow)
    {
        let checked = check(*serve);
        insta::assert_snapshot!(*name, checked.text());
        assert!(*may_pass || checked.report.outcome() != Outcome::Held, "{name} passes");
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

/// Refuses some of the connections, which it counts from 0.
struct Refuses {
    lab: InProcess,
    count: AtomicUsize,
    which: fn(usize) -> bool,
}

impl Dial for Refuses {
    fn dial<'a>(&'a self, host: &'a str, port: u16, room: ReceiveBuffer) -> Dialling<'a> {
        if (self.which)(self.count.fetch_add(1, Ordering::SeqCst)) {
            return Box::pin(async {
                Err(DialError::Unconnected("Connection refused (os error 111)".to_owned()))
            });
        }
        self.lab.dial(host, port, room)
    }
}

fn refusing(which: fn(usize) -> bool) -> Checked {
    let count = AtomicUsize::new(0);
    dialled(reference::answer, |lab| Arc::new(Refuses { lab, count, which }))
}

#[test]
fn a_server_that_dies_in_mid_check() {
    let checked = refusing(|count| count >= 3);
    insta::assert_snapshot!("dies", checked.text());
    assert_ne!(checked.report.outcome(), Outcome::Held, "a dead server proves nothing");
}

#[test]
fn a_server_that_refuses_every_second_connection() {
    let checked = refusing(|count| count % 2 == 1);
    insta::assert_snapshot!("refuses-every-second", checked.text());
    assert_ne!(checked.report.outcome(), Outcome::Held, "half of the clients got nothing");
    assert!(checked.lasted < Duration::from_secs(180), "{:?}", checked.lasted);
}

#[test]
fn a_server_that_is_not_there() {
    let checked = refusing(|_| true);
    assert!(matches!(checked.stopped, Some(Stopped::Unreachable(_))), "{:?}", checked.stopped);
}
