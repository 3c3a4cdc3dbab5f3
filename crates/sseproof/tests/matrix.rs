//! Every mutant against every rule: the same runner, client and server as a real check.
//!
//! Over a pipe in memory with a paused clock for the whole matrix, and once more over TCP, where
//! each mutant must fail the rule that it was made for.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use sseproof_exchange::{Answer, Transcript, read_recording, write_recording};
use sseproof_net::{Client, Dial, Direct, Lab, Limits};
use sseproof_rules::{Finding, Mutant, Record, Rule, Status, judge, mutants, reference, rules};
use sseproof_scenario::{Scenario, TargetConfig, probes, run_all, run_patiently};

/// How many mutants are checked over TCP at a time.
const AT_A_TIME: usize = 40;
/// Set to also watch, over TCP, the mutants that only a minute of silence gives away.
const SLOW: &str = "SSEPROOF_SLOW_TESTS";

async fn transcript(dial: Arc<dyn Dial>, url: String, idle: bool, limits: Limits) -> Transcript {
    let scenarios: Vec<&Scenario> =
        probes().iter().filter(|probe| idle || !probe.idle).map(|probe| &probe.scenario).collect();
    let client = Client::new(dial, limits);
    let mut cancel = pin!(std::future::pending());
    let hook = sseproof_scenario::PublishHook::http("POST", "/publish").on_stream("/published");
    let target = TargetConfig { publish: Some(hook), ..TargetConfig::new(url) };
    let mut results = run_all(&scenarios, &target, &client, "", &mut |_| {}, cancel.as_mut()).await;
    run_patiently(&mut results, &target, &client, &mut |_| {}, cancel).await;
    results.transcript
}

/// The transcript of a check with all probes, without any real time.
fn in_memory(answer: Answer) -> Transcript {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let lab = Lab::new(answer);
        let url = "http://lab/events".to_owned();
        transcript(Arc::new(lab.in_process()), url, true, Limits::default()).await
    })
}

fn findings(transcript: &Transcript) -> Vec<Finding> {
    judge(&Record::new(transcript), |_| true)
}

fn failing(findings: &[Finding]) -> BTreeSet<&str> {
    findings
        .iter()
        .filter(|finding| finding.status == Status::Fail)
        .map(|finding| finding.rule.as_str())
        .collect()
}

#[test]
fn the_reference_server_passes_every_rule() {
    let mut table = String::new();
    for finding in findings(&in_memory(reference::answer)) {
        assert_ne!(finding.status, Status::Fail, "{finding:#?}");
        // What was seen changes with every probe; only why something was not asked matters here.
        let _ = match finding.status {
            Status::Pass => writeln!(table, "{}", finding.rule),
            status => writeln!(table, "{} {status:?}: {}", finding.rule, finding.note),
        };
    }
    insta::assert_snapshot!("reference", table);
}

#[test]
fn every_mutant_fails_what_it_breaks() {
    let mut table = String::new();
    let mut alive = Vec::new();
    for (rule, mutant) in mutants() {
        let transcript = in_memory(mutant.serve);
        let findings = findings(&transcript);
        let failing = failing(&findings);
        if !failing.contains(rule.id) {
            let verdict = findings.iter().find(|finding| finding.rule == rule.id);
            alive.push(format!("{} survives {}: {verdict:?}", mutant.id, rule.id));
        }
        let others: Vec<_> = failing.iter().filter(|id| **id != rule.id).copied().collect();
        let also =
            if others.is_empty() { String::new() } else { format!(", also {}", others.join(", ")) };
        let _ = writeln!(table, "{} fails {}{also}", mutant.id, rule.id);

        // What was recorded is judged the same.
        let read = read_recording(&write_recording(&transcript)).unwrap();
        assert_eq!(self::findings(&read), findings, "{} replayed", mutant.id);
    }
    assert!(alive.is_empty(), "{}", alive.join("\n"));
    insta::assert_snapshot!("matrix", table);
}

#[test]
fn every_mutant_fails_over_tcp_too() {
    let slow = std::env::var_os(SLOW).is_some();
    // The rules whose mutants only show in a probe that idles.
    let is_slow = |rule: &str| rule == "delivery/heartbeat";
    if !slow {
        eprintln!("delivery/heartbeat is not watched over TCP: set {SLOW} to do so (75 s)");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let alive = runtime.block_on(async {
        let permits = Arc::new(tokio::sync::Semaphore::new(AT_A_TIME));
        let mut tasks = tokio::task::JoinSet::new();
        for (rule, mutant) in mutants().filter(|(rule, _)| slow || !is_slow(rule.id)) {
            let permits = Arc::clone(&permits);
            tasks.spawn(async move {
                let _permit = permits.acquire().await.unwrap();
                (survival(rule, mutant, is_slow(rule.id)).await.is_some()).then_some((rule, mutant))
            });
        }
        let survivors = tasks.join_all().await.into_iter().flatten();
        // Dozens at a time on a small machine disturb what is judged by time: whoever survived
        // that is asked again alone.
        let mut alive = Vec::new();
        for (rule, mutant) in survivors {
            alive.extend(survival(rule, mutant, is_slow(rule.id)).await);
        }
        alive
    });
    assert!(alive.is_empty(), "{}", alive.join("\n"));
    assert!(rules().count() > 30);
}

/// What there is to say of a mutant that does not fail its rule over TCP.
async fn survival(rule: &Rule, mutant: &Mutant, idle: bool) -> Option<String> {
    let findings = findings(&over_tcp(mutant.serve, idle).await);
    if failing(&findings).contains(rule.id) {
        return None;
    }
    let verdict = findings.into_iter().find(|finding| finding.rule == rule.id);
    Some(format!("{} survives {}: {verdict:?}", mutant.id, rule.id))
}

async fn over_tcp(answer: Answer, idle: bool) -> Transcript {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/events", listener.local_addr().expect("an address"));
    let lab = Lab::new(answer);
    let server = tokio::spawn(async move { lab.listen(listener).await });
    let limits = Limits { head: Duration::from_secs(3), ..Limits::default() };
    let transcript = transcript(Arc::new(Direct), url, idle, limits).await;
    server.abort();
    transcript
}
