//! Reports by hand for the tests: every branch, and nothing from the registry, so that the wording
//! of rules changes no snapshot here.

use sseproof_rules::{
    Evidence, Excerpt, Level, Mutant, Recipe, Requirement, Rule, RuleText, Status, Subject,
    Verdict, reference,
};

use crate::{
    Judged, KnownResult, Measures, Report, ScenarioFailure, ScenarioResult, ShownLine, Spread,
};

fn judged(rule: &str, level: Level, status: Status, note: &str) -> Judged {
    Judged {
        rule: rule.to_owned(),
        requirement: format!("whatwg-sse/{}", rule.rsplit('/').next().unwrap_or_default()),
        level,
        security: None,
        status,
        note: note.to_owned(),
        evidence: Vec::new(),
        title: "each event ends with an empty line".to_owned(),
        why: "A client discards an event that the end of the stream cuts: the user never sees it."
            .to_owned(),
        fix: "Write an empty line after each event, also after the last one.".to_owned(),
        recipes: Vec::new(),
        source: "WHATWG HTML, parsing an event stream".to_owned(),
        link:
            "https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream"
                .to_owned(),
    }
}

pub(crate) fn pass(rule: &str, note: &str) -> Judged {
    judged(rule, Level::Must, Status::Pass, note)
}

pub(crate) fn skip(rule: &str, note: &str) -> Judged {
    judged(rule, Level::Should, Status::Skip, note)
}

pub(crate) fn fail(rule: &str, level: Level, evidence: &[Evidence]) -> Judged {
    Judged { evidence: evidence.to_vec(), ..judged(rule, level, Status::Fail, "") }
}

pub(crate) fn place(place: &str, offset: Option<u64>, message: &str) -> Evidence {
    Evidence {
        message: message.to_owned(),
        consequence: None,
        exchange: 1,
        request: "GET /stream".to_owned(),
        scenario: "baseline".to_owned(),
        place: place.to_owned(),
        offset,
        after_us: 3_204_000,
        excerpt: None,
        log: Vec::new(),
    }
}

fn terminated() -> Judged {
    let evidence = Evidence {
        consequence: Some(
            "every conforming client drops this event, and 41 stays its Last-Event-ID".to_owned(),
        ),
        excerpt: Some(Excerpt {
            start: 1020,
            bytes: (&b"id: 42\ndata: {\"n\":42}\n"[..]).into(),
            mark: 1042,
            at_end: true,
        }),
        ..place("body", Some(1042), "the stream ends inside an event: event 42 is never delivered")
    };
    fail("stream/terminated", Level::Must, &[evidence])
}

fn utf8() -> Judged {
    let bytes = "id: 7\ndata: caf\u{0}\n\nid: 8\ndata: 日本 ".as_bytes();
    let bytes: Vec<u8> = bytes.iter().copied().chain(*b"caf\xE9 au lait\r\n\r\n").collect();
    let one = |exchange, mark| Evidence {
        exchange,
        excerpt: Some(Excerpt { start: 64, bytes: bytes.clone().into(), mark, at_end: false }),
        ..place("body", Some(mark), "invalid UTF-8: byte e9")
    };
    let places: Vec<_> =
        [(1, 103), (2, 103), (3, 103), (4, 103), (5, 103)].map(|(n, at)| one(n, at)).into();
    Judged {
        recipes: vec![
            Recipe { with: "Express".to_owned(), write: "res.write(text, 'utf8');".to_owned() },
            Recipe {
                with: "Spring".to_owned(),
                write: "produces =\n    \"text/event-stream;charset=UTF-8\"".to_owned(),
            },
        ],
        ..fail("stream/utf8", Level::Must, &places)
    }
}

fn media_type() -> Judged {
    fail(
        "response/media-type",
        Level::Must,
        &[Evidence {
            consequence: Some("an EventSource fails for good and does not reconnect".to_owned()),
            ..place(
                "header content-type",
                None,
                "the media type is \"text/html; charset=utf-8\", from a page that begins <!doctype html>\x1b[2J, and not \"text/event-stream\", which is the only one that a client takes",
            )
        }],
    )
}

fn keepalive() -> Judged {
    let long = "location /stream {\n    proxy_buffering off;\n    proxy_read_timeout 1h;\n    proxy_http_version 1.1;\n}";
    Judged {
        source: "operating practice: a comment every 15 s".to_owned(),
        recipes: vec![
            Recipe { with: "nginx".to_owned(), write: long.to_owned() },
            Recipe { with: "HAProxy".to_owned(), write: "timeout tunnel 1h".to_owned() },
        ],
        ..fail(
            "delivery/keepalive",
            Level::Should,
            &[place("exchange", None, "nothing came for 45 s")],
        )
    }
}

fn scenarios() -> Vec<ScenarioResult> {
    let shown = |number, text: &str| ShownLine { number, text: text.to_owned() };
    let scenario = |name: &str, file: &str, taken| ScenarioResult {
        name: name.to_owned(),
        file: file.to_owned(),
        steps: 5,
        steps_taken: taken,
        duration_ms: 1_204,
        ..ScenarioResult::default()
    };
    vec![
        scenario("published events arrive", "checks/arrives.yaml", 5),
        ScenarioResult {
            failures: vec![ScenarioFailure {
                file: "checks/missed.yaml".to_owned(),
                line: 9,
                column: 5,
                step: "expect an event from second".to_owned(),
                message:
                    "expected data \"missed\" within 5s\nnothing came; the last event was id 41"
                        .to_owned(),
                shown: vec![
                    shown(8, "  - reconnect: { from: first, as: second }"),
                    shown(9, "  - expect: { from: second, event: { data: missed }, within: 5s }"),
                ],
            }],
            ..scenario(
                "events published while the client is disconnected arrive after it reconnects",
                "checks/missed.yaml",
                5,
            )
        },
        ScenarioResult {
            skipped: Some("the target file has no `publish`".to_owned()),
            ..scenario("a burst arrives in order", "checks/burst.yaml", 0)
        },
    ]
}

pub(crate) fn broken() -> Report {
    let findings = vec![
        fail(
            "delivery/compression",
            Level::Advice,
            &[place("header content-encoding", None, "the stream is compressed with gzip")],
        ),
        keepalive(),
        pass("response/status", "200 in 12 exchanges"),
        media_type(),
        terminated(),
        utf8(),
        pass(
            "stream/line-ends",
            "LF alone, in 340 events; sseproof ended one exchange in the middle of a line, which is not a fault of the server",
        ),
        fail(
            "stream/bom",
            Level::Must,
            &[place("body", Some(0), "a byte order mark opens the stream")],
        ),
        fail(
            "reconnect/wire",
            Level::Should,
            &[
                place("wire", Some(17), "the chunk has no size"),
                place("head", None, "the status line has no reason"),
                place("somewhere new", Some(3), "a place of another version"),
                place("", None, "no place"),
            ],
        ),
        judged(
            "retry/kept",
            Level::Should,
            Status::Inconclusive,
            "the server closed 2 of 3 connections before the announced 3000 ms were over",
        ),
        skip("resume/after-id", "the stream has no ids"),
        skip("resume/gap", "the stream has no ids"),
        skip("retry/range", "no retry field was sent"),
    ];
    let known = vec![
        KnownResult::of("stream/bom", "issue 77, fixed in 2.1", &findings, |id| id == "stream/bom"),
        KnownResult::of("response/st*", "the old proxy answered 202", &findings, |id| {
            id == "response/status"
        }),
    ];
    Report {
        tool: "sseproof 0.1.0".to_owned(),
        target: "http://localhost:8080/stream".to_owned(),
        way: None,
        profile: None,
        started: "2026-01-02T03:04:05Z".to_owned(),
        duration_ms: 12_345,
        strict: false,
        findings,
        scenarios: scenarios(),
        measures: measures(),
        known,
        partial: None,
        recording: Some("run.jsonl".to_owned()),
    }
}

fn measures() -> Measures {
    Measures {
        time_to_head_ms: Some(Spread { min: 1.0, median: 3.0, max: 40.0 }),
        time_to_first_event_ms: Some(Spread { min: 31.0, median: 31.0, max: 31.0 }),
        inter_event_gap_ms: Some(Spread { min: 0.2, median: 1000.0, max: 61_000.0 }),
        exchanges: Some(12),
        events: Some(340),
        bytes: Some(45_230),
    }
}

pub(crate) fn held() -> Report {
    Report {
        findings: vec![
            pass("response/status", "200 in 12 exchanges"),
            pass("stream/utf8", "45230 bytes"),
        ],
        scenarios: vec![scenarios().remove(0)],
        known: Vec::new(),
        ..broken()
    }
}

/// Nothing failed, and the run is incomplete.
pub(crate) fn partial() -> Report {
    Report {
        findings: vec![skip("stream/utf8", "no stream carried a byte"), skip("stream/bom", "")],
        scenarios: Vec::new(),
        measures: Measures { exchanges: Some(1), ..Measures::default() },
        partial: Some("no stream was seen".to_owned()),
        recording: None,
        known: Vec::new(),
        ..broken()
    }
}

/// A broken should that is not an error.
pub(crate) fn quiet_failure() -> Report {
    Report { findings: vec![keepalive(), pass("stream/utf8", "45230 bytes")], ..held() }
}

pub(crate) fn strict() -> Report {
    Report { strict: true, ..quiet_failure() }
}

pub(crate) fn unknown() -> Report {
    let finding = Judged {
        title: String::new(),
        why: String::new(),
        fix: String::new(),
        source: String::new(),
        link: String::new(),
        requirement: String::new(),
        ..fail("nofamily", Level::Must, &[])
    };
    Report { findings: vec![finding], ..held() }
}

pub(crate) fn requirement() -> Requirement {
    Requirement {
        id: "whatwg-sse/terminated".to_owned(),
        level: Level::Must,
        subject: Subject::Server,
        text: "An event ends with an empty line; an event that the end of the stream cuts is discarded.".to_owned(),
        source: "WHATWG HTML, interpreting an event stream".to_owned(),
        link: "https://html.spec.whatwg.org/multipage/server-sent-events.html".to_owned(),
        security: None,
        untestable: None,
        rules: vec![rule_text()],
    }
}

pub(crate) fn rule_text() -> RuleText {
    let recipe =
        |with: &str, write: &str| Recipe { with: with.to_owned(), write: write.to_owned() };
    RuleText {
        id: "stream/terminated".to_owned(),
        title: "each event ends with an empty line".to_owned(),
        why: "A client discards an event that the end of the stream cuts: the user never sees it."
            .to_owned(),
        fix: "Write an empty line after each event, also after the last one.".to_owned(),
        recipes: vec![
            recipe("Express", "res.write(`data: ${text}\\n\\n`);"),
            recipe("Go", "fmt.Fprintf(w, \"data: %s\\n\\n\", text)\nw.Flush()"),
        ],
    }
}

pub(crate) const RULE: Rule = Rule {
    id: "stream/terminated",
    judge: |_| Verdict::Skip(String::new()),
    mutants: &[
        Mutant::new("unended", "ends in the middle of an event", reference::answer),
        Mutant::new(
            "one-line-feed",
            "ends events by one line feed instead of two",
            reference::answer,
        ),
    ],
};
