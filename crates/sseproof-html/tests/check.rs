//! Pages of checks: of a hostile server, and with text of others in each place.

mod common;

use common::{EVIL, assert_harmless, poison};
use sseproof_html::check::page;
use sseproof_record::{Transcript, read_recording};
use sseproof_report::{Judged, Report, ScenarioFailure, ScenarioResult, ShownLine, wire_log};
use sseproof_rules::{Record, Status, judge};

fn hostile() -> (Report, Transcript) {
    let transcript = read_recording(include_str!("hostile.jsonl")).expect("a recording");
    let record = Record::new(&transcript);
    let findings = judge(&record, |_| true).into_iter().map(Judged::from).collect();
    let mut report = Report {
        tool: "sseproof 0.1.0".to_owned(),
        target: transcript.target.url.clone(),
        findings,
        ..Report::default()
    };
    report.complete(&transcript, None);
    for finding in &mut report.findings {
        for evidence in &mut finding.evidence {
            let exchange = &transcript.exchanges[evidence.exchange - 1];
            evidence.log = wire_log::around(exchange, evidence);
        }
    }
    (report, transcript)
}

#[test]
fn a_hostile_server_writes_nothing_into_the_page() {
    let (report, transcript) = hostile();
    let html = page(&report, &transcript);
    assert_harmless(&html);
    for part in ["&lt;script&gt;", "⟨U+202E⟩", "reconnect/stop-status", "<path class=\"wait\""]
    {
        assert!(html.contains(part), "{part}");
    }
    assert_eq!(page(&report, &transcript), html);
}

#[test]
fn text_of_others_is_inert_in_each_place() {
    let (mut report, transcript) = hostile();
    let shown = ShownLine { number: 9, text: "a".to_owned() };
    let failure = ScenarioFailure { line: 9, shown: vec![shown], ..ScenarioFailure::default() };
    report.scenarios = vec![
        ScenarioResult { failures: vec![failure], ..ScenarioResult::default() },
        ScenarioResult { skipped: Some("x".to_owned()), ..ScenarioResult::default() },
    ];
    (report.way, report.profile) = (Some("x".to_owned()), Some("y".to_owned()));
    (report.partial, report.recording) = (Some("x".to_owned()), Some("y".to_owned()));
    let matches = |rule: &str| rule == "stream/utf8" || rule == "stream/bom";
    report.known = vec![sseproof_report::KnownResult::of("x", "y", &report.findings, matches)];
    let first = report.findings.iter_mut().find(|finding| finding.status == Status::Fail);
    first.expect("a failure").curl = Some("curl".to_owned());
    // The ids and links of rules are ours.
    let except = ["subject", "level", "status", "rule", "rules", "link", "bytes"];
    for evil in EVIL {
        let mut value = serde_json::to_value(&report).expect("a report");
        poison(&mut value, &except, evil);
        let poisoned: Report = serde_json::from_value(value).expect("a report");
        let html = page(&poisoned, &transcript);
        assert!(html.matches("EVIL").count() > 200);
        assert_harmless(&html);
    }
}

#[test]
fn a_page_has_all_that_a_reader_needs() {
    let (mut report, transcript) = hostile();
    report.findings.retain(|finding| ["stream/utf8", "stream/bom"].contains(&&*finding.rule));
    // The texts of the rule are not those of the page.
    for finding in &mut report.findings {
        let of = |text: &str| text.to_owned();
        (finding.title, finding.why) = (of("every event is read"), of("An event is lost."));
        (finding.fix, finding.source) = (of("Write `data:` first."), of("a standard"));
        finding.evidence.truncate(1);
        finding.note = of("seen");
    }
    let mut transcript = transcript;
    transcript.exchanges.retain(|exchange| exchange.scenario == "baseline");
    let html = page(&report, &transcript);
    let main = html.find("<main").expect("main");
    let script = html.find("<script>").expect("script");
    insta::assert_snapshot!(html[main..script].replace("><", ">\n<"));
}
