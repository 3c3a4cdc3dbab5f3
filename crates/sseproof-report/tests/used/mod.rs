//! All that is done with a recording of others; the fuzz target `recording` uses it too.

use sseproof_record::{Secrets, Tape, Transcript, write_recording};
use sseproof_report::terminal::{self, Detail, Options};
use sseproof_report::{Judged, Report, json, junit, markdown, wire_log};
use sseproof_rules::{BUG, Record, judge};

/// All that `check --replay` and `serve --play` do with a transcript.
pub(crate) fn used(transcript: Transcript) {
    let known = [("TOKEN".to_owned(), "one-two-three".to_owned())];
    let secrets = Secrets::of(&transcript, &[], &known);
    let transcript = secrets.redact(&transcript).transcript;
    let record = Record::new(&transcript);
    let mut findings: Vec<Judged> =
        judge(&record, |_| true).into_iter().map(Judged::from).collect();
    for finding in &mut findings {
        assert_ne!(finding.note, BUG, "{}", finding.rule);
        for evidence in &mut finding.evidence {
            let exchange = &transcript.exchanges[evidence.exchange - 1];
            evidence.log = wire_log::around(exchange, evidence);
        }
    }
    findings.iter().for_each(|finding| drop(wire_log::whole(finding, &transcript)));
    let report = Report { findings, ..Report::default() };
    terminal::render(&report, &Options { detail: Detail::Verbose, ..Options::default() });
    for render in [json::render as fn(&Report) -> String, junit::render, markdown::render] {
        render(&report);
    }
    write_recording(&transcript);
    Tape::new(transcript);
}
