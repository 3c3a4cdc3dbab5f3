//! Findings of the real rules, over transcripts by hand, in every report.

use std::time::Duration;

use sseproof_http::{Bytes, Request, Version};
use sseproof_record::{Chunk, End, Ending, Exchange, Head, Target, Transcript};
use sseproof_report::{Judged, Outcome, Report, json, junit, markdown, terminal};
use sseproof_rules::{Finding, Record, Status, judge};

const URL: &str = "http://localhost/stream";

fn transcript(headers: &[(&str, &str)], body: &[u8]) -> Transcript {
    let at = Duration::from_millis;
    let exchange = Exchange {
        scenario: "baseline".to_owned(),
        head: Some(Head {
            at: at(3),
            version: Version::Http11,
            status: 200,
            headers: headers.iter().copied().collect(),
        }),
        wire: vec![Chunk { at: at(3), bytes: Bytes::from(b"HTTP/1.1 200 OK\r\n\r\n") }],
        body: vec![Chunk { at: at(5), bytes: Bytes::from(body) }],
        end: End { at: at(9), how: Ending::Complete },
        ..Exchange::begun(1, Request::subscribe(URL), at(0))
    };
    let target = Target { url: URL.to_owned(), method: "GET".to_owned(), profile: None };
    Transcript { target, exchanges: vec![exchange], ..Transcript::default() }
}

fn report(transcript: &Transcript) -> Report {
    let findings: Vec<Finding> = judge(&Record::new(transcript), |_| true);
    Report {
        tool: "sseproof".to_owned(),
        target: URL.to_owned(),
        findings: findings.into_iter().map(Judged::from).collect(),
        ..Report::default()
    }
}

#[test]
fn every_failure_is_named_in_every_report() {
    let stream = &[("Content-Type", "text/event-stream")][..];
    for (headers, body) in [
        (stream, &b"\xEF\xBB\xBFid: 1\ndata: caf\xE9\n\nretry: x\n\0data: cut"[..]),
        (&[("Content-Type", "text/html")][..], b"<html>"),
        (&[][..], b""),
    ] {
        let transcript = transcript(headers, body);
        let report = report(&transcript);
        let texts = [
            terminal::render(&report, &terminal::Options::default()),
            json::render(&report),
            junit::render(&report),
            markdown::render(&report),
        ];
        for finding in report.findings.iter().filter(|finding| finding.status == Status::Fail) {
            for text in &texts {
                assert!(text.contains(&finding.rule), "{}: {text}", finding.rule);
            }
            assert!(!finding.title.is_empty() && finding.link.starts_with("https://"));
        }
        assert_eq!(json::read(&texts[1]), Ok(report));
    }
}

#[test]
fn a_stream_that_is_no_utf8_breaks_the_run_at_its_byte() {
    let transcript = transcript(&[("Content-Type", "text/event-stream")], b"data: caf\xE9\n\n");
    let report = report(&transcript);
    assert_eq!(report.outcome(), Outcome::Broken);
    let text = terminal::render(&report, &terminal::Options::default());
    assert!(
        text.contains(
            "exchange 1 (GET /stream, baseline), byte 9, 2 ms after the response headers"
        ),
        "{text}"
    );
    assert!(text.contains("e9 0a 0a"), "{text}");
}
